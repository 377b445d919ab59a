#include "uq/ensemble.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "uq/meaning.h"

namespace lm::uq {

namespace {

constexpr i64 kMostTop = 15;

/// Entropy of the first k of `falling`, normalised.
f64 top_entropy(std::span<const f64> falling, i64 k) {
  const std::span<const f64> top = falling.first(std::min(falling.size(), usize(k)));
  f64 all = 0;
  for (const f64 p : top)
    all += p;
  f64 entropy = 0;
  for (const f64 p : top) {
    if (p > 0) entropy -= p / all * std::log(p / all);
  }
  return entropy;
}

}  // namespace

std::optional<EnsembleMeasures> ensemble_measures(const Table& table, std::span<const i64> tokens,
                                                  Posterior posterior) {
  if (table.empty() || table.shape[1] == 0 || table.shape[2] == 0) return std::nullopt;
  const i64 members = table.shape[0];
  const i64 length = table.shape[1];
  const i64 vocab = table.shape[2];
  const bool equal = posterior == Posterior::kProductOfExpectations;
  if (!equal && (isize(tokens) != length || std::any_of(tokens.begin(), tokens.end(), [&](i64 id) {
                   return id < 0 || id >= vocab;
                 })))
    return std::nullopt;
  const f64 k = static_cast<f64>(members);
  const auto logp_of = [&](i64 member, i64 t, i64 v) {
    return table.values[usize((member * length + t) * vocab + v)];
  };
  EnsembleMeasures out;
  std::vector<f64> before(usize(members), 0.0);  // log-probability of the tokens before
  std::vector<f64> weight(usize(members), 0.0);
  std::vector<f64> mean(usize(vocab), 0.0);
  std::array<f64, kMostTop> top{};
  for (i64 t = 0; t < length; ++t) {
    const f64 all = log_sum_exp(before);
    f64 squares = 0;
    for (i64 i = 0; i < members; ++i) {
      weight[usize(i)] = std::exp(before[usize(i)] - all);
      squares += weight[usize(i)] * weight[usize(i)];
    }
    const f64 pairs = 1 - squares;  // weight of two different members; none where one has it all
    for (i64 v = 0; v < vocab; ++v) {
      f64 mean_p = 0;
      f64 p_log_p = 0;
      f64 log_sum = 0;
      for (i64 i = 0; i < members; ++i) {
        const f64 logp = logp_of(i, t, v);
        const f64 p = std::exp(logp);
        const f64 w = equal ? 1 : weight[usize(i)];
        mean_p += equal ? p / k : p * w;
        p_log_p += p * logp * w;
        log_sum += logp * w;
      }
      mean[usize(v)] = mean_p;
      if (mean_p > 0) out.total -= mean_p * std::log(mean_p);
      out.data -= equal ? p_log_p / k : p_log_p;
      // sum over pairs of p_i (log p_i - log p_j), equal pairs add nothing.
      if (members > 1 && equal)
        out.pairwise += (k * p_log_p - k * mean_p * log_sum) / (k * (k - 1));
      if (!equal && pairs > 1e-12) out.pairwise += (p_log_p - mean_p * log_sum) / pairs;
    }
    const auto end =
        std::partial_sort_copy(mean.begin(), mean.end(), top.begin(), top.end(), std::greater<>());
    const std::span<const f64> falling(top.begin(), end);
    out.top5 += top_entropy(falling, 5);
    out.top10 += top_entropy(falling, 10);
    out.top15 += top_entropy(falling, 15);
    if (equal) continue;
    for (i64 i = 0; i < members; ++i)
      before[usize(i)] += logp_of(i, t, tokens[usize(t)]);
  }
  for (f64* value : {&out.total, &out.data, &out.pairwise, &out.top5, &out.top10, &out.top15})
    *value /= static_cast<f64>(length);
  if (members < 2) out.pairwise = std::numeric_limits<f64>::quiet_NaN();
  return out;
}

}  // namespace lm::uq
