#pragma once
// Percentile bootstrap over items. All statistics of a draw are computed from one vector of counts,
// so that labels and scores stay together and differences between statistics are paired. Draws are
// a function of (seed, draw, item): results do not depend on threads. Source: Efron and Tibshirani
// 1993, chapters 13 and 16.

#include <functional>
#include <span>
#include <vector>

#include "core/types.h"
#include "stat/rank.h"

namespace lm::stat {

struct BootstrapOptions {
  i64 draws = 1000;
  u64 seed = 0;
};

/// How often each of counts.size() items is drawn in resample number `draw`, as many draws as
/// items.
void resample(u64 seed, i64 draw, std::span<u32> counts);

/// Values of several statistics in every draw.
class BootstrapDraws {
 public:
  /// compute(counts, out) fills a value per statistic; it runs on several threads at once.
  BootstrapDraws(i64 items, i64 statistics, const BootstrapOptions& options,
                 const std::function<void(Counts counts, std::span<f64> out)>& compute);
  /// [draws] of one statistic.
  std::span<const f64> of(i64 statistic) const {
    return std::span(values_).subspan(usize(statistic * draws_), usize(draws_));
  }

 private:
  i64 draws_;
  std::vector<f64> values_;  // [statistics, draws]
};

struct Interval {
  f64 low = 0;  // NaN without a defined draw
  f64 high = 0;
  i64 defined = 0;  // draws in which the statistic was defined
};
/// The middle `level` of the draws that are numbers, by linear quantiles.
Interval percentile_interval(std::span<const f64> draws, f64 level = 0.95);
/// The same for a - b, draw by draw.
Interval difference_interval(std::span<const f64> a, std::span<const f64> b, f64 level = 0.95);

}  // namespace lm::stat
