#pragma once
// The register tile: MR rows of A times NV vectors of B columns, k sequential, one fma per element
// and step. Every product of the library (linear layers, weight gradients, attention scores and
// values) runs through this loop, which is why one row alone and one row among many have equal
// bits.

#include "cpu/isa/vec.h"

namespace lm::isa::LM_ISA {

#if defined(__AVX512F__)
constexpr int kMr = 14;
#elif defined(__AVX2__)
constexpr int kMr = 6;
#else
constexpr int kMr = 4;
#endif
constexpr int kNr = 2 * kLanes;

LM_INLINE V load_b(const f32* p) {
  return load(p);
}
LM_INLINE V load_b(const u16* p) {
  return from_bf16(load16(p));
}

/// A pointer whose value the compiler does not know: it cannot express it by another.
LM_INLINE const char* hidden(const char* p) {
  __asm__("" : "+r"(p));
  return p;
}

/// c[r][v] (+)= sum over k of a[r*ars + kk*acs] * b[kk*bks + (v/2)*bps + (v%2)*lanes]. resume: the
/// chain starts from c, else from 0. c rows are ldc apart, column vectors contiguous. Ahead: asks
/// for the `k * ahead_step` bytes from `ahead` on, a little in each step: all at once they would
/// fill the buffers that this loop's own misses need.
template <int MR, int NV, bool Ahead, typename B>
static void tile(i64 k, const f32* a, i64 ars, i64 acs, const B* b, i64 bks, i64 bps, f32* c,
                 i64 ldc, bool resume, const char* ahead, i64 ahead_step) {
  V acc[MR][NV];
  if (resume) {
    for (int r = 0; r < MR; ++r)
      for (int v = 0; v < NV; ++v)
        acc[r][v] = load(c + r * ldc + v * kLanes);
  } else {
    for (int r = 0; r < MR; ++r)
      for (int v = 0; v < NV; ++v)
        acc[r][v] = V{};
  }
  // Rows by fives from a pointer of their own: 0, 1, 2, 4 times the stride are addresses that an
  // instruction can form, three times it is one register. With all rows behind one pointer there
  // are not registers enough for their offsets, and fetching them costs a quarter of the time.
  constexpr int kGroups = (MR + 4) / 5;
  const char* from[kGroups];
  for (int g = 0; g < kGroups; ++g)
    from[g] = hidden(reinterpret_cast<const char*>(a + g * 5 * ars));
  const i64 stride = ars * i64{sizeof(f32)};
  const i64 triple = 3 * stride;
  const i64 step = acs * i64{sizeof(f32)};
  const auto row = [&](int r) {
    const int in = r % 5;
    const char* at = from[r / 5] + (in == 3 ? triple : in * stride);
    return *reinterpret_cast<const f32*>(at);
  };
#pragma GCC unroll 2
  for (i64 kk = 0; kk < k; ++kk) {
    V bv[NV];
    for (int v = 0; v < NV; ++v)
      bv[v] = load_b(b + (v / 2) * bps + (v % 2) * kLanes);
    for (int r = 0; r < MR; ++r) {
      const V av = splat(row(r));
      for (int v = 0; v < NV; ++v)
        acc[r][v] = fma(av, bv[v], acc[r][v]);
    }
    if constexpr (Ahead) {
      __builtin_prefetch(ahead, 0, 2);
      ahead += ahead_step;
    }
    for (int g = 0; g < kGroups; ++g)
      from[g] += step;
    b += bks;
  }
  for (int r = 0; r < MR; ++r)
    for (int v = 0; v < NV; ++v)
      store(c + r * ldc + v * kLanes, acc[r][v]);
}

/// Vectors per row for a tile of mr rows when enough panels remain: few rows need many columns to
/// keep two FMA pipes of latency 4 busy (8 independent chains).
constexpr int wide_vectors(int mr) {
  return mr == 1 ? 8 : mr <= 3 ? 4 : 2;
}

template <typename B>
using TileFn = void (*)(i64, const f32*, i64, i64, const B*, i64, i64, f32*, i64, bool, const char*,
                        i64);

template <typename B>
struct TileSet {
  TileFn<B> wide[kMr + 1];
  TileFn<B> narrow[kMr + 1];  // 2 vectors
  TileFn<B> ahead[kMr + 1];   // 2 vectors, asking for what comes next
};

template <typename B, int MR>
constexpr void fill_tiles(TileSet<B>& set) {
  set.wide[MR] = tile<MR, wide_vectors(MR), false, B>;
  set.narrow[MR] = tile<MR, 2, false, B>;
  set.ahead[MR] = tile<MR, 2, true, B>;
  if constexpr (MR > 1) fill_tiles<B, MR - 1>(set);
}

template <typename B>
constexpr TileSet<B> make_tiles() {
  TileSet<B> set{};
  fill_tiles<B, kMr>(set);
  return set;
}

/// `panels` panels of kNr columns (panel p of b at p*bps, of c at p*kNr) for mr rows.
template <typename B>
LM_INLINE void run_panels(const TileSet<B>& tiles, i64 mr, i64 panels, i64 k, const f32* a, i64 ars,
                          i64 acs, const B* b, i64 bks, i64 bps, f32* c, i64 ldc, bool resume) {
  const i64 wide = wide_vectors(static_cast<int>(mr)) / 2;
  i64 p = 0;
  for (; p + wide <= panels; p += wide) {
    tiles.wide[mr](k, a, ars, acs, b + p * bps, bks, bps, c + p * kNr, ldc, resume, nullptr, 0);
  }
  for (; p < panels; ++p) {
    tiles.narrow[mr](k, a, ars, acs, b + p * bps, bks, bps, c + p * kNr, ldc, resume, nullptr, 0);
  }
}

}  // namespace lm::isa::LM_ISA
