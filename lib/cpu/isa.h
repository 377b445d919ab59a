#pragma once
// The level in use, for the drivers of this room.

#include "cpu/isa/table.h"

namespace lm::cpu {

/// Kernels of the chosen level (kernels.h, select_isa).
const isa::Kernels& active();

}  // namespace lm::cpu
