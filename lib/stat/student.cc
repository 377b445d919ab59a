#include "stat/student.h"

#include <cmath>

#include "core/error.h"

namespace lm::stat {
namespace {

constexpr f64 kPi = 3.14159265358979323846;

/// P(|T| < t), by the finite sums for whole degrees (Abramowitz and Stegun 26.7.3, 26.7.4).
f64 within(f64 t, i64 degrees) {
  const f64 angle = std::atan(t / std::sqrt(static_cast<f64>(degrees)));
  const f64 c = std::cos(angle);
  const bool odd = degrees % 2 == 1;
  f64 sum = 0;
  f64 term = odd ? c : 1;
  for (i64 k = odd ? 3 : 2; k <= degrees; k += 2) {
    sum += term;
    term *= c * c * static_cast<f64>(k - 1) / static_cast<f64>(k);
  }
  if (!odd) return std::sin(angle) * sum;
  return 2 / kPi * (angle + std::sin(angle) * sum);
}

}  // namespace

f64 student_quantile(f64 p, i64 degrees) {
  LM_CHECK(p >= 0.5 && p < 1 && degrees >= 1, "a quantile above the median");
  const f64 wanted = 2 * p - 1;
  f64 low = 0, high = 1;
  while (within(high, degrees) < wanted)
    high *= 2;
  for (int i = 0; i < 100; ++i) {
    const f64 middle = (low + high) / 2;
    (within(middle, degrees) < wanted ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace lm::stat
