#include <algorithm>
#include <cmath>
#include <limits>

#include "catch.h"
#include "core/random.h"
#include "cpu/draw.h"
#include "unit/cpu/kernel_helpers.h"

using namespace lm;

namespace {

constexpr f32 kInf = std::numeric_limits<f32>::infinity();

std::vector<f32> noise(i64 n) {
  const RandomStream random(static_cast<u64>(n), RandomPurpose::kOther);
  std::vector<f32> out;
  for (i64 i = 0; i < n; ++i)
    out.push_back(static_cast<f32>(5 * random.normal(static_cast<u64>(i))));
  return out;
}

}  // namespace

TEST_CASE("a row's blocks have their largest, and its kind is that of its worst", "[cpu]") {
  test::for_each_isa([] {
    for (const i64 n : {1, 3, 63, 64, 65, 128, 200, 1000, 1027}) {
      CAPTURE(n);
      const std::vector<f32> row = noise(n);
      std::vector<f32> tops(usize((n + cpu::kTopBlock - 1) / cpu::kTopBlock));
      CHECK(cpu::scan_row(n, row.data(), tops.data()) == cpu::RowKind::kFinite);
      for (i64 b = 0; b < isize(tops); ++b) {
        const i64 end = std::min(n, (b + 1) * cpu::kTopBlock);
        CHECK(tops[usize(b)] ==
              *std::max_element(row.begin() + b * cpu::kTopBlock, row.begin() + end));
      }
      for (i64 at = 0; at < n; at += 7) {
        const auto kind_with = [&](f32 value) {
          std::vector<f32> changed = row;
          changed[usize(at)] = value;
          return cpu::scan_row(n, changed.data(), tops.data());
        };
        CHECK(kind_with(kInf) == cpu::RowKind::kOdd);
        CHECK(kind_with(std::nanf("")) == cpu::RowKind::kOdd);
        CHECK(kind_with(-kInf) == cpu::RowKind::kBanned);
      }
    }
  });
}

TEST_CASE("exponentials of a row and their sum", "[cpu]") {
  test::for_each_isa([] {
    for (const i64 n : {1, 7, 8, 31, 32, 33, 500}) {
      CAPTURE(n);
      const std::vector<f32> row = noise(n);
      const std::vector<f64> x(row.begin(), row.end());
      const f64 top = cpu::max_of(n, x.data());
      CHECK(top == *std::max_element(x.begin(), x.end()));
      std::vector<f64> out(usize(n));
      const f64 sum = cpu::exp_shifted(n, x.data(), top, out.data());
      f64 slow = 0;
      for (i64 i = 0; i < n; ++i) {
        const f64 want = std::exp(x[usize(i)] - top);
        CHECK(std::abs(out[usize(i)] - want) <= 1e-15 * want);
        slow += want;
      }
      CHECK(std::abs(sum - slow) <= 1e-14 * slow);
    }
    const f64 low[] = {-1e300, 0};
    f64 out[2];
    CHECK(cpu::exp_shifted(2, low, 0, out) == 1);
    CHECK(out[0] < 1e-300);
  });
  CHECK(cpu::max_of(0, nullptr) == -std::numeric_limits<f64>::infinity());
}

TEST_CASE("uniforms near one are found by their counters", "[cpu]") {
  test::for_each_isa([] {
    const RandomStream random(1, RandomPurpose::kOther);
    for (u64 trial = 0; trial < 60; ++trial) {
      CAPTURE(trial);
      const auto word = [&](u64 i) { return static_cast<u32>(random.bits(trial * 10 + i)); };
      const cpu::DrawBlock block = {word(0), word(1), 1, word(2), word(3)};
      const u32 first = trial % 3 == 0 ? 0xffffff00u : word(4);
      const i64 counters = 1 + static_cast<i64>(trial * 7 % 250);
      const u32 limit = u32{1} << (trial % 28);
      std::vector<u32> out(usize(2 * counters));
      out.resize(usize(cpu::near_one(block, first, counters, limit, out.data())));
      std::vector<u32> want;
      for (u32 i = 0; i < static_cast<u32>(counters); ++i) {
        const Philox4 w =
            philox({first + i, block.word1, block.word2, block.word3}, {block.key0, block.key1});
        if (1 - uniform53(w[0], w[1]) < limit * 0x1p-27) want.push_back(2 * i);
        if (1 - uniform53(w[2], w[3]) < limit * 0x1p-27) want.push_back(2 * i + 1);
      }
      REQUIRE(out == want);
    }
  });
}
