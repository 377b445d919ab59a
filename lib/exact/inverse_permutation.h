#pragma once
// Undoing a permutation that is given in the prompt, in one pass. Rows of the prompt: a permutation
// matrix P [d, d], whose row i is one at pi(i), then the permuted text Y_P = P Y, Y [d, d] of
// random bits; wanted is Y. An attention-only transformer with a stream that layers append to: h0 =
// [X, one place], h = [h, softmax(mask(h A h^T)) h], and a linear read-out of d of its rows.
//
// A causal one cannot do it at the prompt's own rows at any depth: row d + i sees the first i rows
// of Y_P only. Without the mask, or with d empty rows behind the prompt (scratch), two layers
// suffice. This is about reading the answer at rows of the prompt in one pass: a model that writes
// its answer token by token has the rows that it writes.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/types.h"

namespace lm::exact {

enum class Readout : u8 { kPermutation, kText, kScratch };  // rows of P, of Y_P, behind them

struct InverseTask {
  i64 d = 6;
  i64 scratch = 0;     // rows behind the prompt
  bool causal = true;  // rows see those before them and themselves
  Readout readout = Readout::kPermutation;
  i64 rows() const { return 2 * d + scratch; }
};

/// Squared error per bit that nothing can go below: a read-out that sees none, a part, or all of
/// the text; 0 without a mask.
f64 floor_of(const InverseTask& task);
/// Share of bits that the best guesses get right: 1/2, (3d + 1)/(4d), or 1.
f64 ceiling_of(const InverseTask& task);

struct InverseScore {
  f64 mse = 0;    // per bit
  f64 bits = 0;   // share of bits right, rounded at 1/2
  f64 exact = 0;  // share of texts with all bits right
  i64 texts = 0;
};

/// Its weights: A of both layers, the read-out.
class InverseModel {
 public:
  /// Throws Error{kUsage} for a read-out of scratch rows that are not there, or d out of 1..64.
  explicit InverseModel(const InverseTask& task);
  ~InverseModel();
  InverseModel(InverseModel&&) noexcept;

  const InverseTask& task() const;
  /// Weights that solve the task exactly: layer 1 lets row d + i see row i, layer 2 lets the j-th
  /// read-out row see the i with pi(i) = j. Throws Error{kUsage} for a causal task that is read at
  /// rows of the prompt: there are none.
  void construct();

  struct TrainOptions {
    i64 batch = 256;
    i64 steps = 2000;
    f64 lr = 0.01;  // falls to 0 linearly; Adam
    u64 seed = 0;
  };
  /// report: after every so many steps, with the mean squared error per bit since the last time.
  void train(const TrainOptions& options, i64 every,
             const std::function<void(i64 step, f64 mse)>& report);

  /// Of `texts` random texts and permutations. noise: scratch rows hold random numbers.
  InverseScore score(i64 texts, u64 seed, bool noise = false) const;
  /// Of all d! permutations, each with a random text. Throws Error{kUsage} for d above 8.
  InverseScore score_all(u64 seed) const;

  /// Weights as safetensors. Throws Error{kCannotCreate, kIo}.
  void save(const std::string& path) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lm::exact
