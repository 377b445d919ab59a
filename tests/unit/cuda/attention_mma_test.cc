// Tensor-core attention on the block emulator, and the instructions of mma.h against their
// documented layouts.

#include <cmath>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"
#include "mma.h"
#include "unit/cuda/attention_mma_cases.h"

using namespace lm;
using namespace lm::test;
using Catch::Matchers::Contains;

namespace {

u16 bits_of(i64 i) {
  const RandomStream draw(3, RandomPurpose::kOther);
  return f32_to_bf16(static_cast<f32>(draw.normal(static_cast<u64>(i))));
}

// Matrices of one warp: out[lane] are the registers.
void copy_in(const u16* from, int chunks) {
  for (int i = cu::lane(); i < chunks; i += 32)
    cu::cp_async_16(static_cast<u32>(16 * i), from + 8 * i, true);
  cu::cp_async_commit();
  cu::cp_async_wait<0>();
  cu::sync();
}
void load_kernel(const u16* from, u32* plain, u32* trans) {
  copy_in(from, 32);
  u32 r[4];
  const u32 row = cu::dynamic_shared() + static_cast<u32>(16 * cu::lane());
  cu::ldmatrix_x4(r, row);
  std::copy_n(r, 4, plain + 4 * cu::lane());
  cu::ldmatrix_x4_trans(r, row);
  std::copy_n(r, 4, trans + 4 * cu::lane());
}
void mma_kernel(const u32* a, const u32* b, f32* c) {
  const int lane = cu::lane();
  f32 sum[4];
  std::copy_n(c + 4 * lane, 4, sum);
  const u32 fragment[4] = {a[4 * lane], a[4 * lane + 1], a[4 * lane + 2], a[4 * lane + 3]};
  cu::mma_m16n8k16_bf16(sum, fragment, b[2 * lane], b[2 * lane + 1]);
  std::copy_n(sum, 4, c + 4 * lane);
}

void conflicting() {
  for (int i = cu::lane(); i < 128; i += 32)
    cu::cp_async_16(static_cast<u32>(16 * i), nullptr, false);
  cu::cp_async_commit();
  cu::cp_async_wait<0>();
  cu::sync();
  u32 r[4];
  cu::ldmatrix_x4(r, static_cast<u32>(64 * cu::lane()));
}
void no_wait() {
  cu::cp_async_16(static_cast<u32>(16 * cu::thread()), nullptr, false);
  cu::cp_async_commit();
  cu::sync();
  cu::shared_load16(static_cast<u32>(16 * cu::thread()));
}
void no_barrier() {
  cu::cp_async_16(static_cast<u32>(16 * cu::thread()), nullptr, false);
  cu::cp_async_commit();
  cu::cp_async_wait<0>();
  u32 r[4];
  cu::ldmatrix_x4(r, static_cast<u32>(16 * (31 - cu::lane())));
}
void too_few_waits() {
  for (u32 i = 0; i < 2; ++i) {
    cu::cp_async_16(static_cast<u32>(16 * cu::thread()) + 512 * i, nullptr, false);
    cu::cp_async_commit();
  }
  cu::cp_async_wait<1>();
  cu::shared_load16(static_cast<u32>(16 * cu::thread()));
  cu::shared_load16(static_cast<u32>(16 * cu::thread()) + 512);
}
void overwritten() {
  cu::shared_store(static_cast<u32>(4 * cu::thread()), 1);
  cu::sync();
  cu::shared_load16(static_cast<u32>(16 * (cu::thread() / 4)));
  cu::sync_warp();
  if (cu::thread() >= 32) cu::shared_store(static_cast<u32>(4 * (cu::thread() - 32)), 1);
}
void beyond() {
  cu::shared_store(static_cast<u32>(4 * cu::thread() + 4096 - 64), 1);
}

std::string message_of(void (*kernel)()) {
  try {
    cu::launch_shared("k", kernel, 1, 64, 4096, nullptr);
  } catch (const Error& e) {
    return e.message();
  }
  return "no error";
}

}  // namespace

TEST_CASE("matrices are loaded as documented", "[cuda][attention_mma]") {
  std::vector<u16> rows;  // four matrices of 8 x 8
  for (i64 i = 0; i < 256; ++i)
    rows.push_back(bits_of(i));
  alignas(16) u16 from[256];
  std::copy(rows.begin(), rows.end(), from);
  std::vector<u32> plain(128), trans(128);
  const i64 conflicts = emu::bank_conflicts();
  cu::launch_shared("load", load_kernel, 1, 32, 512, nullptr, from, plain.data(), trans.data());
  CHECK(emu::bank_conflicts() == conflicts);
  for (i64 lane = 0; lane < 32; ++lane) {
    for (i64 m = 0; m < 4; ++m) {
      const i64 g = lane / 4, t = lane % 4;
      const auto at = [&](i64 row, i64 col) { return u32{rows[usize(64 * m + 8 * row + col)]}; };
      CHECK(plain[usize(4 * lane + m)] == (at(g, 2 * t) | at(g, 2 * t + 1) << 16));
      CHECK(trans[usize(4 * lane + m)] == (at(2 * t, g) | at(2 * t + 1, g) << 16));
    }
  }
  cu::launch_shared("conflicting", conflicting, 1, 32, 2048, nullptr);
  CHECK(emu::bank_conflicts() > conflicts);
}

TEST_CASE("matrix products follow the documented fragments", "[cuda][attention_mma]") {
  // A [16, 16], B [16, 8], C [16, 8], row-major.
  const auto a = [](i64 row, i64 col) { return bits_of(16 * row + col); };
  const auto b = [](i64 row, i64 col) { return bits_of(1000 + 8 * row + col); };
  const auto c = [](i64 row, i64 col) { return static_cast<f32>(row - 3 * col); };
  std::vector<u32> a_regs, b_regs;
  std::vector<f32> sums;
  const auto two = [](u16 low, u16 high) { return u32{low} | u32{high} << 16; };
  for (i64 lane = 0; lane < 32; ++lane) {
    const i64 g = lane / 4, t = lane % 4;
    for (const i64 col : {2 * t, 2 * t + 8}) {
      for (const i64 row : {g, g + 8})
        a_regs.push_back(two(a(row, col), a(row, col + 1)));
    }
    for (const i64 row : {2 * t, 2 * t + 8})
      b_regs.push_back(two(b(row, g), b(row + 1, g)));
    for (const i64 row : {g, g + 8}) {
      sums.push_back(c(row, 2 * t));
      sums.push_back(c(row, 2 * t + 1));
    }
  }
  cu::launch("mma", mma_kernel, 1, 32, nullptr, a_regs.data(), b_regs.data(), sums.data());
  for (i64 lane = 0; lane < 32; ++lane) {
    for (i64 i = 0; i < 4; ++i) {
      const i64 row = lane / 4 + i / 2 * 8, col = lane % 4 * 2 + i % 2;
      f64 expected = c(row, col);
      for (i64 k = 0; k < 16; ++k)
        expected += f64{bf16_to_f32(a(row, k))} * bf16_to_f32(b(k, col));
      CHECK(std::fabs(sums[usize(4 * lane + i)] - expected) < 1e-4);
    }
  }
}

TEST_CASE("mistakes with dynamic shared memory are named", "[cuda][attention_mma]") {
  CHECK_THAT(message_of(no_wait), Contains("during an asynchronous copy"));
  CHECK_THAT(message_of(no_barrier), Contains("race") || Contains("during an asynchronous copy"));
  CHECK_THAT(message_of(too_few_waits), Contains("during an asynchronous copy"));
  CHECK_THAT(message_of(overwritten), Contains("race") && Contains("reader"));
  CHECK_THAT(message_of(beyond), Contains("outside 4096"));
}

TEST_CASE("tensor-core attention agrees with the reference", "[cuda][attention_mma]") {
  const i64 conflicts = emu::bank_conflicts();
  for (const AttentionCase& c : attention_cases(false))
    check_attention(c);
  CHECK(emu::bank_conflicts() == conflicts);
}
