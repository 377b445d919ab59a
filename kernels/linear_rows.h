#pragma once
// A linear layer on a few rows, as decoding has it: each weight is read once, at the memory's
// speed.

#include "bf16.h"
#include "ops/unary.h"

namespace lm {
struct Stream;
}

namespace lm::cuda {

/// More rows than this are a matrix product's work.
inline constexpr i64 kFewRows = 8;

/// y = f(x w^T + bias + residual) in f32, rounded once. x [rows, k] and residual [rows, n] of T,
/// w [n, k] and bias [n] of T; bias and residual may be null. An element's bits depend on its own
/// row of x alone, whatever the other rows and their number.
template <typename T>
struct LinearRows {
  i64 rows = 0, n = 0, k = 0;
  const T* x = nullptr;
  i64 ldx = 0;
  const T* w = nullptr;
  i64 ldw = 0;
  const T* bias = nullptr;
  const T* residual = nullptr;
  i64 ld_residual = 0;
  Unary f = Unary::kNone;
};

/// Whether linear_rows takes it: 1 to kFewRows rows of whole packs at 16-byte boundaries.
template <typename T>
bool few_rows(const LinearRows<T>& l);
/// y [rows, n] of T or f32.
template <typename T, typename Y>
void linear_rows(const LinearRows<T>& l, Y* y, i64 ldy, Stream* stream);

}  // namespace lm::cuda
