#pragma once
// The CPU's operator table.

#include "graph/exec.h"

namespace lm {

/// Kernels of every operator for f32 values (weights of linear, embedding and losses may be bf16 or
/// f16). The instruction set is chosen at the first call. Bits do not depend on the thread count.
const Backend& cpu_backend();

}  // namespace lm
