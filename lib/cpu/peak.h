#pragma once
// The speed that percentages in reports refer to: what fused multiply-adds reach on this machine
// with these threads, measured when asked. Never reaches a model's bytes.

#include "core/types.h"

namespace lm::cpu {

/// FLOP per second of independent f32 fused multiply-adds in the widest vectors the processor has,
/// on max_threads() threads: the best of many short loops, about 50 ms in all.
f64 calibrated_peak();

}  // namespace lm::cpu
