#pragma once
// exp, log, tanh, sigmoid, erf on vectors. Reductions and polynomials after Moshier's Cephes
// (published coefficients); worst errors are measured by the unit test against f64: exp and log
// 2 ulp, tanh and sigmoid 4 ulp, erf 1e-7 absolute.

#include "cpu/isa/vec.h"

namespace lm::isa::LM_ISA {

/// exp: x = n ln2 + r, |r| <= ln2/2; degree 6 in r; 2^n applied in two factors so that the result
/// may be denormal. Overflow gives infinity, NaN stays.
LM_INLINE V exp(V x) {
  x = x < splat(-104.0f) ? splat(-104.0f) : x;
  x = x > splat(89.0f) ? splat(89.0f) : x;
  const V magic = splat(12582912.0f);  // 1.5 * 2^23: the sum's low bits are round(x / ln2)
  const V shifted = fma(x, splat(1.44269504088896341f), magic);
  const V n = shifted - magic;
  V r = fma(n, splat(-0.693359375f), x);
  r = fma(n, splat(2.12194440e-4f), r);
  V p = fma(splat(1.9875691500e-4f), r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  p = fma(p, r * r, r) + splat(1.0f);
  const VI k = reinterpret_cast<VI>(shifted) - splat_int(0x4b400000);
  const VI half = k >> 1;
  const V s0 = reinterpret_cast<V>((half + 127) << 23);
  const V s1 = reinterpret_cast<V>((k - half + 127) << 23);
  return p * s0 * s1;
}

/// log: x = 2^e * m, m in [sqrt(1/2), sqrt(2)). log(0) = -inf, negative gives NaN, inf stays.
LM_INLINE V log(V x) {
  const VI tiny = x < splat(0x1p-126f);
  const V y = tiny ? x * splat(0x1p23f) : x;
  VI bits = reinterpret_cast<VI>(y);
  // 0x3f3504f3 is sqrt(1/2): subtracting it makes the exponent field count from there.
  const VI e0 = (bits - splat_int(0x3f3504f3)) >> 23;
  const V m = reinterpret_cast<V>(bits - (e0 << 23)) - splat(1.0f);
  const V e = __builtin_convertvector(e0 - (tiny & 23), V);
  const V z = m * m;
  V p = fma(splat(7.0376836292e-2f), m, splat(-1.1514610310e-1f));
  p = fma(p, m, splat(1.1676998740e-1f));
  p = fma(p, m, splat(-1.2420140846e-1f));
  p = fma(p, m, splat(1.4249322787e-1f));
  p = fma(p, m, splat(-1.6668057665e-1f));
  p = fma(p, m, splat(2.0000714765e-1f));
  p = fma(p, m, splat(-2.4999993993e-1f));
  p = fma(p, m, splat(3.3333331174e-1f));
  V r = p * m * z;
  r = fma(e, splat(-2.12194440e-4f), r);
  r = fma(z, splat(-0.5f), r);
  r = fma(e, splat(0.693359375f), m + r);
  const V inf = splat(__builtin_inff());
  r = x == inf ? inf : r;
  r = x == V{} ? -inf : r;
  return x >= V{} ? r : splat(__builtin_nanf(""));
}

LM_INLINE V sigmoid(V x) {
  return splat(1.0f) / (splat(1.0f) + exp(-x));
}

/// Odd polynomial below 0.625, 1 - 2/(e^2|x| + 1) above.
LM_INLINE V tanh(V x) {
  const V a = abs(x);
  const V z = x * x;
  V p = fma(splat(-5.70498872745e-3f), z, splat(2.06390887954e-2f));
  p = fma(p, z, splat(-5.37397155531e-2f));
  p = fma(p, z, splat(1.33314422036e-1f));
  p = fma(p, z, splat(-3.33332819422e-1f));
  const V small = fma(p * z, x, x);
  const V large = splat(1.0f) - splat(2.0f) / (exp(a + a) + splat(1.0f));
  const V result = a < splat(0.625f) ? small : (x < V{} ? -large : large);
  return x == x ? result : x;
}

/// The standard normal distribution function Phi(x) = erfc(-x / sqrt 2) / 2.
LM_INLINE V normal_cdf(V x) {
  const V t = x * splat(0.70710678118654752f);
  const V a = abs(t);
  const V z = t * t;
  V p = fma(splat(7.853861353153693e-5f), z, splat(-8.010193625184903e-4f));
  p = fma(p, z, splat(5.188327685732524e-3f));
  p = fma(p, z, splat(-2.685381193529856e-2f));
  p = fma(p, z, splat(1.128358514861418e-1f));
  p = fma(p, z, splat(-3.761262582423300e-1f));
  p = fma(p, z, splat(1.128379165726710f));
  const V inner = fma(p * t, splat(0.5f), splat(0.5f));
  const V inv = splat(1.0f) / a;
  const V q = inv * inv;
  V u = fma(splat(2.326819970068386e-2f), q, splat(-1.387039388740657e-1f));
  u = fma(u, q, splat(3.687424674597105e-1f));
  u = fma(u, q, splat(-5.824733027278666e-1f));
  u = fma(u, q, splat(6.210004621745983e-1f));
  u = fma(u, q, splat(-4.944515323274145e-1f));
  u = fma(u, q, splat(3.404879937665872e-1f));
  u = fma(u, q, splat(-2.741127028184656e-1f));
  u = fma(u, q, splat(5.638259427386472e-1f));
  V w = fma(splat(-1.047766399936249e+1f), q, splat(1.297719955372516e+1f));
  w = fma(w, q, splat(-7.495518717768503f));
  w = fma(w, q, splat(2.921019019210786f));
  w = fma(w, q, splat(-1.015265279202700f));
  w = fma(w, q, splat(4.218463358204948e-1f));
  w = fma(w, q, splat(-2.820767439740514e-1f));
  w = fma(w, q, splat(5.641895067754075e-1f));
  const V tail = splat(0.5f) * exp(-z) * inv * (a < splat(2.0f) ? u : w);
  const V outer = x < V{} ? tail : splat(1.0f) - tail;
  return a < splat(1.0f) ? inner : outer;
}

/// Activations and their derivatives (model-engine formulas): gelu_tanh(a) = a sigmoid(2u) with
/// u = sqrt(2/pi) (a + 0.044715 a^3), which has no cancellation for negative a.
LM_INLINE V gelu_gate(V a) {
  const V u2 = splat(1.5957691216057308f) * a * fma(splat(0.044715f) * a, a, splat(1.0f));
  return sigmoid(u2);
}

/// Numbered as cpu::Act: none, gelu_tanh, gelu_erf, relu, relu2, silu.
template <int A>
LM_INLINE V act(V a) {
  if constexpr (A == 1) return a * gelu_gate(a);
  if constexpr (A == 2) return a * normal_cdf(a);
  if constexpr (A == 3) return max(a, V{});
  if constexpr (A == 4) return max(a, V{}) * max(a, V{});
  if constexpr (A == 5) return a * sigmoid(a);
  return a;
}

template <int A>
LM_INLINE V act_slope(V a) {
  if constexpr (A == 1) {
    const V g = gelu_gate(a);
    const V du2 = splat(1.5957691216057308f) * fma(splat(0.134145f) * a, a, splat(1.0f));
    return fma(a * g * (splat(1.0f) - g), du2, g);
  }
  if constexpr (A == 2) {
    const V density = splat(0.39894228040143268f) * exp(splat(-0.5f) * a * a);
    return fma(a, density, normal_cdf(a));
  }
  if constexpr (A == 3) return a > V{} ? splat(1.0f) : V{};
  if constexpr (A == 4) return splat(2.0f) * max(a, V{});
  if constexpr (A == 5) {
    const V s = sigmoid(a);
    return s * fma(a, splat(1.0f) - s, splat(1.0f));
  }
  return splat(1.0f);
}

}  // namespace lm::isa::LM_ISA
