// The cuda room of a build without nvcc.

#include "cuda_backend.h"

namespace lm::cuda {

Availability available() {
  return {0, "this build has no CUDA kernels"};
}

const Backend& cuda_backend(int index) {
  throw Error(ErrorKind::kUnavailable,
              "device cuda:" + std::to_string(index) + ": " + available().reason,
              "build where nvcc is installed, or use --device cpu");
}

}  // namespace lm::cuda
