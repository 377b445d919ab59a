#pragma once
// bfloat16 as the launchers' headers name it, for host code and kernels: storage only. Kernels
// widen and round it (element.h).

#include "core/types.h"

namespace lm::cuda {

/// The upper half of an f32.
struct Bf16 {
  u16 bits;
};

}  // namespace lm::cuda
