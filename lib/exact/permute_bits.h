#pragma once
// Exact learning of a permutation of bits. A two-layer ReLU network is trained on the k one-hot
// vectors alone, each with its permuted one-hot vector as target; then it is given inputs with
// several ones, scaled to length 1. In the limit of infinite width its outputs are Gaussian, with a
// mean above 0 where the permuted bit is one and below where it is zero; so the mean of enough
// networks, rounded at 0, is exact for inputs that none of them has seen.
//
// f(x) = (1/sqrt h) W2 relu((1/sqrt k) W1 x), entries N(0, 1), no biases (kNtk); or W2 relu(W1 x +
// b1) + b2, entries N(0, 1/fan in), biases zero at first (kStandard), whose last layer learns the
// faster the wider it is.

#include <vector>

#include "core/types.h"

namespace lm::exact {

enum class Scaling : u8 { kNtk, kStandard };

struct BitsTask {
  i64 k = 10;    // bits
  i64 ones = 2;  // of a test input, 1 to k
  Scaling scaling = Scaling::kNtk;
  i64 width = 50000;  // of the hidden layer; formulas of kNtk do not depend on it
};

/// Of an output of a trained network on an input that it has not seen.
struct BitMoments {
  f64 on = 0;        // mean where the permuted bit is one, > 0
  f64 off = 0;       // where it is zero, <= 0, and 0 for inputs with one bit
  f64 variance = 0;  // the same for both
};

/// Closed form, infinite width, training to the end. O(k).
BitMoments moments(const BitsTask& task);

/// Probability that the mean of n networks is right in all outputs of an input.
f64 right_share(const BitsTask& task, i64 n);
/// The smallest n whose right_share is at least `share`, at most `most`; most + 1 if none is.
i64 ensemble_size(const BitsTask& task, f64 share, i64 most = 1'000'000);

/// The mean of the first networks of an ensemble on the test inputs.
struct EnsemblePoint {
  i64 networks = 0;
  f64 accuracy = 0;  // share of inputs with all outputs right
  f64 mse = 0;       // of the mean to 1/sqrt(ones) at ones and 0 elsewhere
  f64 on = 0;        // means over inputs and outputs
  f64 off = 0;
};

struct EnsembleResult {
  std::vector<EnsemblePoint> points;  // after 1, 2, 3, ... networks
  f64 on_error = 0;                   // standard errors of the last `on` and `off` over networks
  f64 off_error = 0;
  f64 variance = 0;      // of an output over networks, mean over inputs and outputs
  i64 steps = 0;         // of gradient descent, the most that a network took
  f64 training_mse = 0;  // the worst
  /// The first number of networks from which on the accuracy stays at least `share` for ten more;
  /// 0 if there is none.
  i64 enough(f64 share) const;
};

struct EnsembleOptions {
  i64 networks = 100;
  i64 inputs = 1000;  // distinct test inputs at most; all where there are no more
  u64 seed = 0;
};

/// Networks of infinite width: their outputs are drawn together for all test inputs. O(inputs^3 +
/// networks k inputs^2). Throws Error{kUsage} for more than 4096 inputs.
EnsembleResult draw_ensemble(const BitsTask& task, const EnsembleOptions& options);

/// Networks of the task's width under gradient descent until the squared error is below 1e-6.
/// Throws Error{kData} if one does not get there in 100,000 steps.
EnsembleResult train_ensemble(const BitsTask& task, const EnsembleOptions& options);

}  // namespace lm::exact
