#pragma once
// Vectors of the level being compiled, in GCC vector extensions. Every isa/*.cc is compiled once
// per level with LM_ISA = v2, v3 or v4; all of it lives in namespace lm::isa::LM_ISA so that no
// copy made for a newer processor can be linked into a path an older one runs. Only freestanding
// headers are allowed below. Contraction is off in these files: each fma is written, so that the
// bits do not depend on how the compiler arranged a loop.

#include "core/types.h"

namespace lm::isa::LM_ISA {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

typedef f32 V __attribute__((vector_size(kLanes * 4), may_alias));
typedef i32 VI __attribute__((vector_size(kLanes * 4), may_alias));
typedef u32 VU __attribute__((vector_size(kLanes * 4), may_alias));
typedef u16 VH __attribute__((vector_size(kLanes * 2), may_alias));
typedef f32 Vun __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef u16 VHun __attribute__((vector_size(kLanes * 2), aligned(2), may_alias));

#define LM_INLINE static inline __attribute__((always_inline))

LM_INLINE V load(const f32* p) {
  return *reinterpret_cast<const Vun*>(p);
}
LM_INLINE void store(f32* p, V x) {
  *reinterpret_cast<Vun*>(p) = x;
}
LM_INLINE VH load16(const u16* p) {
  return *reinterpret_cast<const VHun*>(p);
}
LM_INLINE void store16(u16* p, VH x) {
  *reinterpret_cast<VHun*>(p) = x;
}

/// The first n < kLanes elements, zeros behind them.
LM_INLINE V load_part(const f32* p, i64 n) {
  f32 buf[kLanes] = {};
  for (i64 i = 0; i < n; ++i)
    buf[i] = p[i];
  return load(buf);
}
LM_INLINE void store_part(f32* p, V x, i64 n) {
  f32 buf[kLanes];
  store(buf, x);
  for (i64 i = 0; i < n; ++i)
    p[i] = buf[i];
}
LM_INLINE V load_n(const f32* p, i64 n) {
  return n >= kLanes ? load(p) : load_part(p, n);
}
LM_INLINE void store_n(f32* p, V x, i64 n) {
  if (n >= kLanes) {
    store(p, x);
  } else {
    store_part(p, x, n);
  }
}

LM_INLINE V splat(f32 x) {
#if defined(__AVX512F__)
  return V{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
#elif defined(__AVX2__)
  return V{x, x, x, x, x, x, x, x};
#else
  return V{x, x, x, x};
#endif
}
LM_INLINE VI splat_int(i32 x) {
  return x - VI{};
}

/// a * b + c: one rounding where the level has FMA, two on v2.
LM_INLINE V fma(V a, V b, V c) {
#if defined(__AVX512F__)
  return __builtin_ia32_vfmaddps512_mask(a, b, c, static_cast<unsigned short>(-1), 4);
#elif defined(__FMA__)
  return __builtin_ia32_vfmaddps256(a, b, c);
#else
  return a * b + c;
#endif
}
LM_INLINE f32 fma(f32 a, f32 b, f32 c) {
#if defined(__FMA__)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

LM_INLINE V max(V a, V b) {
  return a > b ? a : b;
}
LM_INLINE V min(V a, V b) {
  return a < b ? a : b;
}
LM_INLINE V abs(V x) {
  return reinterpret_cast<V>(reinterpret_cast<VI>(x) & splat_int(0x7fffffff));
}
LM_INLINE V sqrt(V x) {
  V y;
  for (int i = 0; i < kLanes; ++i)
    y[i] = __builtin_sqrtf(x[i]);
  return y;
}

/// Sum of the lanes in one fixed tree: halves added, then halves of halves.
LM_INLINE f32 lane_sum(V x) {
  f32 b[kLanes];
  store(b, x);
  for (int h = kLanes / 2; h > 0; h /= 2) {
    for (int i = 0; i < h; ++i)
      b[i] = b[i] + b[i + h];
  }
  return b[0];
}
LM_INLINE f32 lane_max(V x) {
  f32 m = x[0];
  for (int i = 1; i < kLanes; ++i)
    m = x[i] > m ? x[i] : m;
  return m;
}

/// Lane indices 0, 1, 2, ...
LM_INLINE VI iota() {
  VI x;
  for (int i = 0; i < kLanes; ++i)
    x[i] = i;
  return x;
}

LM_INLINE VI iota_at(i64 first) {
  return iota() + splat_int(static_cast<i32>(first));
}

/// bf16 bits to f32, exactly.
LM_INLINE V from_bf16(VH h) {
  return reinterpret_cast<V>(__builtin_convertvector(h, VU) << 16);
}
/// f16 bits to f32, exactly: the exponent is rebased by a product with 2^112, which also turns
/// denormals into normal numbers; infinities and NaN get the full exponent.
LM_INLINE V from_f16(VH h) {
  const VU w = __builtin_convertvector(h, VU);
  const VU sign = (w & 0x8000u) << 16;
  const VU body = (w & 0x7fffu) << 13;
  const VU scaled = reinterpret_cast<VU>(reinterpret_cast<V>(body) * splat(0x1p112f));
  const VU special = body | 0x7f800000u;
  const VU picked = reinterpret_cast<VI>(body) >= splat_int(0x7c00 << 13) ? special : scaled;
  return reinterpret_cast<V>(picked | sign);
}
/// Round to nearest even; NaN keeps its sign and becomes quiet.
LM_INLINE VH to_bf16(V x) {
  const VU w = reinterpret_cast<VU>(x);
  const VU rounded = (w + 0x7fffu + ((w >> 16) & 1u)) >> 16;
  const VU quiet = (w >> 16) | 0x40u;
  return __builtin_convertvector(x == x ? rounded : quiet, VH);
}
/// Round to nearest even. Normal range by integer rounding of the dropped 13 bits; below 2^-14 by
/// adding 0.5, whose last place is the f16 denormal unit 2^-24.
LM_INLINE VH to_f16(V x) {
  const VU w = reinterpret_cast<VU>(x);
  const VU sign = (w >> 16) & 0x8000u;
  const VU a = w & 0x7fffffffu;
  const VI as = reinterpret_cast<VI>(a);
  const VU normal = (a + 0xfffu + ((a >> 13) & 1u) - (112u << 23)) >> 13;
  const VU tiny = reinterpret_cast<VU>(reinterpret_cast<V>(a) + splat(0.5f)) - 0x3f000000u;
  VU out = as >= splat_int(0x38800000) ? normal : tiny;
  out = as >= splat_int(0x47800000) ? (VU{} + 0x7c00u) : out;
  out = as > splat_int(0x7f800000) ? (VU{} + 0x7e00u) : out;
  return __builtin_convertvector(out | sign, VH);
}

}  // namespace lm::isa::LM_ISA
