#pragma once
// LayerNorm and RMSNorm (Zhang & Sennrich 2019), forward and backward, also over the heads of a
// fused projection. Formulas: cpu/norm.h.

#include "core/types.h"

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
/// sum gets x + add. Moments in two passes. y, sum may be x or add.
struct NormForward {
  NormShape shape;
  const f32* x = nullptr;
  i64 ldx = 0;
  const f32* add = nullptr;
  i64 ld_add = 0;
  f32* sum = nullptr;
  i64 ld_sum = 0;
  const f32* weight = nullptr;
  const f32* bias = nullptr;
  f32* y = nullptr;
  i64 ldy = 0;
  f32* mean = nullptr;  // [rows]
  f32* rstd = nullptr;
};
void norm_forward(const NormForward& f, Stream* stream);

/// dx = backward of dy (+ dx_add); dx may be dy or dx_add. dweight, dbias [cols] are stored, or
/// added to with add_weight, add_bias. mean: null for RMSNorm.
struct NormBackward {
  NormShape shape;
  const f32* dy = nullptr;
  i64 lddy = 0;
  const f32* x = nullptr;
  i64 ldx = 0;
  const f32* weight = nullptr;
  const f32* mean = nullptr;
  const f32* rstd = nullptr;
  const f32* dx_add = nullptr;
  i64 ld_dx_add = 0;
  f32* dx = nullptr;  // null: not wanted
  i64 lddx = 0;
  f32* dweight = nullptr;
  f32* dbias = nullptr;
  bool add_weight = false, add_bias = false;
};
/// Bytes of workspace for the parameter gradients.
i64 norm_backward_space(i64 rows, i64 cols);
void norm_backward(const NormBackward& b, void* space, Stream* stream);

}  // namespace lm::cuda
