#pragma once
// Softmax attention with two-interval masks in f32, forward and backward: the path that every head
// size and mask can take. One warp per query row and head; no matrix instructions, so it serves
// correctness and small models.

#include "fault.h"

namespace lm::cuda {

inline constexpr i64 kMaxHeadDim = 256;

/// Layouts: q row i head h at q + i ldq + h d; k, v slot j kv head h at k + j ldkv + h d. spans:
/// i32 [rows, 6] = a0 a1 b0 b1 la lb (ops/attr.h); row i sees keys [a0,a1) then [b0,b1), keys of
/// them. Spans outside [0, keys) are reported and give a row without keys.
struct Attention {
  i64 rows = 0, keys = 0, heads = 0, kv_heads = 0, head_dim = 0;
  f32 scale = 1, softcap = 0;
  i32 window = 0;  // of its keys a row sees those windowed() leaves (ops/rows.h); 0: all
  const i32* spans = nullptr;
  const f32 *q = nullptr, *k = nullptr, *v = nullptr;
  i64 ldq = 0, ldkv = 0;
};

/// o [rows, heads d] and lse [rows, heads] (null: not wanted). No keys: 0 and -inf.
void attention_forward(const Attention& a, f32* o, i64 ldo, f32* lse, Fault* fault, Stream* stream);

/// Gradients from o, lse and d_o; dq, dk, dv are stored (slots nobody sees: zero). One owner per
/// query row and one per key slot: no atomics.
struct AttentionBackward {
  const f32* o = nullptr;
  i64 ldo = 0;
  const f32* lse = nullptr;
  const f32* d_o = nullptr;
  i64 lddo = 0;
  f32 *dq = nullptr, *dk = nullptr, *dv = nullptr;
  i64 lddq = 0, lddkv = 0;
};
/// Bytes of workspace.
i64 attention_backward_space(i64 rows, i64 heads);
void attention_backward(const Attention& a, const AttentionBackward& b, void* space, Fault* fault,
                        Stream* stream);

}  // namespace lm::cuda
