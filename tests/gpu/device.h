#pragma once
// Whether a test of this program has a device to run on.

#include <iostream>

#include "cuda_backend.h"

namespace lm::test {

/// False, with the line that ctest looks for, when nothing can run.
inline bool device_present() {
  const cuda::Availability a = cuda::available();
  if (a.devices > 0) return true;
  std::cout << "skipped: no CUDA device: " << a.reason << "\n";
  return false;
}

}  // namespace lm::test
