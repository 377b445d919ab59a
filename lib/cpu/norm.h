#pragma once
// LayerNorm, RMSNorm (Zhang & Sennrich 2019) and rotary position embedding (Su et al. 2021).
// Row reductions have one order fixed by the row length; parameter gradients are summed in chunks
// of kParamChunk rows, chunks in order.

#include "core/types.h"

namespace lm::cpu {

constexpr i64 kParamChunk = 256;

/// y = weight * xhat + bias over rows of `cols`. With `add`: x' = x + add is written to `sum` and
/// normalised (residual stream and norm in one pass). y may alias x, sum may alias x or add.
struct NormForward {
  i64 rows = 0, cols = 0;
  const f32* x = nullptr;
  i64 ldx = 0;
  const f32* add = nullptr;  // optional second summand
  i64 ld_add = 0;
  f32* sum = nullptr;  // required with add
  i64 ld_sum = 0;
  const f32* weight = nullptr;  // [cols] or null (ones)
  const f32* bias = nullptr;    // [cols] or null; layernorm only
  bool plus_one = false;        // weight means 1 + weight (Gemma)
  f32 eps = 1e-5f;
  f32* y = nullptr;
  i64 ldy = 0;
  f32* mean = nullptr;  // [rows] saved, or null; layernorm only
  f32* rstd = nullptr;  // [rows] saved, or null
};
/// mean and biased variance in two passes; rstd = 1/sqrt(var + eps).
void layernorm_forward(const NormForward& args);
/// rstd = 1/sqrt(mean(x^2) + eps).
void rmsnorm_forward(const NormForward& args);

/// dx = norm backward of dy (+ dx_add). dweight, dbias [cols] are added to. dx may alias dy or
/// dx_add.
struct NormBackward {
  i64 rows = 0, cols = 0;
  const f32* dy = nullptr;
  i64 lddy = 0;
  const f32* x = nullptr;  // the input that was normalised (sum in the fused form)
  i64 ldx = 0;
  const f32* weight = nullptr;
  bool plus_one = false;
  const f32* mean = nullptr;  // layernorm only
  const f32* rstd = nullptr;
  const f32* dx_add = nullptr;  // gradient that reaches x by another way
  i64 ld_dx_add = 0;
  f32* dx = nullptr;
  i64 lddx = 0;
  f32* dweight = nullptr;  // null: not wanted
  f32* dbias = nullptr;    // layernorm only
};
void layernorm_backward(const NormBackward& args);
void rmsnorm_backward(const NormBackward& args);

/// Rotation of each head's first rotary_dim components by table row pos[i]; the rest is copied.
/// Pairs are (j, j + rotary_dim/2), or (2j, 2j+1) if interleaved. Optional RMSNorm over each head
/// before the rotation (q_norm, k_norm of Qwen3 and Gemma-3). y may be x.
struct Rope {
  i64 rows = 0, heads = 0, head_dim = 0;
  i64 rotary_dim = 0;  // even, <= head_dim; 0: no rotation
  bool interleaved = false;
  const f32* cos = nullptr;  // [positions, rotary_dim/2]
  const f32* sin = nullptr;
  const i32* pos = nullptr;          // [rows] row of the tables
  const f32* norm_weight = nullptr;  // [head_dim]: normalise first
  bool plus_one = false;
  f32 eps = 1e-6f;
};
/// x, y: row i head h at x + i*ldx + h*head_dim. rstd: [rows, heads] saved with norm_weight, or
/// null.
void rope_forward(const Rope& rope, const f32* x, i64 ldx, f32* y, i64 ldy, f32* rstd);
/// dx from dy; x and rstd are needed only with norm_weight, whose gradient is added to dnorm_weight
/// [head_dim] (null: not wanted). dx may be dy.
void rope_backward(const Rope& rope, const f32* dy, i64 lddy, const f32* x, i64 ldx,
                   const f32* rstd, f32* dx, i64 lddx, f32* dnorm_weight);

}  // namespace lm::cpu
