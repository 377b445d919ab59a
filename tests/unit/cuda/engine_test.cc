// Inference on the block emulator.

#include "catch.h"
#include "core/parallel.h"
#include "cuda_backend.h"
#include "unit/cuda/engine_cases.h"

using namespace lm;

TEST_CASE("the engine on the emulated device decodes as the CPU does", "[cuda]") {
  set_threads(2);
  test::check_engine_values(cuda::cuda_backend());
}

TEST_CASE("the engine decodes in bf16 on the emulated device", "[cuda]") {
  test::check_engine_bf16(cuda::cuda_backend());
}

TEST_CASE("logits on the emulated device depend on a row alone", "[cuda]") {
  test::check_engine_bits(cuda::cuda_backend());
}
