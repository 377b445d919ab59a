// The CUDA operator table on the block emulator: every operator case against the double-precision
// reference, its gradients, and equal bits at every run.

#include <algorithm>

#include "catch.h"
#include "core/parallel.h"
#include "cpu/backend.h"
#include "cuda_backend.h"
#include "ops/kernel_list.h"
#include "ops/ops.h"
#include "unit/cuda/device_cases.h"

using namespace lm;
using namespace lm::test;

TEST_CASE("operators on the emulated device agree with the reference", "[cuda]") {
  check_outputs(cuda::cuda_backend(), "");
}

TEST_CASE("gradients on the emulated device agree with the CPU's", "[cuda]") {
  set_threads(2);
  check_gradients(cuda::cuda_backend(), "", {"150", "1100x", "[600", "300, 67"});
}

TEST_CASE("the emulated device gives equal bits at every run", "[cuda]") {
  for (const char* family : {"linear_ce", "norm", "reduce", "embedding", "attention 37", "glu"}) {
    check_repetition(cuda::cuda_backend(), family, {"1100x", "300, 67"});
  }
}

TEST_CASE("the table has every operator that is not the CPU's alone", "[cuda]") {
#define LM_NAME_OF(op, function) Op::op,
  constexpr Op kHostOnly[] = {LM_HOST_KERNELS(LM_NAME_OF)};
#undef LM_NAME_OF
  const Backend& b = cuda::cuda_backend();
  REQUIRE(isize(b.kernels) == kOpCount);
  for (i64 i = 1; i < kOpCount; ++i) {
    INFO(ops()[usize(i)].name);
    const bool host = std::find(std::begin(kHostOnly), std::end(kHostOnly), static_cast<Op>(i)) !=
                      std::end(kHostOnly);
    CHECK((b.kernels[usize(i)].run == nullptr) == host);
  }
}

TEST_CASE("dropout draws the CPU's mask", "[cuda]") {
  CaseGraph c(5);
  const Value y = dropout(c.g, c.f({37, 19}), 0.3f);
  c.g.keep(y);
  RunCtx ctx;
  ctx.seed = 9;
  ctx.step = 4;
  ctx.micro_step = 2;
  ctx.training = true;
  const std::vector<u32> device = DeviceRun(c, cuda::cuda_backend(), {}, ctx).bits(y);
  CHECK(device == DeviceRun(c, cpu_backend(), {}, ctx).bits(y));
  ctx.step = 5;
  CHECK_FALSE(device == DeviceRun(c, cuda::cuda_backend(), {}, ctx).bits(y));
}

namespace {

std::string error_of(CaseGraph& c, Value y) {
  c.g.keep(y);
  try {
    DeviceRun(c, cuda::cuda_backend()).bits(y);
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kData);
    return e.message();
  }
  return "no error";
}

}  // namespace

TEST_CASE("bad numbers in data become one error when the device is waited for", "[cuda]") {
  {
    CaseGraph c(1);
    const Value ids = c.ints({3}, {1, 7, 0});
    CHECK(error_of(c, embedding(c.g, ids, c.f({5, 4}))) == "token 7 at row 1 is outside [0, 5)");
  }
  {
    CaseGraph c(1);
    const Value spans = c.ints({2, 6}, {0, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0});
    const AttentionAttr attr{1, 1, 4, 0.0f, 0.0f, true};
    CHECK(error_of(c, attention(c.g, c.f({2, 12}), spans, attr)) ==
          "span edge 9 at row 1 is outside [0, 2)");
  }
  {
    CaseGraph c(1);
    const Value x = c.f({2, 4});
    const Value w = c.param({6, 4});
    const CeResult r = linear_ce(c.g, x, w, c.ints({2}, {5, -3}), {}, CeAttr{6, 0, 0, 0, false});
    CHECK(error_of(c, r.sum) == "target -3 at row 1 is outside [0, 6)");
  }
  CaseGraph c(1);  // and the next run is clean
  const Value y = embedding(c.g, c.ints({1}, {2}), c.f({5, 4}));
  CHECK(error_of(c, y) == "no error");
}
