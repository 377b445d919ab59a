#pragma once
// Calibrations that might have been, given the one that was made. Private to predict.cc.
//
// Of n calls of a cell (a kind and a size) k were wrong. Their rate has Jeffreys' posterior
// Beta(k + 1/2, n - k + 1/2), drawn as weights: 1 x exponential of every call, Gamma(1/2) of a
// wrong and of a right one that were not seen (Rubin 1981 with what no sample shows). Errors of
// counting have a mean and a variance beside. Weights alone spread a mean of n values as sigma /
// sqrt(n + 1) with sigma of the sample, and never beyond what was seen; the posterior of a normal
// mean is s t(n - 1) / sqrt(n). So draws are stretched about the sample's mean by sqrt((n + 1) / (n
// - 1)) and by a kappa of kappa^2 ~ nu / chi^2(nu), which scales the spread too. Weights vary the
// variance already, by about 2 / (n + 1) of its square where an inverse chi^2 does by 2 / (n - 5):
// nu = n^2 / 6 makes up for what lacks. Jeffreys' half of an unseen error is one of 1, or of the
// spread if that is larger, to the side that errors lie on. tests/unit/flow/coverage_test.cc holds
// intervals to their 95 %.

#include <array>
#include <string_view>
#include <vector>

#include "core/hash.h"
#include "core/random.h"
#include "flow/calibration.h"
#include "flow/predict.h"

namespace lm::flow {

/// Draws one after the other.
class DrawSequence {
 public:
  DrawSequence(u64 seed, std::string_view what)
      : stream_(seed, RandomPurpose::kOther, xxh3_64(what)) {}
  f64 uniform() { return stream_.uniform(at_++); }
  f64 exponential();
  f64 normal();
  /// Gamma(1/2): half the square of a normal draw.
  f64 half();
  i64 below(i64 bound) { return static_cast<i64>(stream_.below(at_++, static_cast<u64>(bound))); }

 private:
  RandomStream stream_;
  u64 at_ = 0;
};

/// Calls of one kind and size.
struct CallCell {
  i64 size = 0;
  std::vector<const CallSample*> samples;
  f64 decode = 0;  // mean tokens
};

/// The calls of a calibration, which outlives this, by kind and ascending size.
class CallCells {
 public:
  /// Pieces without a needle or of no such problem, with one, last calls. Last calls are one kind
  /// of call, whatever the length of their notes.
  static i64 kind_of(bool last, i64 needles) { return last ? 2 : needles > 0 ? 1 : 0; }
  static constexpr i64 kKinds = 3;

  explicit CallCells(const Calibration& calibration);
  Problem problem() const { return problem_; }
  const std::vector<CallCell>& of(i64 kind) const { return kinds_[usize(kind)]; }

  /// The cells around a size, and the weight of the upper one.
  struct Between {
    i64 low = 0, high = 0;
    f64 weight = 0;
    f64 mix(f64 a, f64 b) const { return a + weight * (b - a); }
  };
  Between between(i64 kind, i64 size) const;

 private:
  const Problem problem_;
  std::array<std::vector<CallCell>, kKinds> kinds_;
};

class Posterior {
 public:
  /// varied: a calibration that might have been; else the one that was.
  Posterior(const CallCells& cells, u64 seed, i64 number, bool varied);
  DrawSequence& random() { return random_; }

  /// A call for a piece, from the cells around its size; call null: one that was not seen.
  struct Drawn {
    const CallSample* call = nullptr;
    bool right = false;
    const CallCell* cell = nullptr;
  };
  Drawn sample(i64 kind, i64 size);

  /// Signed error of counting a piece: what calls of its size make of such a count, and the rest
  /// of a sample. Pieces of one text have counts alike, and so have errors that grow with them.
  f64 count_error(const PlannedCall& call);
  /// By how much errors of sorted lists of the right length are larger than those of samples.
  f64 error_scale(i64 size) const;

 private:
  struct State {
    std::vector<f64>
        up_to;  // cumulative weights of samples; then unseen wrong ones, then right ones
    f64 wrong_to = 1;
    // Of errors of counting: mean, at the mean count, what they grow by with it, and the rest.
    f64 mean = 0, count = 0, slope = 0, variance = 0;
    // Of those in the sample: the weighted mean, the variance about it, one that was not seen.
    f64 centre = 0, spread = 0, unseen = 0;
    f64 scale = 1;  // of errors of sorting
  };
  struct Stretch {
    f64 mean = 1;      // of deviations of means
    f64 variance = 1;  // kappa^2
  };
  void weigh(const CallCell& cell, State& state);
  Stretch stretch_of(i64 n);
  void fit_count(const CallCell& cell, const std::vector<f64>& weights, f64 unseen, State& state);
  void fit_sort(const CallCell& cell, const std::vector<f64>& weights, State& state);

  const CallCells& cells_;
  DrawSequence random_;
  const bool varied_;
  std::array<std::vector<State>, CallCells::kKinds> states_;
};

}  // namespace lm::flow
