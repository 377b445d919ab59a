#pragma once
// Order statistics: scores sorted once, after which every statistic of a resample costs O(n).
// A resample is a count per item (Counts), not a copy of the data: the same counts applied to
// several score vectors make paired statistics. Undefined values are NaN. Scores may be infinite,
// never NaN. Pure functions, safe to call concurrently.

#include <span>
#include <vector>

#include "core/types.h"

namespace lm::stat {

/// How often each item occurs; empty: once each.
class Counts {
 public:
  Counts() = default;
  Counts(std::span<const u32> counts) : counts_(counts) {}     // NOLINT: implicit by design
  Counts(const std::vector<u32>& counts) : counts_(counts) {}  // NOLINT: implicit by design
  u32 operator[](i64 i) const { return counts_.empty() ? 1u : counts_[usize(i)]; }
  /// Sum over n items.
  i64 total(i64 n) const;

 private:
  std::span<const u32> counts_;
};

/// Items in ascending order of their score, equal scores in one group.
class Ranking {
 public:
  /// O(n log n). Throws Error{kInternal} for a NaN.
  explicit Ranking(std::span<const f64> scores);
  /// Every item a group of its own, equal scores in input order: what programs compute that forget
  /// about ties.
  static Ranking untied(std::span<const f64> scores);

  i64 size() const { return isize(order_); }
  i64 groups() const { return isize(ends_); }
  /// The items of group g, in input order.
  std::span<const i32> group(i64 g) const {
    const i64 begin = g == 0 ? 0 : ends_[usize(g - 1)];
    return std::span(order_).subspan(usize(begin), usize(ends_[usize(g)] - begin));
  }

 private:
  Ranking(std::span<const f64> scores, bool ties);
  std::vector<i32> order_;
  std::vector<i32> ends_;
};

/// Ranks from 1, equal scores share the mean of theirs; in the order of the items.
std::vector<f64> mid_ranks(const Ranking& ranking, Counts counts = {});

/// Product-moment correlation. NaN for a constant side or fewer than two items.
f64 pearson(std::span<const f64> x, std::span<const f64> y, Counts counts = {});
/// Pearson of the mid-ranks.
f64 spearman(const Ranking& x, const Ranking& y, Counts counts = {});

/// Pairs of items by the order of their two scores. Copies of one item are tied in both.
struct PairCounts {
  f64 pairs = 0;
  f64 concordant = 0;  // both scores differ, in the same direction
  f64 discordant = 0;
  f64 tied_x = 0;  // equal x (equal y or not)
  f64 tied_y = 0;
};
/// O(n log n) by a binary indexed tree over y.
PairCounts count_pairs(const Ranking& x, const Ranking& y, Counts counts = {});
/// Kendall's tau-b: (concordant - discordant) / sqrt((pairs - tied_x)(pairs - tied_y)).
f64 kendall(const Ranking& x, const Ranking& y, Counts counts = {});
/// Share of pairs in which the item of larger uncertainty is the better one.
f64 reversed_pairs(const Ranking& uncertainty, const Ranking& quality, Counts counts = {});

/// Whether a score rises with an ordered condition (a temperature): 100 x the share of items whose
/// scores strictly increase. Source: TSU of Inv-Entropy (Song et al. 2025).
struct RisingShare {
  f64 percent = 0;         // NaN without items
  f64 tied_percent = 0;    // items with at least two equal neighbours
  f64 chance_percent = 0;  // 100 / m!, of scores without ties in random order
  i64 items = 0;
};
/// scores: [items, conditions], row by row; rows with a NaN are left out. conditions >= 2.
RisingShare rising_share(std::span<const f64> scores, i64 conditions, Counts counts = {});

}  // namespace lm::stat
