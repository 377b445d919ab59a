#pragma once
// Eigenvalues of small symmetric matrices by cyclic Jacobi rotations (Jacobi 1846; Golub and Van
// Loan, section 8.5): O(n^3) per sweep, about six sweeps, meant for n up to a few hundred. Keeps
// its memory between calls. Not thread-safe: one per worker.

#include <span>
#include <vector>

#include "core/types.h"

namespace lm::stat {

class SymmetricEigen {
 public:
  /// matrix: [n, n], symmetric, finite; only the upper triangle is read. Eigenvalues ascend; the
  /// vectors are computed on demand only. Absolute error of about n 1e-16 |matrix|.
  void compute(std::span<const f64> matrix, i64 n, bool with_vectors);

  /// [n] ascending.
  std::span<const f64> values() const { return values_; }
  /// [n], of unit length; the eigenvector of values()[k]. Its sign means nothing.
  std::span<const f64> vector(i64 k) const {
    return std::span(vectors_).subspan(usize(order_[usize(k)] * n_), usize(n_));
  }

 private:
  void rotate(i64 p, i64 q);
  i64 n_ = 0;
  bool with_vectors_ = false;
  std::vector<f64> a_;        // [n, n], both triangles
  std::vector<f64> vectors_;  // [n, n], one a row, in the order of a_'s diagonal
  std::vector<f64> values_;
  std::vector<i64> order_;
};

}  // namespace lm::stat
