#pragma once
// A stand-in for cuBLASLt that computes column-major products on the host exactly as its interface
// describes them and records every call, so that the host side of the products is tested without
// the library or a device.

#include <vector>

#include "cublaslt_shim.h"

namespace lm::test {

struct LtLayout {
  int type = -1;
  u64 rows = 0, cols = 0;
  i64 ld = 0;
  i32 batch = 1;
  i64 batch_stride = 0;
};
struct LtCall {
  int trans_a = 0, trans_b = 0, epilogue = 1;
  const void* bias = nullptr;
  void* aux = nullptr;
  i64 aux_ld = 0;
  LtLayout a, b, c, d;
  f32 alpha = 0, beta = 0;
  std::size_t workspace_bytes = 0;
  u64 algo = 0;
};

struct LtFake {
  std::vector<LtCall> calls;
  i64 heuristic_calls = 0;
  i64 live_objects = 0;           // descriptors, layouts, preferences, handles not yet destroyed
  bool refuse_epilogues = false;  // no algorithm for anything but the default epilogue
  u32 reductions = 7;             // schemes that the last preference allows
  int fail_matmul = 0;            // status to return
  std::vector<std::size_t> proposals = {std::size_t{1} << 40, 1024};  // workspace of each algorithm
};
/// The state shared by all tables; reset it at the start of a test.
LtFake& lt_fake();

cuda::LtTable fake_cublaslt();

}  // namespace lm::test
