#pragma once
// Inv-Entropy and its family: how much an answer tells about the wording it answers. n wordings
// (the original and its perturbations), similarity of wordings S^x and of answers S^y, rows divided
// by their sums to P_x and P_y, uniform prior. Natural logarithms. Source: Song et al. 2025; where
// paper and program differ both stand here.
//
// Three things to know. (1) Inv-Entropy is not monotone: -p ln p falls for p > 1/e, so it drops
// when all answers differ and the wordings are few or unlike. `nonmonotone` says that this can have
// happened; inv_trace has no such fold. (2) Wordings that are all alike carry no information: the
// value is ln n whatever the answers. (3) P_x is stochastic by rows and not symmetric.

#include <span>
#include <vector>

#include "core/types.h"
#include "uq/similarity.h"

namespace lm::uq {

/// Of one answer per wording, or means of these over draws.
struct InverseMeasures {
  f64 inv_entropy = 0;  // -sum p_i ln p_i, p_i = P(x_i|y_i) = (P_y P_x)[i,i]
  f64 ni_entropy = 0;   // the same of q_i = P(y_i|x_i)
  f64 wd_px_py = 0;     // mean |sorted P(X) - sorted P(Y)|, as in the program: between value sets
  f64 inv_max_pyx = 0;  // max q_i (paper)
  f64 inv_max_py = 0;   // max P(Y = y_j) (program)
  f64 inv_trace = 0;    // tr(P_y P_x)
  f64 inv_dual = 0;     // tr(P_y)
  f64 spuq = 0;         // 1 - mean of S^y off the diagonal, weighted by S^x
  bool nonmonotone = false;  // some p_i > 1/e
  void add(const InverseMeasures& other);
  void divide(f64 n);
};

/// Divides the rows of s [n, n] by their sums, which must be positive.
void normalise_rows(std::span<f64> s, i64 n);

/// The measures of one draw at O(n^2) per draw. Keeps its memory; one per worker.
class InverseDraw {
 public:
  /// sx: [n, n], symmetric.
  void set_prompts(std::span<const f64> sx, i64 n);
  /// sy: [n, n], symmetric, of the answers drawn.
  InverseMeasures measure(std::span<const f64> sy);

 private:
  template <i64 known>
  InverseMeasures measure_of(std::span<const f64> sy);

  i64 n_ = 0;
  std::vector<f64> sx_;
  std::vector<f64> px_;
  f64 sx_weight_ = 0;             // sum of S^x off the diagonal
  std::vector<f64> product_;      // by row, sum of S^y S^x
  std::vector<f64> inverse_sum_;  // 1 / sum of a row of S^y
  std::vector<f64> p_same_;       // (P_y P_x)[i,i]
  std::vector<f64> p_answer_;     // P(Y)
  std::vector<f64> p_step_;       // P(Y) P_y
  std::vector<f64> p_prompt_;     // P(X) = P(Y) P_y P_x
};

/// Means over `draws`: in each, one of its answers per wording, uniformly and independently, by
/// (seed, question, draw). answers: numbers into `alike` by wording, none empty.
struct InverseResult {
  InverseMeasures mean;
  f64 single = 0;  // Inv-Entropy of the first draw (NR-Inv-Entropy)
};
InverseResult inverse_measures(std::span<const f64> sx, std::span<const std::vector<i32>> answers,
                               const Similarities& alike, i64 draws, u64 seed, u64 question,
                               InverseDraw& worker);

}  // namespace lm::uq
