#include "stat/rank.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "core/error.h"

namespace lm::stat {

namespace {
constexpr f64 kUndefined = std::numeric_limits<f64>::quiet_NaN();
}  // namespace

i64 Counts::total(i64 n) const {
  if (counts_.empty()) return n;
  LM_CHECK(isize(counts_) == n, "a count per item");
  return std::accumulate(counts_.begin(), counts_.end(), i64{0});
}

Ranking::Ranking(std::span<const f64> scores) : Ranking(scores, true) {}

Ranking Ranking::untied(std::span<const f64> scores) {
  return Ranking(scores, false);
}

Ranking::Ranking(std::span<const f64> scores, bool ties) : order_(scores.size()) {
  LM_CHECK(isize(scores) < std::numeric_limits<i32>::max(), "items are counted in 32 bits");
  LM_CHECK(std::none_of(scores.begin(), scores.end(), [](f64 s) { return std::isnan(s); }),
           "scores that are ranked are numbers");
  std::iota(order_.begin(), order_.end(), 0);
  std::stable_sort(order_.begin(), order_.end(),
                   [&](i32 a, i32 b) { return scores[usize(a)] < scores[usize(b)]; });
  for (i64 i = 1; i <= size(); ++i) {
    const bool last = i == size() || !ties ||
                      scores[usize(order_[usize(i - 1)])] < scores[usize(order_[usize(i)])];
    if (last) ends_.push_back(static_cast<i32>(i));
  }
}

std::vector<f64> mid_ranks(const Ranking& ranking, Counts counts) {
  std::vector<f64> ranks(usize(ranking.size()));
  f64 before = 0;
  for (i64 g = 0; g < ranking.groups(); ++g) {
    f64 size = 0;
    for (const i32 i : ranking.group(g))
      size += counts[i];
    for (const i32 i : ranking.group(g))
      ranks[usize(i)] = before + (size + 1) / 2;
    before += size;
  }
  return ranks;
}

f64 pearson(std::span<const f64> x, std::span<const f64> y, Counts counts) {
  LM_CHECK(x.size() == y.size(), "both sides have the same items");
  f64 n = 0;
  f64 mean_x = 0;
  f64 mean_y = 0;
  for (i64 i = 0; i < isize(x); ++i) {
    n += counts[i];
    mean_x += counts[i] * x[usize(i)];
    mean_y += counts[i] * y[usize(i)];
  }
  mean_x /= n;
  mean_y /= n;
  f64 xx = 0;
  f64 yy = 0;
  f64 xy = 0;
  for (i64 i = 0; i < isize(x); ++i) {
    const f64 dx = x[usize(i)] - mean_x;
    const f64 dy = y[usize(i)] - mean_y;
    xx += counts[i] * dx * dx;
    yy += counts[i] * dy * dy;
    xy += counts[i] * dx * dy;
  }
  if (!(xx > 0) || !(yy > 0)) return kUndefined;
  return xy / std::sqrt(xx * yy);
}

f64 spearman(const Ranking& x, const Ranking& y, Counts counts) {
  return pearson(mid_ranks(x, counts), mid_ranks(y, counts), counts);
}

namespace {

// Sums of prefixes of a growing table (Fenwick).
class PrefixSums {
 public:
  explicit PrefixSums(i64 n) : tree_(usize(n + 1), 0.0) {}
  void add(i64 at, f64 value) {
    total_ += value;
    for (i64 i = at + 1; i < isize(tree_); i += i & -i)
      tree_[usize(i)] += value;
  }
  /// Sum of what stands before `end`.
  f64 before(i64 end) const {
    f64 sum = 0;
    for (i64 i = end; i > 0; i -= i & -i)
      sum += tree_[usize(i)];
    return sum;
  }
  f64 total() const { return total_; }

 private:
  std::vector<f64> tree_;
  f64 total_ = 0;
};

f64 pairs_of(f64 n) {
  return n * (n - 1) / 2;
}

f64 tied_pairs(const Ranking& ranking, Counts counts) {
  f64 tied = 0;
  for (i64 g = 0; g < ranking.groups(); ++g) {
    f64 size = 0;
    for (const i32 i : ranking.group(g))
      size += counts[i];
    tied += pairs_of(size);
  }
  return tied;
}

}  // namespace

PairCounts count_pairs(const Ranking& x, const Ranking& y, Counts counts) {
  LM_CHECK(x.size() == y.size(), "both sides have the same items");
  std::vector<i32> y_group(usize(y.size()));
  for (i64 g = 0; g < y.groups(); ++g) {
    for (const i32 i : y.group(g))
      y_group[usize(i)] = static_cast<i32>(g);
  }
  PairCounts out;
  PrefixSums seen(y.groups());
  for (i64 g = 0; g < x.groups(); ++g) {
    for (const i32 i : x.group(g)) {
      const i64 at = y_group[usize(i)];
      out.concordant += counts[i] * seen.before(at);
      out.discordant += counts[i] * (seen.total() - seen.before(at + 1));
    }
    for (const i32 i : x.group(g))
      seen.add(y_group[usize(i)], counts[i]);
  }
  out.pairs = pairs_of(static_cast<f64>(counts.total(x.size())));
  out.tied_x = tied_pairs(x, counts);
  out.tied_y = tied_pairs(y, counts);
  return out;
}

f64 kendall(const Ranking& x, const Ranking& y, Counts counts) {
  const PairCounts p = count_pairs(x, y, counts);
  const f64 scale = std::sqrt(p.pairs - p.tied_x) * std::sqrt(p.pairs - p.tied_y);
  return scale > 0 ? (p.concordant - p.discordant) / scale : kUndefined;
}

f64 reversed_pairs(const Ranking& uncertainty, const Ranking& quality, Counts counts) {
  const PairCounts p = count_pairs(uncertainty, quality, counts);
  return p.pairs > 0 ? p.concordant / p.pairs : kUndefined;
}

RisingShare rising_share(std::span<const f64> scores, i64 conditions, Counts counts) {
  LM_CHECK(conditions >= 2 && isize(scores) % conditions == 0, "whole rows of two or more scores");
  f64 rising = 0;
  f64 tied = 0;
  f64 n = 0;
  RisingShare out;
  for (i64 item = 0; item < isize(scores) / conditions; ++item) {
    const std::span<const f64> row = scores.subspan(usize(item * conditions), usize(conditions));
    if (std::any_of(row.begin(), row.end(), [](f64 s) { return std::isnan(s); })) continue;
    out.items += counts[item];
    n += counts[item];
    if (std::adjacent_find(row.begin(), row.end(), std::greater_equal<>()) == row.end())
      rising += counts[item];
    if (std::adjacent_find(row.begin(), row.end()) != row.end()) tied += counts[item];
  }
  out.percent = n > 0 ? 100 * rising / n : kUndefined;
  out.tied_percent = n > 0 ? 100 * tied / n : kUndefined;
  out.chance_percent = 100;
  for (i64 k = 2; k <= conditions; ++k)
    out.chance_percent /= static_cast<f64>(k);
  return out;
}

}  // namespace lm::stat
