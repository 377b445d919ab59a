#pragma once
// The elementwise functions, named once for graphs and for the kernels of every backend.

#include "core/types.h"

namespace lm {

/// y = f(x). gelu_tanh(a) = a/2 (1 + tanh(sqrt(2/pi)(a + 0.044715 a^3))), gelu_erf(a) = a Phi(a),
/// relu2 = max(a,0)^2, softcap(x) = c tanh(x/c), log_sigmoid = -log(1 + e^-x), log1mexp(x) =
/// log(1 - e^x) of x < 0, step(x) = 1 where x > 0, else 0, with slope 0.
enum class Unary : u8 {
  kNone,
  kGeluTanh,
  kGeluErf,
  kRelu,
  kRelu2,
  kSilu,
  kTanh,
  kSigmoid,
  kExp,
  kLog,
  kSquare,
  kSqrt,
  kSoftcap,
  kLogSigmoid,
  kLog1mExp,
  kStep
};

}  // namespace lm
