// Tensor-core attention on a real device: the cases of the block emulator. Without a device the
// test says so and is reported as skipped.

#include "catch.h"
#include "cuda_backend.h"
#include "gpu/device.h"
#include "unit/cuda/attention_mma_cases.h"

using namespace lm;
using namespace lm::test;

namespace {

void check_all(bool few) {
  if (!device_present()) LM_SKIP("no CUDA device");
  cuda::cuda_backend();
  for (const AttentionCase& c : attention_cases(few))
    check_attention(c);
}

}  // namespace

TEST_CASE("tensor-core attention on the device agrees with the reference", "[gpu][attention_mma]") {
  check_all(false);
}

// Small enough for compute-sanitizer, which scripts/gpu-test runs on it.
TEST_CASE("tensor-core attention under the memory checker", "[.][gpu][sanitize]") {
  check_all(true);
}
