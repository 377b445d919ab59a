#include "stat/mean.h"

#include <cmath>
#include <limits>

namespace lm::stat {

MeanError mean_error(std::span<const f64> values, Counts counts) {
  MeanError out;
  out.n = counts.total(isize(values));
  f64 sum = 0;
  for (i64 i = 0; i < isize(values); ++i)
    sum += counts[i] * values[usize(i)];
  const f64 n = static_cast<f64>(out.n);
  out.mean = sum / n;
  f64 squares = 0;
  for (i64 i = 0; i < isize(values); ++i)
    squares += counts[i] * (values[usize(i)] - out.mean) * (values[usize(i)] - out.mean);
  out.standard_error =
      out.n > 1 ? std::sqrt(squares / (n - 1) / n) : std::numeric_limits<f64>::quiet_NaN();
  return out;
}

f64 quantile(std::span<const f64> sorted, f64 q) {
  if (sorted.empty()) return std::numeric_limits<f64>::quiet_NaN();
  const f64 at = q * static_cast<f64>(isize(sorted) - 1);
  const i64 below = static_cast<i64>(std::floor(at));
  if (below + 1 >= isize(sorted)) return sorted.back();
  const f64 part = at - static_cast<f64>(below);
  return sorted[usize(below)] + part * (sorted[usize(below + 1)] - sorted[usize(below)]);
}

}  // namespace lm::stat
