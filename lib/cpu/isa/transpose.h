#pragma once
// Transposition of a square of vectors in registers.

#include "cpu/isa/vec.h"

namespace lm::isa::LM_ISA {

template <int... I>
struct Seq {};
template <int N, int... I>
struct Count : Count<N - 1, N - 1, I...> {};
template <int... I>
struct Count<0, I...> {
  using type = Seq<I...>;
};
using Lanes = Count<kLanes>::type;

/// Swap the off-diagonal S x S blocks of rows i and i + S (S a multiple of 4 lanes).
template <int S, int... I>
LM_INLINE void swap_blocks(V& a, V& b, Seq<I...>) {
  const V x = __builtin_shufflevector(a, b, ((I & S) == 0 ? I : kLanes + I - S)...);
  const V y = __builtin_shufflevector(a, b, ((I & S) == 0 ? I + S : kLanes + I)...);
  a = x;
  b = y;
}

/// Interleave the low or high halves of each group of four lanes.
template <int H, int... I>
LM_INLINE V interleave(V a, V b, Seq<I...>) {
  return __builtin_shufflevector(a, b, ((I & 1) * kLanes + (I & ~3) + H * 2 + (I & 3) / 2)...);
}

/// The kLanes vectors at rows[0..kLanes) with the blocks of 4x4 and more in their transposed
/// places.
LM_INLINE void load_swapped(const f32* const* rows, V* r) {
#if defined(__AVX2__) && !defined(__AVX512F__)
  // By the way the halves are loaded: what joins them is not what the shuffles below wait for.
  typedef f32 Half __attribute__((vector_size(16), aligned(4), may_alias));
  for (int i = 0; i < 8; ++i) {
    const Half low = *reinterpret_cast<const Half*>(rows[i & 3] + (i & 4));
    const Half high = *reinterpret_cast<const Half*>(rows[(i & 3) + 4] + (i & 4));
    r[i] = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
  }
#else
  for (int i = 0; i < kLanes; ++i)
    r[i] = load(rows[i]);
  if constexpr (kLanes >= 16) {
    for (int i = 0; i < 8; ++i)
      swap_blocks<8>(r[i], r[i + 8], Lanes{});
    for (int i = 0; i < kLanes; ++i) {
      if ((i & 4) == 0) swap_blocks<4>(r[i], r[i + 4], Lanes{});
    }
  }
#endif
}

/// The kLanes vectors at rows[0..kLanes) become their columns: block swaps down to 4x4, then two
/// in-lane interleaves. 24 shuffles for 64 elements on v3.
LM_INLINE void transpose_square(const f32* const* rows, V* columns) {
  V r[kLanes];
  load_swapped(rows, r);
  for (int i = 0; i < kLanes; i += 4) {
    const V a = interleave<0>(r[i], r[i + 2], Lanes{});
    const V b = interleave<1>(r[i], r[i + 2], Lanes{});
    const V c = interleave<0>(r[i + 1], r[i + 3], Lanes{});
    const V d = interleave<1>(r[i + 1], r[i + 3], Lanes{});
    columns[i] = interleave<0>(a, c, Lanes{});
    columns[i + 1] = interleave<1>(a, c, Lanes{});
    columns[i + 2] = interleave<0>(b, d, Lanes{});
    columns[i + 3] = interleave<1>(b, d, Lanes{});
  }
}

/// The same, the columns ld apart at dst.
LM_INLINE void transpose_square(const f32* const* rows, f32* dst, i64 ld) {
  V columns[kLanes];
  transpose_square(rows, columns);
  for (int i = 0; i < kLanes; ++i)
    store(dst + i * ld, columns[i]);
}

}  // namespace lm::isa::LM_ISA
