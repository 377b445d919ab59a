// The operator table on a real device. Without one the test says so and is reported as skipped.

#include "gpu/device.h"

#include "catch.h"
#include "core/parallel.h"
#include "cuda_backend.h"
#include "unit/cuda/device_cases.h"

using namespace lm;
using namespace lm::test;

TEST_CASE("operators on the device agree with the reference", "[gpu]") {
  if (!device_present()) LM_SKIP("no CUDA device");
  check_outputs(cuda::cuda_backend(), "");
}

TEST_CASE("gradients on the device agree with the CPU's", "[gpu]") {
  if (!device_present()) LM_SKIP("no CUDA device");
  check_gradients(cuda::cuda_backend(), "");
}

TEST_CASE("the device gives equal bits at every run", "[gpu]") {
  if (!device_present()) LM_SKIP("no CUDA device");
  check_repetition(cuda::cuda_backend(), "");
}

// Small enough for compute-sanitizer, which scripts/gpu-test runs on it.
TEST_CASE("every kernel family under the memory checker", "[.][gpu][sanitize]") {
  if (!device_present()) LM_SKIP("no CUDA device");
  for (const char* family : {"7, 13", "glu", "norm", "rope", "attention 3 ", "linear_ce 9x"}) {
    check_outputs(cuda::cuda_backend(), family);
    check_gradients(cuda::cuda_backend(), family);
  }
}
