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

EnsembleMeter::EnsembleMeter(i64 members, Posterior posterior)
    : posterior_(posterior), before_(usize(members), 0.0), weight_(usize(members), 0.0) {}

void EnsembleMeter::add(std::span<const std::span<const f64>> logp, i64 token) {
  const i64 members = isize(before_);
  const i64 vocab = isize(logp[0]);
  const bool equal = posterior_ == Posterior::kProductOfExpectations;
  const f64 k = static_cast<f64>(members);
  const f64 all = log_sum_exp(before_);
  f64 squares = 0;
  for (i64 i = 0; i < members; ++i) {
    weight_[usize(i)] = std::exp(before_[usize(i)] - all);
    squares += weight_[usize(i)] * weight_[usize(i)];
  }
  const f64 pairs = 1 - squares;  // weight of two different members; none where one has it all
  mean_.resize(usize(vocab));
  for (i64 v = 0; v < vocab; ++v) {
    f64 mean_p = 0;
    f64 p_log_p = 0;
    f64 log_sum = 0;
    for (i64 i = 0; i < members; ++i) {
      const f64 log_p = logp[usize(i)][usize(v)];
      const f64 p = std::exp(log_p);
      const f64 w = equal ? 1 : weight_[usize(i)];
      mean_p += equal ? p / k : p * w;
      p_log_p += p * log_p * w;
      log_sum += log_p * w;
    }
    mean_[usize(v)] = mean_p;
    if (mean_p > 0) sum_.total -= mean_p * std::log(mean_p);
    sum_.data -= equal ? p_log_p / k : p_log_p;
    // sum over pairs of p_i (log p_i - log p_j), equal pairs add nothing.
    if (members > 1 && equal) sum_.pairwise += (k * p_log_p - k * mean_p * log_sum) / (k * (k - 1));
    if (!equal && pairs > 1e-12) sum_.pairwise += (p_log_p - mean_p * log_sum) / pairs;
  }
  std::array<f64, kMostTop> top{};
  const auto end =
      std::partial_sort_copy(mean_.begin(), mean_.end(), top.begin(), top.end(), std::greater<>());
  const std::span<const f64> falling(top.begin(), end);
  sum_.top5 += top_entropy(falling, 5);
  sum_.top10 += top_entropy(falling, 10);
  sum_.top15 += top_entropy(falling, 15);
  ++tokens_;
  if (equal) return;
  for (i64 i = 0; i < members; ++i)
    before_[usize(i)] += logp[usize(i)][usize(token)];
}

EnsembleMeasures EnsembleMeter::measures() const {
  EnsembleMeasures out = sum_;
  for (f64* value : {&out.total, &out.data, &out.pairwise, &out.top5, &out.top10, &out.top15})
    *value /= static_cast<f64>(tokens_);
  if (before_.size() < 2) out.pairwise = std::numeric_limits<f64>::quiet_NaN();
  return out;
}

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
  EnsembleMeter meter(members, posterior);
  std::vector<std::span<const f64>> rows(usize(members));
  for (i64 t = 0; t < length; ++t) {
    for (i64 i = 0; i < members; ++i)
      rows[usize(i)] =
          std::span(table.values).subspan(usize((i * length + t) * vocab), usize(vocab));
    meter.add(rows, equal ? 0 : tokens[usize(t)]);
  }
  return meter.measures();
}

}  // namespace lm::uq
