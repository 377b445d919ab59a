#pragma once
// f64 vectors of half as many lanes as V, for sums over a row that f32 would round too coarsely.

#include "cpu/isa/vec.h"

namespace lm::isa::LM_ISA {

constexpr int kWide = kLanes / 2;

typedef f64 D __attribute__((vector_size(kWide * 8), may_alias));
typedef u64 DU __attribute__((vector_size(kWide * 8), may_alias));
typedef f32 HalfV __attribute__((vector_size(kWide * 4), aligned(4), may_alias));

LM_INLINE D wide_splat(f64 x) {
  return x - D{};
}
LM_INLINE D wide_load(const f32* p) {
  const HalfV x = *reinterpret_cast<const HalfV*>(p);
#if defined(__AVX512F__)  // GCC 12 splits the generic conversion
  return __builtin_ia32_cvtps2pd512_mask(x, D{}, static_cast<unsigned char>(-1), 4);
#else
  return __builtin_convertvector(x, D);
#endif
}
/// The larger; b where either is NaN.
LM_INLINE D wide_max(D a, D b) {
#if defined(__AVX512F__) && defined(__clang__)  // which has the builtin without a mask
  return __builtin_ia32_maxpd512(a, b, 4);
#elif defined(__AVX512F__)
  return __builtin_ia32_maxpd512_mask(a, b, D{}, static_cast<unsigned char>(-1), 4);
#elif defined(__AVX2__)
  return __builtin_ia32_maxpd256(a, b);
#else
  return a > b ? a : b;
#endif
}

/// a * b + c: one rounding where the level has FMA, two on v2.
LM_INLINE D wide_fma(D a, D b, D c) {
#if defined(__AVX512F__)
  return __builtin_ia32_vfmaddpd512_mask(a, b, c, static_cast<unsigned char>(-1), 4);
#elif defined(__FMA__)
  return __builtin_ia32_vfmaddpd256(a, b, c);
#else
  return a * b + c;
#endif
}

/// exp of N vectors in place, x <= 700 (larger is the caller's error), within 2 ulp: x = n ln2 + r,
/// |r| <= ln2/2; 1 + r + r^2 q(r) with q of degree 9 interpolated at Chebyshev points; 2^n is added
/// to the exponent. Below -700 the result is exp(-700), which a sum of 1 or more does not notice.
/// NaN stays. The vectors advance in step: one alone waits 70 cycles for its own chain.
template <int N>
LM_INLINE void wide_exp(D (&x)[N]) {
  constexpr f64 kQ[] = {2.510038549551032e-08,  2.7620088445409746e-07,
                        2.7557268459997064e-06, 2.4801521295954376e-05,
                        0.00019841269863053618, 0.0013888888917213717,
                        0.008333333333330062,   0.04166666666662413,
                        0.16666666666666669,    0.5};
  const D magic = wide_splat(0x1.8p52);  // the sum's low bits are round(x / ln2)
  D shifted[N], r[N], q[N];
  for (int i = 0; i < N; ++i)
    x[i] = wide_max(wide_splat(-700.0), x[i]);
  for (int i = 0; i < N; ++i)
    shifted[i] = wide_fma(x[i], wide_splat(1.4426950408889634), magic);
  for (int i = 0; i < N; ++i)  // 11 low bits of the first factor are zero: exact products
    r[i] = wide_fma(shifted[i] - magic, wide_splat(-6.93145751953125e-1), x[i]);
  for (int i = 0; i < N; ++i)
    r[i] = wide_fma(shifted[i] - magic, wide_splat(-1.42860682030941723212e-6), r[i]);
  for (int i = 0; i < N; ++i)
    q[i] = wide_splat(kQ[0]);
  for (int k = 1; k < 10; ++k) {
    for (int i = 0; i < N; ++i)
      q[i] = wide_fma(q[i], r[i], wide_splat(kQ[k]));
  }
  for (int i = 0; i < N; ++i) {
    const D p = wide_fma(q[i], r[i] * r[i], r[i]) + wide_splat(1.0);
    x[i] = reinterpret_cast<D>(reinterpret_cast<DU>(p) + (reinterpret_cast<DU>(shifted[i]) << 52));
  }
}

}  // namespace lm::isa::LM_ISA
