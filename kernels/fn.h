#pragma once
// The names of the elementwise functions, for host code and kernels.

#include "core/types.h"

namespace lm {
struct Stream;
}

namespace lm::cuda {

/// In the order of lm::Unary (ops/attr.h); the operator table asserts it.
enum class Fn : u8 {
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
  kLogSigmoid
};

}  // namespace lm::cuda
