#pragma once
// What score learns from a training split of answered and judged questions: the probe of p_ik, and
// the training answers that rde, ppl_md and huq compare a new one with.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/types.h"
#include "uq/density.h"

namespace lm::uq {

/// Logistic regression on a state: P(right) = 1 / (1 + exp(-(weight . x + bias))).
struct Probe {
  std::vector<f64> weight;
  f64 bias = 0;
  f64 probability(std::span<const f64> x) const;
};
/// Minimises sum of -t log p - (1 - t) log(1 - p), plus ridge / 2 |w|^2 of the weights of columns
/// scaled to unit deviation, over the rows of x [n, width] with targets t in [0,1]. Newton's method
/// with conjugate gradients; the minimum is unique. A column without deviation has weight 0.
/// ridge > 0; at least one row. O(steps n width).
Probe fit_probe(std::span<const f64> x, i64 width, std::span<const f64> target, f64 ridge);

/// Ranks among training answers.
class TrainingRanks {
 public:
  /// By answer, at least one: perplexity, -mean log p of the greedy answer; distance of its state
  /// from the others', out of fold (cross_distances).
  TrainingRanks(std::vector<f64> perplexity, std::vector<f64> distance);
  const std::vector<f64>& perplexity() const { return perplexity_; }
  const std::vector<f64>& distance() const { return distance_; }
  /// #{training <= x} / n. O(log n).
  f64 perplexity_rank(f64 x) const;
  f64 distance_rank(f64 x) const;
  /// Hybrid score of Vazhentsev et al. 2023 of perplexity p and distance d. Where d is at most the
  /// 95 % quantile of the training distances (in distribution): the rank of p among such training
  /// answers, or among all where p exceeds its own 95 % quantile (ambiguous). Elsewhere the mean of
  /// both ranks. The thresholds are hyper-parameters there.
  f64 hybrid(f64 p, f64 d) const;

 private:
  std::vector<f64> perplexity_, distance_;
  std::vector<f64> by_perplexity_, by_distance_;  // sorted
  std::vector<f64> near_;                         // perplexities in distribution, sorted
  f64 far_ = 0;
  f64 vague_ = 0;
};

struct Fitted {
  i64 width = 0;               // of states
  std::string model, layer;    // whose states, after which layer; empty: not said
  std::optional<Probe> probe;  // on the prompt's last state
  // Of the greedy answers' states:
  std::optional<Gaussian> density;
  std::optional<RobustDensity> robust;
  std::optional<TrainingRanks> ranks;
};

}  // namespace lm::uq
