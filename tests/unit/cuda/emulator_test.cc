// The block emulator itself: it runs what is right and names what is wrong.

#include "block.h"
#include "catch.h"
#include "core/error.h"

using namespace lm;
using Catch::Matchers::Contains;

namespace {

void sum_kernel(i64 n, const f32* x, f32* out) {
  f32 sum = 0;
  for (i64 i = cu::thread(); i < n; i += cu::block_size())
    sum += x[i];
  sum = cu::block_sum(sum);
  if (cu::thread() == 0) out[cu::block()] = sum;
}

void half_barrier() {
  if (cu::thread() < 32) cu::sync();
}

void unread(f32* out) {
  LM_SHARED(f32, part, 64);
  out[0] = part[cu::thread()];
}

void race(f32* out) {
  LM_SHARED(f32, part, 64);
  part[cu::thread()] = 1.0f;
  out[cu::thread()] = part[63 - cu::thread()];
}

void outside() {
  LM_SHARED(f32, part, 64);
  part[cu::thread() + 1] = 1.0f;
}

void ordered(f32* out) {
  LM_SHARED(f32, part, 64);
  part[cu::thread()] = static_cast<f32>(cu::thread());
  cu::sync();
  const f32 other = part[63 - cu::thread()];
  cu::sync();
  part[cu::thread()] = other;
  out[cu::thread()] = part[cu::thread()];
}

void unaligned(f32* x) {
  cu::store4(x + 1, cu::Four{});
}

template <typename F>
std::string message_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kInternal);
    return e.message();
  }
  return "no error";
}

}  // namespace

TEST_CASE("barriers and exchanges meet as on a device", "[cuda][emulator]") {
  std::vector<f32> x;
  for (i64 i = 0; i < 1000; ++i)
    x.push_back(static_cast<f32>(i));
  std::vector<f32> out(3);
  for (const int threads : {32, 96, 256}) {
    cu::launch("sum", sum_kernel, 3, threads, nullptr, i64{1000}, x.data(), out.data());
    CHECK(out == std::vector<f32>(3, 499500.0f));  // exact: all partial sums are below 2^24
  }
  std::vector<f32> reversed(64);
  cu::launch("ordered", ordered, 1, 64, nullptr, reversed.data());
  CHECK((reversed[0] == 63.0f && reversed[63] == 0.0f));
}

TEST_CASE("mistakes in kernels are named", "[cuda][emulator]") {
  std::vector<f32> out(64);
  alignas(16) std::array<f32, 8> four{};
  const auto run = [&](auto kernel, auto... args) {
    return message_of([&] { cu::launch("k", kernel, 1, 64, nullptr, args...); });
  };
  CHECK_THAT(run(half_barrier), Contains("never reach"));
  CHECK_THAT(run(unread, out.data()), Contains("read before it is written"));
  CHECK_THAT(run(race, out.data()), Contains("race") || Contains("before it is written"));
  CHECK_THAT(run(outside), Contains("outside 64"));
  CHECK_THAT(run(unaligned, four.data()), Contains("unaligned"));
  // The machine is whole afterwards.
  cu::launch("ordered", ordered, 1, 64, nullptr, out.data());
  CHECK(out[5] == 58.0f);
}
