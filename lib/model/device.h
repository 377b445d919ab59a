#pragma once
// Which device computes, and in what type.

#include <string_view>

#include "graph/backend.h"

namespace lm::model {

/// The backend of a --device value: "cpu", "cuda", "cuda:1"; "auto": the first GPU where this build
/// has kernels and one works, else the CPU. wish: fall back to the CPU for "cuda" too. Throws
/// Error{kUsage} for other texts, Error{kUnavailable} with the reason a GPU cannot be had.
const Backend& backend_for(std::string_view device, bool wish = false);

/// The activation type of a --dtype value: "f32", "bf16", or "auto": bf16 on a GPU, f32 on the CPU.
/// Throws Error{kUsage} for other texts, Error{kUnavailable} for bf16 on the CPU.
DType dtype_for(std::string_view dtype, const Backend& backend);

/// Where a model runs, and the type of its activations.
struct Compute {
  const Backend* backend = nullptr;  // null: the CPU
  DType activation = DType::kF32;
};
/// Both at once, from --device and --dtype.
Compute compute_for(std::string_view device, std::string_view dtype, bool wish = false);

}  // namespace lm::model
