// What the cuda room says for itself in this build: kernels or stub.

#include "catch.h"
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
