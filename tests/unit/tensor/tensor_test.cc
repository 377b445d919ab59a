#include "tensor/tensor.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "catch.h"
#include "tensor/convert.h"

using namespace lm;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("shapes count elements, rows and columns", "[tensor]") {
  const Shape s{2, 3, 5};
  CHECK(s.count() == 30);
  CHECK(s.rows() == 6);
  CHECK(s.cols() == 5);
  CHECK(to_string(s) == "[2, 3, 5]");
  CHECK(Shape{}.count() == 1);
  CHECK(Shape{}.rows() == 1);
  CHECK(Shape{7}.rows() == 1);
  CHECK(Shape{0, 4}.count() == 0);
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK_FALSE(Shape{6} == Shape{2, 3});
  CHECK_FALSE(Shape{6} == Shape{6, 1});
}

TEST_CASE("impossible shapes are refused", "[tensor]") {
  CHECK_THROWS_AS((Shape{1, 1, 1, 1, 1, 1}), ShapeError);
  CHECK_THROWS_WITH((Shape{3, -2}), ContainsSubstring("negative dimension -2"));
  const i64 big = i64{1} << 40;
  CHECK_THROWS_WITH((Shape{big, big}.count()), ContainsSubstring("more elements than 2^63"));
}

TEST_CASE("views follow the layout rules", "[tensor]") {
  OwnedTensor t({4, 6});
  for (i64 i = 0; i < 24; ++i)
    t.view.f32_data()[i] = static_cast<f32>(i);

  const Tensor rows = slice(t.view, 1, 2);
  CHECK(rows.shape == Shape{2, 6});
  CHECK(rows.f32_data()[0] == 6.0f);

  const Tensor cols = columns(t.view, 2, 3);
  CHECK(cols.shape == Shape{4, 3});
  CHECK(cols.ld == 6);
  CHECK(cols.f32_data()[cols.ld] == 8.0f);
  CHECK_FALSE(cols.contiguous());

  CHECK(reshape(t.view, {2, 2, 6}).ld == 6);
  CHECK(reshape(t.view, {24}).f32_data()[23] == 23.0f);
  CHECK(reshape(cols, {2, 2, 3}).ld == 6);               // keeps the last dimension
  CHECK_THROWS_AS(reshape(cols, {12}), ShapeError);      // strided
  CHECK_THROWS_AS(reshape(t.view, {5, 5}), ShapeError);  // another count
  CHECK_THROWS_AS(slice(t.view, 3, 2), ShapeError);
  CHECK_THROWS_AS(slice(t.view, -1, 1), ShapeError);
  CHECK_THROWS_AS(columns(t.view, 4, 3), ShapeError);

  const Tensor deep = slice(reshape(t.view, {2, 2, 6}), 1, 1);
  CHECK(deep.f32_data()[0] == 12.0f);
}

TEST_CASE("storage is aligned, zero and bounded", "[tensor]") {
  const Storage s = Storage::cpu(1000);
  CHECK(reinterpret_cast<std::uintptr_t>(s.data()) % 64 == 0);
  for (i64 i = 0; i < 1000; ++i)
    REQUIRE(s.data()[i] == 0);
  CHECK_NOTHROW(make_tensor(s, 0, {250}));
  CHECK_THROWS_AS(make_tensor(s, 1, {250}), Error);
  CHECK_THROWS_AS(Storage::cpu(i64{1} << 62), Error);
  OwnedTensor ints({3}, DType::kI32);
  CHECK_THROWS_AS(ints.view.f32_data(), Error);
}

TEST_CASE("every bf16 and f16 number survives a trip through f32", "[tensor]") {
  for (u32 bits = 0; bits < 65536; ++bits) {
    const u16 b = static_cast<u16>(bits);
    const f32 wide = bf16_to_f32(b);
    const f32 half = f16_to_f32(b);
    if (std::isnan(wide)) {
      REQUIRE(std::isnan(bf16_to_f32(f32_to_bf16(wide))));
    } else {
      REQUIRE(f32_to_bf16(wide) == b);
    }
    if (std::isnan(half)) {
      REQUIRE(std::isnan(f16_to_f32(f32_to_f16(half))));
    } else {
      REQUIRE(f32_to_f16(half) == b);
    }
  }
}

TEST_CASE("f16 agrees with the compiler's type and rounds ties to even", "[tensor]") {
  // Between each pair of neighbours: the midpoint goes to the even one, its neighbours outward.
  for (u32 bits = 0; bits < 0x7bff; ++bits) {
    const f32 low = f16_to_f32(static_cast<u16>(bits));
    const f32 high = f16_to_f32(static_cast<u16>(bits + 1));
    const f32 middle = low + (high - low) / 2;  // exact in f32
    const u16 even = static_cast<u16>(bits % 2 == 0 ? bits : bits + 1);
    REQUIRE(f32_to_f16(middle) == even);
    REQUIRE(f32_to_f16(std::nextafter(middle, 0.0f)) == bits);
    REQUIRE(f32_to_f16(std::nextafter(middle, 1e9f)) == bits + 1);
    REQUIRE(f32_to_f16(-middle) == (even | 0x8000));
  }
  CHECK(f16_to_f32(0x3c00) == 1.0f);
  CHECK(f16_to_f32(0x0001) == std::ldexp(1.0f, -24));
  CHECK(f32_to_f16(65519.0f) == 0x7bff);
  CHECK(f32_to_f16(65520.0f) == 0x7c00);  // halfway to 65536 rounds to infinity
}

TEST_CASE("bf16 rounds to nearest, ties to even", "[tensor]") {
  CHECK(f32_to_bf16(1.0f) == 0x3f80);
  // 1 + 2^-8 lies halfway between 1 and 1 + 2^-7; 1 has the even mantissa.
  CHECK(f32_to_bf16(1.0f + std::ldexp(1.0f, -8)) == 0x3f80);
  CHECK(f32_to_bf16(1.0f + 3 * std::ldexp(1.0f, -8)) == 0x3f82);
  CHECK(f32_to_bf16(std::numeric_limits<f32>::max()) == 0x7f80);
}

TEST_CASE("copies convert, row by row", "[tensor]") {
  OwnedTensor wide({2, 3});
  for (i64 i = 0; i < 6; ++i)
    wide.view.f32_data()[i] = 0.5f * static_cast<f32>(i) - 1;
  for (const DType type : {DType::kBf16, DType::kF16, DType::kF64, DType::kF32}) {
    OwnedTensor narrow({2, 3}, type);
    OwnedTensor back({2, 3});
    copy_convert(wide.view, narrow.view);
    copy_convert(narrow.view, back.view);
    CHECK(std::memcmp(back.view.data, wide.view.data, 24) == 0);
  }
  OwnedTensor two({2, 2});
  copy_convert(columns(wide.view, 1, 2), two.view);
  CHECK(two.view.f32_data()[2] == wide.view.f32_data()[4]);
  CHECK_THROWS_AS(copy_convert(wide.view, two.view), ShapeError);

  OwnedTensor long_ints({2}, DType::kI64);
  OwnedTensor ints({2}, DType::kI32);
  const i64 values[2] = {-5, i64{1} << 31};
  std::memcpy(long_ints.view.data, values, 16);
  CHECK_THROWS_WITH(copy_convert(long_ints.view, ints.view), ContainsSubstring("does not fit"));
  CHECK(ints.view.i32_data()[0] == -5);
  CHECK_THROWS_AS(copy_convert(wide.view, OwnedTensor({2, 3}, DType::kI32).view), Error);
}
