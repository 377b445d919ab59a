#pragma once
// The scalar functions of the elementwise kernels and their derivatives.
// f32 throughout; overflow-free forms. Formulas: ops/attr.h.

#include "device.h"
#include "fn.h"

namespace lm::cuda {

inline constexpr f32 kGeluRate = 0.7978845608028654f;  // sqrt(2/pi)
inline constexpr f32 kGeluCubic = 0.044715f;
inline constexpr f32 kInvSqrt2 = 0.7071067811865476f;
inline constexpr f32 kInvSqrt2Pi = 0.3989422804014327f;

LM_DEVICE f32 sigmoid(f32 x) {
  const f32 e = expf(-fabsf(x));
  return (x >= 0 ? 1.0f : e) / (1.0f + e);
}

/// y = f(x); p is softcap's c.
LM_DEVICE f32 apply(Fn f, f32 x, f32 p) {
  switch (f) {
    case Fn::kGeluTanh:
      return 0.5f * x * (1.0f + tanhf(kGeluRate * (x + kGeluCubic * x * x * x)));
    case Fn::kGeluErf:
      return 0.5f * x * erfcf(-x * kInvSqrt2);
    case Fn::kRelu:
      return x > 0 ? x : 0.0f;
    case Fn::kRelu2:
      return x > 0 ? x * x : 0.0f;
    case Fn::kSilu:
      return x * sigmoid(x);
    case Fn::kTanh:
      return tanhf(x);
    case Fn::kSigmoid:
      return sigmoid(x);
    case Fn::kExp:
      return expf(x);
    case Fn::kLog:
      return logf(x);
    case Fn::kSquare:
      return x * x;
    case Fn::kSqrt:
      return sqrtf(x);
    case Fn::kSoftcap:
      return p * tanhf(x / p);
    case Fn::kLogSigmoid:
      return (x < 0 ? x : 0.0f) - log1pf(expf(-fabsf(x)));
    case Fn::kNone:
      break;
  }
  return x;
}

/// f'(x).
LM_DEVICE f32 slope(Fn f, f32 x, f32 p) {
  switch (f) {
    case Fn::kGeluTanh: {
      const f32 t = tanhf(kGeluRate * (x + kGeluCubic * x * x * x));
      return 0.5f * (1.0f + t) +
             0.5f * x * (1.0f - t * t) * kGeluRate * (1.0f + 3.0f * kGeluCubic * x * x);
    }
    case Fn::kGeluErf:
      return 0.5f * erfcf(-x * kInvSqrt2) + x * kInvSqrt2Pi * expf(-0.5f * x * x);
    case Fn::kRelu:
      return x > 0 ? 1.0f : 0.0f;
    case Fn::kRelu2:
      return x > 0 ? 2.0f * x : 0.0f;
    case Fn::kSilu: {
      const f32 s = sigmoid(x);
      return s * (1.0f + x * (1.0f - s));
    }
    case Fn::kTanh: {
      const f32 t = tanhf(x);
      return 1.0f - t * t;
    }
    case Fn::kSigmoid: {
      const f32 s = sigmoid(x);
      return s * (1.0f - s);
    }
    case Fn::kExp:
      return expf(x);
    case Fn::kLog:
      return 1.0f / x;
    case Fn::kSquare:
      return 2.0f * x;
    case Fn::kSqrt:
      return 0.5f / sqrtf(x);
    case Fn::kSoftcap: {
      const f32 t = tanhf(x / p);
      return 1.0f - t * t;
    }
    case Fn::kLogSigmoid:
      return sigmoid(-x);
    case Fn::kNone:
      break;
  }
  return 1.0f;
}

}  // namespace lm::cuda
