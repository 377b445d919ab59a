#include "stat/choice.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace lm::stat {

namespace {

constexpr f64 kNan = std::numeric_limits<f64>::quiet_NaN();

/// Mean over the items, each as often as counts say.
f64 mean_of(std::span<const f64> values, Counts counts) {
  f64 sum = 0;
  i64 n = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (counts[i] == 0) continue;
    sum += values[i] * counts[i];
    n += counts[i];
  }
  return n > 0 ? sum / static_cast<f64>(n) : kNan;
}

i64 count_tried(const Way& way) {
  return std::count_if(way.values.begin(), way.values.end(), [](f64 x) { return !std::isnan(x); });
}

bool tied_with(std::span<const f64> first, std::span<const f64> other) {
  std::vector<f64> differences;
  for (std::size_t i = 0; i < first.size(); ++i)
    differences.push_back(other[i] - first[i]);
  const MeanError d = mean_error(differences);
  return d.n < 2 || std::fabs(d.mean) <= 2 * d.standard_error;
}

/// Finite means, infinite ones, none.
int rank_class(const RankedWay& way) {
  return std::isnan(way.mean.mean) && way.infinite == 0 ? 2 : way.infinite > 0 ? 1 : 0;
}

}  // namespace

std::vector<i64> common_items(std::span<const Way> ways) {
  std::vector<i64> out;
  std::vector<const Way*> tried;
  for (const Way& way : ways) {
    if (count_tried(way) > 0) tried.push_back(&way);
  }
  if (tried.empty()) return out;
  for (i64 i = 0; i < isize(ways[0].values); ++i) {
    const bool all = std::all_of(tried.begin(), tried.end(), [i](const Way* way) {
      return !std::isnan(way->values[usize(i)]);
    });
    if (all) out.push_back(i);
  }
  return out;
}

std::vector<RankedWay> rank_ways(std::span<const Way> ways, bool highest,
                                 const BootstrapOptions& options) {
  std::vector<RankedWay> out;
  const f64 sign = highest ? -1 : 1;
  const std::vector<i64> common = common_items(ways);
  std::vector<std::vector<f64>> values(ways.size());  // of the common items
  for (std::size_t w = 0; w < ways.size(); ++w) {
    LM_CHECK(ways[w].values.size() == ways[0].values.size(), "all ways have the same items");
    RankedWay& one = out.emplace_back();
    one.way = static_cast<i64>(w);
    one.tried = count_tried(ways[w]);
    if (one.tried > 0) {
      for (const i64 item : common)
        values[w].push_back(ways[w].values[usize(item)]);
    }
    one.mean = mean_error(values[w]);
    one.infinite =
        std::count_if(values[w].begin(), values[w].end(), [](f64 x) { return std::isinf(x); });
    if (one.infinite > 0) one.mean.standard_error = kNan;
  }
  std::sort(out.begin(), out.end(), [&](const RankedWay& a, const RankedWay& b) {
    if (rank_class(a) != rank_class(b)) return rank_class(a) < rank_class(b);
    if (a.infinite != b.infinite) return a.infinite < b.infinite;
    if (rank_class(a) == 0 && a.mean.mean != b.mean.mean)
      return sign * a.mean.mean < sign * b.mean.mean;
    const Way& x = ways[usize(a.way)];
    const Way& y = ways[usize(b.way)];
    if (x.tie_breaker != y.tie_breaker) return x.tie_breaker < y.tie_breaker;
    return x.name < y.name;
  });
  const auto finite_end = std::find_if(out.begin(), out.end(),
                                       [](const RankedWay& one) { return rank_class(one) > 0; });
  const i64 finite = finite_end - out.begin();
  if (finite == 0) return out;
  const BootstrapDraws draws(isize(common), finite, options,
                             [&](Counts counts, std::span<f64> means) {
                               for (std::size_t r = 0; r < means.size(); ++r)
                                 means[r] = sign * mean_of(values[usize(out[r].way)], counts);
                             });
  for (i64 draw = 0; draw < options.draws; ++draw) {
    i64 best = 0;  // of equal means the one that ranks before
    for (i64 r = 1; r < finite; ++r) {
      if (draws.of(r)[usize(draw)] < draws.of(best)[usize(draw)]) best = r;
    }
    out[usize(best)].p_best += 1 / static_cast<f64>(options.draws);
  }
  for (i64 r = 1; r < finite; ++r)
    out[usize(r)].tied = tied_with(values[usize(out[0].way)], values[usize(out[usize(r)].way)]);
  return out;
}

Foresight foresight(std::span<const f64> scores, std::span<const f64> outcomes, bool highest) {
  LM_CHECK(!scores.empty() && scores.size() == outcomes.size(), "every way has an outcome");
  std::vector<f64> merit;
  for (const f64 score : scores)
    merit.push_back(highest ? score : -score);
  Foresight out;
  out.spearman = spearman(Ranking(merit), Ranking(outcomes));
  out.chosen = std::max_element(merit.begin(), merit.end()) - merit.begin();
  out.outcome = outcomes[usize(out.chosen)];
  out.best = *std::max_element(outcomes.begin(), outcomes.end());
  const MeanError mean = mean_error(outcomes);
  out.mean = mean.mean;
  out.spread = mean.standard_error * std::sqrt(static_cast<f64>(mean.n));
  return out;
}

}  // namespace lm::stat
