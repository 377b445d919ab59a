// Paged attention on the block emulator.

#include "catch.h"
#include "core/parallel.h"
#include "cuda_backend.h"
#include "unit/cuda/paged_cases.h"

using namespace lm;

TEST_CASE("paged attention on the emulated device agrees with the reference", "[cuda]") {
  set_threads(2);
  test::check_paged_values(cuda::cuda_backend());
}

TEST_CASE("a row over pages has equal bits however it is computed", "[cuda]") {
  test::check_paged_bits(cuda::cuda_backend());
}
