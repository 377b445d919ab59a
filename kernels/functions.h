#pragma once
// The scalar functions of the elementwise kernels and their derivatives, arithmetic in f32,
// overflow-free forms. Formulas: ops/attr.h. Exact<T> says how the transcendental ones are made:
// for f32 by the library's functions, for bf16 by the hardware's exponential and division (relative
// errors below 2e-5, a hundredth of a bf16 step).

#include "bf16.h"
#include "device.h"
#include "ops/unary.h"

namespace lm::cuda {

inline constexpr f32 kGeluRate = 0.7978845608028654f;  // sqrt(2/pi)
inline constexpr f32 kGeluCubic = 0.044715f;
inline constexpr f32 kInvSqrt2 = 0.7071067811865476f;
inline constexpr f32 kLn2 = 0.6931471805599453f;
inline constexpr f32 kInvSqrt2Pi = 0.3989422804014327f;

/// e^x; 1 / (1 + e^-x); tanh x, with the precision that results of type T need.
template <typename T>
struct Exact {
  LM_DEVICE static f32 exp(f32 x) { return expf(x); }
  LM_DEVICE static f32 tanh(f32 x) { return tanhf(x); }
  LM_DEVICE static f32 sigmoid(f32 x) {
    const f32 e = expf(-fabsf(x));
    return (x >= 0 ? 1.0f : e) / (1.0f + e);
  }
};
template <>
struct Exact<Bf16> {
#ifdef LM_EMU
  LM_DEVICE static f32 exp(f32 x) {
    return expf(x);
  }
  LM_DEVICE static f32 over(f32 a, f32 b) {
    return a / b;
  }
#else
  LM_DEVICE static f32 exp(f32 x) {
    return __expf(x);
  }
  LM_DEVICE static f32 over(f32 a, f32 b) {
    return __fdividef(a, b);
  }
#endif
  // e^-x may be infinite; the quotient is then 0.
  LM_DEVICE static f32 sigmoid(f32 x) {
    return over(1.0f, 1.0f + exp(-x));
  }
  // 1 - 2 / (1 + e^2a) loses digits near 0, where the series to a^5 is good to 1.4e-5.
  LM_DEVICE static f32 tanh(f32 x) {
    const f32 a = fabsf(x);
    const f32 square = x * x;
    const f32 large = 1.0f - over(2.0f, 1.0f + exp(2.0f * a));
    const f32 small = a * (1.0f - square * (1.0f / 3.0f - square * (2.0f / 15.0f)));
    return copysignf(a < 0.25f ? small : large, x);
  }
};

/// gelu_tanh(x) = x sigmoid(2 u), u = sqrt(2/pi) (x + 0.044715 x^3): the exponential's form.
LM_DEVICE f32 gelu_argument(f32 x) {
  return kGeluRate * (x + kGeluCubic * x * x * x);
}
template <typename T>
LM_DEVICE f32 gelu_tanh(f32 x) {
  return x * Exact<T>::sigmoid(2.0f * gelu_argument(x));
}
template <>
LM_DEVICE f32 gelu_tanh<f32>(f32 x) {
  return 0.5f * x * (1.0f + tanhf(gelu_argument(x)));
}
template <typename T>
LM_DEVICE f32 gelu_tanh_slope(f32 x) {
  const f32 s = Exact<T>::sigmoid(2.0f * gelu_argument(x));
  return s + 2.0f * kGeluRate * x * s * (1.0f - s) * (1.0f + 3.0f * kGeluCubic * x * x);
}
template <>
LM_DEVICE f32 gelu_tanh_slope<f32>(f32 x) {
  const f32 t = tanhf(gelu_argument(x));
  return 0.5f * (1.0f + t) +
         0.5f * x * (1.0f - t * t) * kGeluRate * (1.0f + 3.0f * kGeluCubic * x * x);
}

/// y = f(x); p is softcap's c.
template <typename T>
LM_DEVICE f32 apply(Unary f, f32 x, f32 p) {
  switch (f) {
    case Unary::kGeluTanh:
      return gelu_tanh<T>(x);
    case Unary::kGeluErf:
      return 0.5f * x * erfcf(-x * kInvSqrt2);
    case Unary::kRelu:
      return x > 0 ? x : 0.0f;
    case Unary::kRelu2:
      return x > 0 ? x * x : 0.0f;
    case Unary::kSilu:
      return x * Exact<T>::sigmoid(x);
    case Unary::kTanh:
      return Exact<T>::tanh(x);
    case Unary::kSigmoid:
      return Exact<T>::sigmoid(x);
    case Unary::kExp:
      return Exact<T>::exp(x);
    case Unary::kLog:
      return logf(x);
    case Unary::kSquare:
      return x * x;
    case Unary::kSqrt:
      return sqrtf(x);
    case Unary::kSoftcap:
      return p * Exact<T>::tanh(x / p);
    case Unary::kLog1mExp:
      return x > -kLn2 ? logf(-expm1f(x)) : log1pf(-expf(x));
    case Unary::kStep:
      return x > 0 ? 1.0f : 0.0f;
    case Unary::kLogSigmoid:
      return (x < 0 ? x : 0.0f) - log1pf(expf(-fabsf(x)));
    case Unary::kNone:
      break;
  }
  return x;
}

/// f'(x).
template <typename T>
LM_DEVICE f32 slope(Unary f, f32 x, f32 p) {
  switch (f) {
    case Unary::kGeluTanh:
      return gelu_tanh_slope<T>(x);
    case Unary::kGeluErf:
      return 0.5f * erfcf(-x * kInvSqrt2) + x * kInvSqrt2Pi * expf(-0.5f * x * x);
    case Unary::kRelu:
      return x > 0 ? 1.0f : 0.0f;
    case Unary::kRelu2:
      return x > 0 ? 2.0f * x : 0.0f;
    case Unary::kSilu: {
      const f32 s = Exact<T>::sigmoid(x);
      return s * (1.0f + x * (1.0f - s));
    }
    case Unary::kTanh: {
      const f32 t = Exact<T>::tanh(x);
      return 1.0f - t * t;
    }
    case Unary::kSigmoid: {
      const f32 s = Exact<T>::sigmoid(x);
      return s * (1.0f - s);
    }
    case Unary::kExp:
      return Exact<T>::exp(x);
    case Unary::kLog:
      return 1.0f / x;
    case Unary::kSquare:
      return 2.0f * x;
    case Unary::kSqrt:
      return 0.5f / sqrtf(x);
    case Unary::kSoftcap: {
      const f32 t = Exact<T>::tanh(x / p);
      return 1.0f - t * t;
    }
    case Unary::kLogSigmoid:
      return Exact<T>::sigmoid(-x);
    case Unary::kLog1mExp:
      return -1.0f / expm1f(-x);
    case Unary::kStep:
      return 0.0f;
    case Unary::kNone:
      break;
  }
  return 1.0f;
}

}  // namespace lm::cuda
