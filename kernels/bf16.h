#pragma once
// bfloat16 and binary16 as the launchers' headers name them, for host code and kernels: storage
// only. Kernels widen and round them (element.h).

#include "core/types.h"

namespace lm::cuda {

/// The upper half of an f32.
struct Bf16 {
  u16 bits;
};
/// IEEE binary16, only read: weights of checkpoints.
struct F16 {
  u16 bits;
};

}  // namespace lm::cuda
