// What the cuda room says for itself in this build: kernels or stub.

#include "catch.h"
#include "cublaslt_shim.h"
#include "cuda_backend.h"

using namespace lm;

TEST_CASE("a device that is not there is an unavailable error with the reason", "[cuda]") {
  const cuda::Availability a = cuda::available();
  if (a.devices > 0) {
    CHECK_THROWS_AS(cuda::cuda_backend(static_cast<int>(a.devices)), Error);
    return;
  }
  REQUIRE_FALSE(a.reason.empty());
  try {
    cuda::cuda_backend();
    FAIL("an error was expected");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kUnavailable);  // exit status 69
    CHECK(e.message() == "device cuda:0: " + a.reason);
    CHECK_FALSE(e.hint().empty());
  }
}

#ifdef LM_HAVE_CUDA

// The parts of the real library that need no device: its functions resolve, and it takes every
// attribute that the shim sets, in the shim's sizes.
TEST_CASE("the library opens and accepts the shim's descriptions", "[cuda]") {
  cuda::LtTable t;
  try {
    t = cuda::load_cublaslt();
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kUnavailable);
    LM_SKIP(e.message());
  }
  using namespace cuda::lt;
  CHECK(t.version() >= 120000);
  void* desc = nullptr;
  REQUIRE(t.desc_create(&desc, kCompute32F, kR32F) == 0);
  const i32 transposed = kOpT;
  CHECK(t.desc_set(desc, kDescTransA, &transposed, sizeof transposed) == 0);
  CHECK(t.desc_set(desc, kDescTransB, &transposed, sizeof transposed) == 0);
  for (const i32 epilogue :
       {kEpilogueDefault, kEpilogueBias, kEpilogueGeluAux, kEpilogueGeluAuxBias}) {
    CHECK(t.desc_set(desc, kDescEpilogue, &epilogue, sizeof epilogue) == 0);
  }
  const f32* pointer = nullptr;
  const i64 ld = 8;
  CHECK(t.desc_set(desc, kDescBias, &pointer, sizeof pointer) == 0);
  CHECK(t.desc_set(desc, kDescAux, &pointer, sizeof pointer) == 0);
  CHECK(t.desc_set(desc, kDescAuxLd, &ld, sizeof ld) == 0);
  CHECK(t.desc_set(desc, kDescAuxLd, &ld, 1) != 0);  // it does check sizes
  void* layout = nullptr;
  REQUIRE(t.layout_create(&layout, kR32F, 4, 3, 8) == 0);
  const i32 batch = 2;
  CHECK(t.layout_set(layout, kLayoutBatch, &batch, sizeof batch) == 0);
  CHECK(t.layout_set(layout, kLayoutBatchStride, &ld, sizeof ld) == 0);
  void* pref = nullptr;
  REQUIRE(t.pref_create(&pref) == 0);
  const u64 most = 1 << 20;
  const u32 align = 16;
  CHECK(t.pref_set(pref, kPrefWorkspace, &most, sizeof most) == 0);
  for (const int attribute : {kPrefAlignA, kPrefAlignB, kPrefAlignC, kPrefAlignD}) {
    CHECK(t.pref_set(pref, attribute, &align, sizeof align) == 0);
  }
  CHECK(t.pref_destroy(pref) == 0);
  CHECK(t.layout_destroy(layout) == 0);
  CHECK(t.desc_destroy(desc) == 0);
}

#endif
