#pragma once
// The f32 kernels of the CPU backend: plain pointers, i64 sizes, parallel inside (core/parallel.h).
// What holds for every function here:
//  - Same bits for any thread count. A result element depends only on its own inputs and on the
//    instruction-set level (isa_name()), never on how many other rows were computed with it.
//  - Matrices are row-major; `ld*` is the distance between rows in elements, >= the row length.
//  - No alignment is required; zero rows are legal; an output may alias an input only where the
//    comment says so. Shapes are the caller's to get right: only cheap invariants are checked.
//  - Functions allocate at most small per-thread scratch, kept between calls.

#include <string_view>
#include <vector>

#include "cpu/attention.h"
#include "cpu/gemm.h"
#include "cpu/loss.h"
#include "cpu/norm.h"
#include "cpu/pointwise.h"

namespace lm::cpu {

/// Instruction-set levels this machine can run, worst first: a prefix of {"v2", "v3", "v4"}
/// (x86-64 micro-architecture levels).
std::vector<std::string_view> supported_isas();

/// Chooses the level: "auto" (the best; also the state at start) or one of supported_isas().
/// Call before any PackedWeights exists and while no kernel runs. Throws Error{kUsage} for an
/// unknown name and Error{kUnavailable} for a level this processor lacks.
void select_isa(std::string_view name);

/// The level in use: "v2", "v3" or "v4".
std::string_view isa_name();

}  // namespace lm::cpu
