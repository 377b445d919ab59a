#pragma once
// Rotary positions (Su et al. 2021) by table; x and y of type T (f32, Bf16), the table f32.

#include "bf16.h"
#include "fault.h"

namespace lm::cuda {

/// Rotates the first rotary_dim components of each of `heads` heads of x [rows, cols] by table row
/// pos[r]; everything else is copied. Pairs (j, j + rotary_dim/2), or (2j, 2j+1) if interleaved.
/// cos, sin: [positions, rotary_dim/2]. inverse: by the negative angle (the gradient). y may be x.
struct Rope {
  i64 rows = 0, cols = 0, heads = 0, head_dim = 0, rotary_dim = 0;
  bool interleaved = false, inverse = false;
  const f32* cos = nullptr;
  const f32* sin = nullptr;
  i64 positions = 0;
  const i32* pos = nullptr;
};
template <typename T>
void rope(const Rope& rope, const T* x, i64 ldx, T* y, i64 ldy, Fault* fault, Stream* stream);

}  // namespace lm::cuda
