#pragma once
// Attention over a paged key-value cache, for decoding: one pass's rows of many sequences against
// pages of keys and values. A row's result depends on its own keys in logical order alone, bit for
// bit (contract N1): keys are cut into parts of kPartKeys by logical index, a part's numbers come
// from one block by a fixed tree, and parts are merged in order, whether one block takes them in
// turn (many rows) or each has a block of its own (few rows, flash-decoding). Sources: Dao 2023
// (online softmax); Kwon et al. 2023 (pages); Dao et al. 2023, Flash-Decoding.

#include "core/types.h"

namespace lm {
struct Stream;
}

namespace lm::cuda {

inline constexpr i64 kMaxPagedDim = 256;
inline constexpr i64 kPartKeys = 128;

/// Storage of activations (q, new keys and values, the result) and of the cache.
enum class PagedType : u8 { kF32, kBf16 };

/// Rows and pools as ops/attr.h's KvView has them; all pointers in device memory. Row i of qkv:
/// heads q vectors, then kv_heads keys, then kv_heads values, of head_dim each.
struct Paged {
  i64 rows = 0;  // of the view; rows from here to all_rows are padding: zeros, nothing stored
  i64 all_rows = 0;
  i64 heads = 0, kv_heads = 0, head_dim = 0;
  f32 scale = 1, softcap = 0;
  i32 window = 0;  // of its keys a row sees those windowed() leaves (ops/rows.h); 0: all
  const void* qkv = nullptr;
  i64 ld_qkv = 0;
  void* o = nullptr;  // [all_rows, heads head_dim]
  i64 ld_o = 0;
  PagedType type = PagedType::kF32;    // of qkv and o
  PagedType cache = PagedType::kF32;   // of the pools
  const i32* spans = nullptr;          // [rows, 6]
  const i32* store = nullptr;          // [rows]
  const i32* const* tables = nullptr;  // [rows]
  const i32* key_list = nullptr;
  i64 page_tokens = 0;
  void* k = nullptr;  // [pages, page_tokens, kv_heads, head_dim]
  void* v = nullptr;
  i64 max_keys = 0;        // no row's logical indices reach it; 0: unknown, parts are taken in turn
  bool lone_rows = false;  // hint: neighbouring rows seldom belong to one sequence
};

/// Bytes of workspace; a function of the shape alone.
i64 paged_space(i64 rows, i64 heads, i64 kv_heads, i64 head_dim, i64 max_keys);
/// Stores the rows' keys and values into their slots.
void paged_store(const Paged& p, Stream* stream);
/// o from q and the pools. paged_store has run.
void paged_attention(const Paged& p, void* space, Stream* stream);

}  // namespace lm::cuda
