#pragma once
// The CUDA side of the operator table. Where the build found no nvcc, the same functions exist and
// say so (stub/cuda_backend.cc).

#include <string>

#include "graph/exec.h"

namespace lm::cuda {

struct Availability {
  i64 devices = 0;     // usable ones; 0: see reason
  std::string reason;  // "built without CUDA", "no CUDA-capable device is detected", ...
};

/// What this build and machine offer. Never throws, touches no device.
Availability available();

/// Kernels of every operator for f32 values (weights of linear and losses and
/// embedding tables may be bf16 or f16) on device `index`. Opens the driver and cuBLASLt at the
/// first call, which fixes the device of this process. Throws Error{kUnavailable} with the reason:
/// no kernels in this build, no device, a library missing, or another device in use.
/// Bad ids, positions, targets and spans in data are Error{kData} from the next
/// Backend::synchronize or to_host. One thread at a time runs graphs.
const Backend& cuda_backend(int index = 0);

}  // namespace lm::cuda
