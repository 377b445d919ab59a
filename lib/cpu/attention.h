#pragma once
// Softmax attention with two-interval masks (Dao 2023, FlashAttention-2, for the tiling).
//
// Row i of q sees the keys of its RowSpan. Keys are taken in logical order, in tiles cut at
// multiples of kAttentionTile of the logical index; tiles are merged in order. So a row's bits
// depend on its logical order alone: prefill in one piece, in chunks, row by row, from pages or
// inside a draft tree are all equal. causal: a=[s,i+1), la=0.  last w keys: a0=max(s,i-w+1),
// la=a0-s. sink + window: a=[s,s+g), la=0, b=[i-w+1,i+1), lb=b0-s.  prompt + own: a=[prompt), la=0,
// b=[own,i+1), lb=a1-a0.

#include "ops/rows.h"

namespace lm::cpu {

constexpr i64 kAttentionTile = 256;

/// One interval [begin, end) with logical index 0 at `begin`.
constexpr RowSpan span_of(i64 begin, i64 end) {
  return {static_cast<i32>(begin), static_cast<i32>(end), 0, 0, 0, 0};
}

enum class KvType : u8 { kF32, kBf16, kF16 };

/// Where keys and values live. Slot j of kv head h is at base + page + row * row_stride
/// + h * head_stride (elements), where without pages page = 0 and row = j, and with pages
/// page = table[j / page_size] * page_stride and row = j % page_size.
struct KeyValues {
  const void* k = nullptr;
  const void* v = nullptr;
  KvType type = KvType::kF32;
  i64 row_stride = 0;
  i64 head_stride = 0;
  i64 page_size = 0;  // 0: contiguous
  i64 page_stride = 0;
  const i32* const* tables = nullptr;  // [rows] the page table of each query row's sequence
};

struct AttentionShape {
  i64 rows = 0;     // query rows N
  i64 q_heads = 0;  // Hq, a multiple of kv_heads
  i64 kv_heads = 0;
  i64 head_dim = 0;  // d, any size >= 1
  f32 scale = 1.0f;
  f32 softcap = 0.0f;  // 0: none; else scores become c*tanh(s/c)
  i64 window = 0;      // 0: none; else every row's span is taken windowed()
  SparseMask sparse;   // what each head sees of a row's span
};

/// Of a row whose pattern hides keys nothing is computed with 16 logical indices that it does not
/// see.
/// o [rows, Hq, d] (rows ldo apart) from q (rows ldq apart, heads d apart); lse [rows, Hq] natural
/// log of the softmax denominator, or null. A row without keys gives 0 and -infinity.
/// key_list: null, or slot numbers that b0..b1 index instead of slots (ancestors in a draft tree).
void attention_forward(const AttentionShape& shape, const f32* q, i64 ldq, const KeyValues& kv,
                       const RowSpan* spans, const i32* key_list, f32* o, i64 ldo, f32* lse);

/// Contiguous f32 keys and values only. k, v: slot j head h at k + j*ldkv + h*d, slots of them.
/// dq (rows lddq apart) is written; dk, dv [slots, Hkv, d] (lddkv apart) are written, slots that no
/// row sees get zero. o, lse: from the forward pass. Needs 2 rows*Hq floats of workspace inside.
/// Deterministic: key blocks and query blocks each have one owner (7 tile products, no atomics).
struct AttentionBackward {
  const f32 *q = nullptr, *k = nullptr, *v = nullptr, *o = nullptr, *d_o = nullptr, *lse = nullptr;
  i64 ldq = 0, ldkv = 0, ldo = 0, lddo = 0;
  i64 slots = 0;
  const RowSpan* spans = nullptr;
  f32 *dq = nullptr, *dk = nullptr, *dv = nullptr;
  i64 lddq = 0, lddkv = 0;
};
void attention_backward(const AttentionShape& shape, const AttentionBackward& args);

}  // namespace lm::cpu
