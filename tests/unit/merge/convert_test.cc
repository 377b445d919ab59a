#include "merge/convert.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "catch.h"
#include "core/random.h"
#include "tensor/convert.h"
#include "tensor/float8.h"

using namespace lm;

namespace {

std::vector<u16> all_codes() {
  std::vector<u16> codes(65536);
  for (std::size_t i = 0; i < codes.size(); ++i)
    codes[i] = static_cast<u16>(i);
  return codes;
}
const u8* bytes_of(const std::vector<u16>& codes) {
  return reinterpret_cast<const u8*>(codes.data());
}

// The nearest code by trying neighbours: slow, obvious.
template <class Value>
u16 nearest(f64 value, Value widen, u16 infinity) {
  u16 low = 0;
  u16 high = infinity;
  const f64 magnitude = std::fabs(value);
  while (high - low > 1) {
    const u16 middle = static_cast<u16>((low + high) / 2);
    (widen(middle) <= magnitude ? low : high) = middle;
  }
  const f64 here = widen(low);
  const f64 next =
      high == infinity ? here + (here - widen(static_cast<u16>(low - 1))) : widen(high);
  const f64 half = (here + next) / 2;
  const bool up = magnitude > half || (magnitude == half && (low & 1) == 1);
  return static_cast<u16>((up ? high : low) | (std::signbit(value) ? 0x8000 : 0));
}

}  // namespace

TEST_CASE("every 16-bit pattern widens as the scalar conversion says", "[merge]") {
  const std::vector<u16> codes = all_codes();
  std::vector<f32> narrow_out(codes.size());
  std::vector<f64> wide_out(codes.size());
  for (const DType dtype : {DType::kBf16, DType::kF16}) {
    merge::widen(dtype, bytes_of(codes), isize(codes), narrow_out.data());
    merge::widen(dtype, bytes_of(codes), isize(codes), wide_out.data());
    i64 wrong = 0;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const f32 want = dtype == DType::kBf16 ? bf16_to_f32(codes[i]) : f16_to_f32(codes[i]);
      wrong += std::bit_cast<u32>(narrow_out[i]) != std::bit_cast<u32>(want) ? 1 : 0;
      const bool same = std::isnan(want) ? std::isnan(wide_out[i])
                                         : std::bit_cast<u64>(wide_out[i]) ==
                                               std::bit_cast<u64>(static_cast<f64>(want));
      wrong += same ? 0 : 1;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("every 16-bit pattern comes back from f32 and f64", "[merge]") {
  const std::vector<u16> codes = all_codes();
  for (const DType dtype : {DType::kBf16, DType::kF16}) {
    std::vector<f32> single(codes.size());
    std::vector<f64> wide(codes.size());
    merge::widen(dtype, bytes_of(codes), isize(codes), single.data());
    merge::widen(dtype, bytes_of(codes), isize(codes), wide.data());
    std::vector<u16> back(codes.size());
    std::vector<u16> wide_back(codes.size());
    CHECK_FALSE(
        merge::narrow(dtype, single.data(), isize(codes), reinterpret_cast<u8*>(back.data())));
    merge::narrow(dtype, wide.data(), isize(codes), reinterpret_cast<u8*>(wide_back.data()));
    i64 wrong = 0;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (std::isnan(single[i])) {  // stays a NaN of that sign
        const u16 infinity = dtype == DType::kBf16 ? 0x7f80 : 0x7c00;
        wrong += (back[i] & 0x7fff) > infinity && (back[i] >> 15) == (codes[i] >> 15) ? 0 : 1;
      } else {
        wrong += back[i] != codes[i] || wide_back[i] != codes[i] ? 1 : 0;
      }
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("numbers round once to nearest even, from f64 too", "[merge]") {
  const RandomStream random(7, RandomPurpose::kOther);
  std::vector<f64> values;
  for (u64 i = 0; i < 20000; ++i) {
    const u16 code = static_cast<u16>(random.below(2 * i, 0x7bff));
    for (const f64 value : {f64{f16_to_f32(code)}, f64{bf16_to_f32(code)}}) {
      const f64 next = std::nextafter(value, 1e30);
      values.push_back(value * (1 + 0x1p-9));  // beside the ties of bf16
      values.push_back(std::nextafter(value * (1 + 0x1p-9), 1e30));
      values.push_back(value * (1 + 0x1p-12));
      values.push_back(-std::nextafter(value * (1 + 0x1p-12), 0.0));
      values.push_back(next);
    }
    values.push_back(random.normal(2 * i + 1) * 0x1p-15);
  }
  std::vector<u16> out(values.size());
  merge::narrow(DType::kBf16, values.data(), isize(values), reinterpret_cast<u8*>(out.data()));
  i64 wrong = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto widen = [](u16 code) { return f64{bf16_to_f32(code)}; };
    wrong += out[i] != nearest(values[i], widen, 0x7f80) ? 1 : 0;
  }
  CHECK(wrong == 0);
  merge::narrow(DType::kF16, values.data(), isize(values), reinterpret_cast<u8*>(out.data()));
  wrong = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto widen = [](u16 code) { return f64{f16_to_f32(code)}; };
    wrong += out[i] != nearest(values[i], widen, 0x7c00) ? 1 : 0;
  }
  CHECK(wrong == 0);
}

TEST_CASE("8-bit types have the values of their specification and round to nearest", "[merge]") {
  CHECK(kE4m3[0x7e] == 448.0f);
  CHECK(kE4m3[0x01] == 0x1p-9f);
  CHECK(kE4m3[0x08] == 0x1p-6f);
  CHECK(std::isnan(kE4m3[0xff]));
  CHECK(kE5m2[0x7b] == 57344.0f);
  CHECK(std::isinf(kE5m2[0xfc]));
  for (const DType dtype : {DType::kF8E4m3, DType::kF8E5m2}) {
    const Float8Table& table = dtype == DType::kF8E4m3 ? kE4m3 : kE5m2;
    const int finite = dtype == DType::kF8E4m3 ? 127 : 124;
    for (int code = 0; code < finite; ++code) {
      const f32 value = table[usize(code)];
      f32 in[4] = {value, -value, value, value};
      if (code + 1 < finite) {
        const f32 middle = (value + table[usize(code + 1)]) / 2;
        in[2] = middle;
        in[3] = std::nextafter(middle, 1e9f);
      }
      u8 out[4];
      CHECK(merge::narrow(dtype, in, 4, out));
      CHECK(out[0] == code);
      CHECK(out[1] == (code | 0x80));
      if (code + 1 < finite) {
        CHECK(out[2] == (code % 2 == 0 ? code : code + 1));
        CHECK(out[3] == code + 1);
      }
    }
    const f32 beyond = 1e9f;
    u8 out = 0;
    CHECK_FALSE(merge::narrow(dtype, &beyond, 1, &out));
  }
}

TEST_CASE("infinities and NaN are noticed in every type", "[merge]") {
  const f32 inf = std::numeric_limits<f32>::infinity();
  std::vector<f32> values(1000, 1.0f);
  CHECK(merge::all_finite(values.data(), 1000));
  values[999] = -inf;
  CHECK_FALSE(merge::all_finite(values.data(), 1000));
  CHECK(merge::all_finite(values.data(), 999));
  const f64 large = 1e300;
  u8 out[8];
  CHECK(merge::narrow(DType::kF64, &large, 1, out));
  CHECK_FALSE(merge::narrow(DType::kF32, &large, 1, out));
  CHECK_FALSE(merge::narrow(DType::kBf16, &large, 1, out));
  const f64 seventy_thousand = 70000;
  CHECK_FALSE(merge::narrow(DType::kF16, &seventy_thousand, 1, out));
}
