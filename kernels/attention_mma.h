#pragma once
// Softmax attention with two-interval masks on tensor cores: bf16 operands, f32 sums, forward and
// backward (FlashAttention-2, Dao 2023). The same semantics as attention.h, for the shapes of
// attention_mma_supports. Equal bits at every run: every sum has one owner and a fixed order.
//
// Numerics: scores, softmax and sums are f32; the weights P, and dS in the backward, are rounded to
// bf16 before their second product. Outputs are rounded once.

#include "bf16.h"
#include "fault.h"

namespace lm::cuda {

/// Layouts: q row i head h at q + i ldq + h d; k, v slot j kv head h at k + j ldkv + h d. spans:
/// i32 [rows, 6] = a0 a1 b0 b1 la lb (ops/attr.h); row i sees the keys of [a0,a1) and [b0,b1), a
/// key in both once. Spans outside [0, keys) are reported and give a row without keys. Keys outside
/// all spans may hold anything.
struct AttentionMma {
  i64 rows = 0, keys = 0, heads = 0, kv_heads = 0, head_dim = 0;
  f32 scale = 1, softcap = 0;
  i32 window = 0;  // of its keys a row sees those windowed() leaves (ops/rows.h); 0: all
  const i32* spans = nullptr;
  const Bf16 *q = nullptr, *k = nullptr, *v = nullptr;
  i64 ldq = 0, ldkv = 0;
};

/// head_dim a multiple of 8 up to 128 (64 and 128 waste nothing), heads a multiple of kv_heads,
/// scale > 0, fewer than 2^30 rows and keys, 16-byte aligned pointers, leading dimensions multiples
/// of 8. Outputs are held to the same alignment.
bool attention_mma_supports(const AttentionMma& a);

/// Bytes of workspace, 16-byte aligned.
i64 attention_mma_forward_space(const AttentionMma& a);
i64 attention_mma_backward_space(const AttentionMma& a);

/// o: row i head h at o + i ldo + h d. lse f32 [rows, heads], natural logarithm; null: not wanted.
/// No keys: 0 and -inf.
void attention_mma_forward(const AttentionMma& a, Bf16* o, i64 ldo, f32* lse, Fault* fault,
                           void* space, Stream* stream);

/// Gradients from o, lse and d_o. dq, dk, dv are stored; slots nobody sees get zero.
struct AttentionMmaBackward {
  const Bf16* o = nullptr;
  i64 ldo = 0;
  const f32* lse = nullptr;
  const Bf16* d_o = nullptr;
  i64 lddo = 0;
  Bf16 *dq = nullptr, *dk = nullptr, *dv = nullptr;
  i64 lddq = 0, lddkv = 0;
};
void attention_mma_backward(const AttentionMma& a, const AttentionMmaBackward& b, void* space,
                            Fault* fault, Stream* stream);

}  // namespace lm::cuda
