#pragma once
// Whether stated probabilities hold, and the monotone map that makes probabilities of scores.
// Targets are 0/1 or a quality in [0,1]. NaN where undefined. Pure functions.

#include <span>
#include <vector>

#include "core/types.h"
#include "stat/rank.h"

namespace lm::stat {

/// Gaps |mean probability - mean target| of bins: weighted by size (ECE), and the largest (MCE).
/// Source: Naeini et al. 2015; Guo et al. 2017.
struct CalibrationError {
  f64 expected = 0;
  f64 largest = 0;
};
/// Bins ((b-1)/bins, b/bins]; probability 0 belongs to the first. Probabilities lie in [0,1].
CalibrationError calibration_equal_width(std::span<const f64> probability,
                                         std::span<const f64> target, i64 bins, Counts counts = {});
/// Bins of about n/bins items in the order of their probability; equal ones are not parted.
/// ranking: of probability.
CalibrationError calibration_equal_mass(const Ranking& ranking, std::span<const f64> probability,
                                        std::span<const f64> target, i64 bins, Counts counts = {});

/// Mean squared difference of probability and target (Brier 1950).
f64 brier(std::span<const f64> probability, std::span<const f64> target, Counts counts = {});

/// Least-squares fit of the target that never rises with the score: pool adjacent violators over
/// tie groups. Source: Barlow et al. 1972.
class FallingFit {
 public:
  /// scores as ranked by ranking. O(n). Items of count 0 do not take part.
  FallingFit(const Ranking& ranking, std::span<const f64> scores, std::span<const f64> target,
             Counts counts = {});
  bool empty() const { return knots_.empty(); }
  /// The fitted value at a score of the data; linear between scores, constant beyond them. NaN for
  /// an empty fit.
  f64 at(f64 score) const;

 private:
  std::vector<f64> knots_;  // ascending scores
  std::vector<f64> values_;
};

/// Brier score of the fit on its own data: optimistic, as published.
f64 brier_fit(const Ranking& ranking, std::span<const f64> scores, std::span<const f64> target,
              Counts counts = {});
/// The same with each item judged by a fit without its fold. fold_of: a fold in [0, folds) per
/// item; copies of an item share a fold. NaN if a fold leaves nothing to fit.
f64 brier_cross_fit(const Ranking& ranking, std::span<const f64> scores,
                    std::span<const f64> target, std::span<const u8> fold_of, i64 folds,
                    Counts counts = {});
/// A balanced random assignment of n items to folds, a function of the seed.
std::vector<u8> random_folds(i64 n, i64 folds, u64 seed);

}  // namespace lm::stat
