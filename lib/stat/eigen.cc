#include "stat/eigen.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace lm::stat {

namespace {

// Two vectors turned against each other.
void turn(f64* x, f64* y, i64 n, f64 c, f64 s) {
  for (i64 k = 0; k < n; ++k) {
    const f64 xk = x[k];
    const f64 yk = y[k];
    x[k] = c * xk - s * yk;
    y[k] = s * xk + c * yk;
  }
}

}  // namespace

// Makes a_[p][q] zero.
void SymmetricEigen::rotate(i64 p, i64 q) {
  f64* row_p = &a_[usize(p * n_)];
  f64* row_q = &a_[usize(q * n_)];
  const f64 off = row_p[q];
  const f64 diag_p = row_p[p];
  const f64 diag_q = row_q[q];
  const f64 theta = (diag_q - diag_p) / (2 * off);
  // The smaller root of t^2 + 2 theta t = 1: an angle of at most 45 degrees.
  const f64 t = std::copysign(1.0, theta) / (std::abs(theta) + std::sqrt(theta * theta + 1));
  const f64 c = 1 / std::sqrt(t * t + 1);
  const f64 s = t * c;
  turn(row_p, row_q, n_, c, s);
  row_p[p] = diag_p - t * off;
  row_q[q] = diag_q + t * off;
  row_p[q] = row_q[p] = 0;
  for (i64 k = 0; k < n_; ++k) {
    a_[usize(k * n_ + p)] = row_p[k];
    a_[usize(k * n_ + q)] = row_q[k];
  }
  if (with_vectors_) turn(&vectors_[usize(p * n_)], &vectors_[usize(q * n_)], n_, c, s);
}

void SymmetricEigen::compute(std::span<const f64> matrix, i64 n, bool with_vectors) {
  LM_CHECK(isize(matrix) == n * n, "a square matrix");
  n_ = n;
  with_vectors_ = with_vectors;
  a_.assign(matrix.begin(), matrix.end());
  f64 norm = 0;
  for (i64 i = 0; i < n; ++i) {
    for (i64 j = i; j < n; ++j) {
      const f64 value = a_[usize(i * n + j)];
      LM_CHECK(std::isfinite(value), "eigenvalues are asked of finite matrices");
      a_[usize(j * n + i)] = value;
      norm = std::max(norm, std::abs(value));
    }
  }
  vectors_.clear();
  if (with_vectors) {
    vectors_.resize(usize(n * n), 0.0);
    for (i64 i = 0; i < n; ++i)
      vectors_[usize(i * n + i)] = 1;
  }
  // What is left of an off-diagonal element below this changes no eigenvalue by a rounding.
  const f64 negligible = norm * 1e-17;
  bool turned = true;
  for (int sweep = 0; turned && sweep < 60; ++sweep) {
    turned = false;
    for (i64 p = 0; p < n - 1; ++p) {
      for (i64 q = p + 1; q < n; ++q) {
        if (std::abs(a_[usize(p * n + q)]) <= negligible) continue;
        rotate(p, q);
        turned = true;
      }
    }
  }
  order_.resize(usize(n));
  std::iota(order_.begin(), order_.end(), i64{0});
  std::stable_sort(order_.begin(), order_.end(),
                   [&](i64 i, i64 j) { return a_[usize(i * n + i)] < a_[usize(j * n + j)]; });
  values_.resize(usize(n));
  for (i64 k = 0; k < n; ++k)
    values_[usize(k)] = a_[usize(order_[usize(k)] * (n + 1))];
}

}  // namespace lm::stat
