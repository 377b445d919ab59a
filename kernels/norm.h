#pragma once
// LayerNorm and RMSNorm (Zhang & Sennrich 2019), forward and backward, also over the heads of a
// fused projection. Activations, weights and biases have the type T (f32, Bf16); mean, rstd and the
// gradients of weights and biases are f32. Formulas: cpu/norm.h.

#include "bf16.h"

namespace lm {
struct Stream;
}

namespace lm::cuda {

/// Where row r of [rows, cols] lies: p + (r / group) * ld + (r % group) * cols. group 1: an
/// ordinary matrix; group h: the h heads of cols components in each row of ld elements.
struct NormShape {
  i64 rows = 0, cols = 0;
  i64 group = 1;
  bool layer = false;     // subtract the mean
  bool plus_one = false;  // weight means 1 + weight
  f32 eps = 0;
};

/// y = weight * xhat + bias of x (+ add). Null: weight 1, no bias, no second summand, not wanted.
/// sum gets x + add, and y is of the sum as stored. Moments in two passes. y, sum may be x or add.
template <typename T>
struct NormForward {
  NormShape shape;
  const T* x = nullptr;
  i64 ldx = 0;
  const T* add = nullptr;
  i64 ld_add = 0;
  T* sum = nullptr;
  i64 ld_sum = 0;
  const T* weight = nullptr;
  const T* bias = nullptr;
  T* y = nullptr;
  i64 ldy = 0;
  f32* mean = nullptr;  // [rows]
  f32* rstd = nullptr;
};
template <typename T>
void norm_forward(const NormForward<T>& f, Stream* stream);

/// dx = backward of dy (+ dx_add); dx may be dy or dx_add. dweight, dbias [cols] are stored, or
/// added to with add_weight, add_bias. mean: null for RMSNorm.
template <typename T>
struct NormBackward {
  NormShape shape;
  const T* dy = nullptr;
  i64 lddy = 0;
  const T* x = nullptr;
  i64 ldx = 0;
  const T* weight = nullptr;
  const f32* mean = nullptr;
  const f32* rstd = nullptr;
  const T* dx_add = nullptr;
  i64 ld_dx_add = 0;
  T* dx = nullptr;  // null: not wanted
  i64 lddx = 0;
  f32* dweight = nullptr;
  f32* dbias = nullptr;
  bool add_weight = false, add_bias = false;
};
/// Bytes of workspace for the parameter gradients, for any type.
i64 norm_backward_space(i64 rows, i64 cols);
template <typename T>
void norm_backward(const NormBackward<T>& b, void* space, Stream* stream);

}  // namespace lm::cuda
