#pragma once
// Means with their standard errors, and quantiles. Pure functions.

#include <span>

#include "core/types.h"
#include "stat/rank.h"

namespace lm::stat {

/// The mean of n values and the standard error of that mean: sample standard deviation / sqrt(n).
/// NaN where undefined: the mean of nothing, the error of fewer than two.
struct MeanError {
  f64 mean = 0;
  f64 standard_error = 0;
  i64 n = 0;
};
/// Two passes in f64. With counts the statistics of the resample.
MeanError mean_error(std::span<const f64> values, Counts counts = {});

/// The q-quantile, 0 <= q <= 1, of sorted values: linear between neighbours at q (n - 1). NaN of
/// nothing.
f64 quantile(std::span<const f64> sorted, f64 q);

}  // namespace lm::stat
