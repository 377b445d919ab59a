#include "stat/choice.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace lm::stat {

namespace {

constexpr f64 kNan = std::numeric_limits<f64>::quiet_NaN();

/// Mean over the items that are there, each as often as counts say.
f64 mean_of(std::span<const f64> values, Counts counts) {
  f64 sum = 0;
  i64 n = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i]) || counts[i] == 0) continue;
    sum += values[i] * counts[i];
    n += counts[i];
  }
  return n > 0 ? sum / static_cast<f64>(n) : kNan;
}

std::vector<f64> present(std::span<const f64> values) {
  std::vector<f64> out;
  std::copy_if(values.begin(), values.end(), std::back_inserter(out),
               [](f64 x) { return !std::isnan(x); });
  return out;
}

bool tied_with(const Way& first, const Way& other) {
  std::vector<f64> differences;
  for (std::size_t i = 0; i < first.values.size(); ++i)
    differences.push_back(other.values[i] - first.values[i]);
  const MeanError d = mean_error(present(differences));
  if (!std::isfinite(d.mean) && d.n > 0) return false;  // one of them never answers
  return d.n < 2 || std::fabs(d.mean) <= 2 * d.standard_error;
}

}  // namespace

std::vector<RankedWay> rank_ways(std::span<const Way> ways, bool highest,
                                 const BootstrapOptions& options) {
  std::vector<RankedWay> out;
  const f64 sign = highest ? -1 : 1;
  for (std::size_t w = 0; w < ways.size(); ++w) {
    LM_CHECK(ways[w].values.size() == ways[0].values.size(), "all ways have the same items");
    RankedWay& one = out.emplace_back();
    one.way = static_cast<i64>(w);
    one.mean = mean_error(present(ways[w].values));
  }
  std::sort(out.begin(), out.end(), [&](const RankedWay& a, const RankedWay& b) {
    const Way& x = ways[usize(a.way)];
    const Way& y = ways[usize(b.way)];
    const f64 mean_a = sign * a.mean.mean;
    const f64 mean_b = sign * b.mean.mean;
    if (std::isnan(mean_a) != std::isnan(mean_b)) return std::isnan(mean_b);
    if (!std::isnan(mean_a) && mean_a != mean_b) return mean_a < mean_b;
    if (x.tie_breaker != y.tie_breaker) return x.tie_breaker < y.tie_breaker;
    return x.name < y.name;
  });
  if (out.empty()) return out;
  const BootstrapDraws draws(isize(ways[0].values), isize(ways), options,
                             [&](Counts counts, std::span<f64> means) {
                               for (std::size_t r = 0; r < out.size(); ++r)
                                 means[r] = sign * mean_of(ways[usize(out[r].way)].values, counts);
                             });
  for (i64 draw = 0; draw < options.draws; ++draw) {
    i64 best = -1;  // of equal means the one that ranks before
    for (i64 r = 0; r < isize(out); ++r) {
      const f64 mean = draws.of(r)[usize(draw)];
      if (!std::isnan(mean) && (best < 0 || mean < draws.of(best)[usize(draw)])) best = r;
    }
    if (best >= 0) out[usize(best)].p_best += 1 / static_cast<f64>(options.draws);
  }
  for (std::size_t r = 1; r < out.size(); ++r)
    out[r].tied = tied_with(ways[usize(out[0].way)], ways[usize(out[r].way)]);
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
