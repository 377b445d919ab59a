#include "flow/error_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace lm::flow {

f64 folded_mean(f64 mean, f64 sd) {
  if (!(sd > 0)) return std::abs(mean);
  const f64 z = mean / sd;
  return sd * std::sqrt(2 / M_PI) * std::exp(-z * z / 2) + mean * std::erf(z / std::sqrt(2.0));
}

f64 folded_sd(f64 mean, f64 sd) {
  const f64 folded = folded_mean(mean, sd);
  return std::sqrt(std::max(0.0, mean * mean + sd * sd - folded * folded));
}

SumError sum_error(i64 k, f64 mu, f64 v) {
  const f64 n = static_cast<f64>(k);
  return {n * mu, std::sqrt(n * v)};
}

f64 sum_bound(std::span<const f64> errors) {
  f64 out = 0;
  for (const f64 e : errors)
    out += std::abs(e);
  return out;
}

f64 merge_max_bound(std::span<const f64> errors) {
  return errors.empty() ? 0 : *std::max_element(errors.begin(), errors.end());
}

f64 merge_mean_bound(std::span<const f64> errors, std::span<const i64> lengths) {
  LM_CHECK(errors.size() == lengths.size(), "an error per list");
  f64 sum = 0;
  f64 all = 0;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    sum += errors[i] * static_cast<f64>(lengths[i]);
    all += static_cast<f64>(lengths[i]);
  }
  return all > 0 ? sum / all : 0;
}

f64 any_of(f64 h, i64 k) {
  return -std::expm1(static_cast<f64>(k) * std::log1p(-h));
}

f64 retrieval_error(f64 miss, f64 h, i64 holding, i64 k) {
  LM_CHECK(holding >= 0 && holding <= k, "some of the pieces hold the target");
  const i64 others = k - holding;
  // P(exactly one of the pieces finds it); two or more outvote values that stand alone.
  const f64 found = 1 - miss;
  const f64 one = static_cast<f64>(holding) * found * std::pow(miss, holding - 1);
  const f64 none = std::pow(miss, holding);
  if (holding == 0) return 1;
  // E[1 / (1 + rivals)], rivals binomial.
  const f64 share = h > 0 ? any_of(h, others + 1) / (static_cast<f64>(others + 1) * h) : 1;
  return none + one * (1 - share);
}

f64 union_bound(std::span<const f64> rates) {
  return std::min(1.0, std::accumulate(rates.begin(), rates.end(), 0.0));
}

f64 majority_error(f64 a, i64 q) {
  if (a <= 0) return 1;
  if (a >= 1) return 0;
  f64 out = 0;
  const f64 n = static_cast<f64>(q);
  for (i64 right = 0; 2 * right <= q; ++right) {
    const f64 r = static_cast<f64>(right);
    const f64 p = std::exp(std::lgamma(n + 1) - std::lgamma(r + 1) - std::lgamma(n - r + 1) +
                           r * std::log(a) + (n - r) * std::log1p(-a));
    out += 2 * right == q ? p / 2 : p;
  }
  return out;
}

f64 majority_bound(f64 a, i64 q) {
  if (a <= 0.5) return 1;
  return std::exp(-2 * static_cast<f64>(q) * (a - 0.5) * (a - 0.5));
}

TreeShape tree_shape(i64 k, i64 arity) {
  LM_CHECK(arity >= 2, "a reduction makes fewer of many");
  TreeShape out;
  while (k > 1) {
    const i64 groups = (k + arity - 1) / arity;
    // A group of one goes up as it is.
    out.merges += groups - (k % arity == 1 ? 1 : 0);
    ++out.depth;
    k = groups;
  }
  return out;
}

f64 tree_sum_error(i64 k, i64 arity, f64 leaf, f64 merge) {
  return static_cast<f64>(k) * leaf + static_cast<f64>(tree_shape(k, arity).merges) * merge;
}

f64 tree_max_error(i64 k, i64 arity, f64 leaf, f64 merge) {
  return leaf + static_cast<f64>(tree_shape(k, arity).depth) * merge;
}

i64 piece_count(i64 n, i64 m, i64 stride) {
  if (m <= 0 || m >= n) return 1;
  LM_CHECK(stride >= 1, "pieces advance");
  return 1 + (n - m + stride - 1) / stride;
}

}  // namespace lm::flow
