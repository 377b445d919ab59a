#include "parquet/render.h"

#include <limits>

#include "catch.h"
#include "core/error.h"

using namespace lm;
using namespace lm::parquet;
using Catch::Matchers::ContainsSubstring;

namespace {

const Place kPlace{.file = "x", .column = "c"};

Column column(Physical physical, Logical logical, i32 digits = 0, i32 scale = 0) {
  Column out;
  out.physical = physical;
  out.logical.kind = logical;
  out.logical.digits = digits;
  out.logical.scale = scale;
  return out;
}

std::string text(const Column& c, std::string_view raw) {
  std::string out;
  Renderer(c, kPlace).append(raw, out);
  return out;
}

template <typename T>
std::string text_of(const Column& c, T value) {
  return text(c, {reinterpret_cast<const char*>(&value), sizeof value});
}

}  // namespace

// The ends of 32 bits are those that java.time.LocalDate.ofEpochDay gives.
TEST_CASE("days are dates of the Gregorian calendar, however far", "[parquet]") {
  const Column date = column(Physical::kInt32, Logical::kDate);
  CHECK(text_of(date, 0) == "\"1970-01-01\"");
  CHECK(text_of(date, -1) == "\"1969-12-31\"");
  CHECK(text_of(date, 11016) == "\"2000-02-29\"");  // 30 years with 7 leap days, 31 and 28 days
  CHECK(text_of(date, 11017) == "\"2000-03-01\"");
  CHECK(text_of(date, -25509) == "\"1900-02-28\"");  // 1900 has no leap day
  CHECK(text_of(date, -25508) == "\"1900-03-01\"");
  CHECK(text_of(date, -719528) == "\"0000-01-01\"");
  CHECK(text_of(date, -719529) == "\"-000001-12-31\"");
  CHECK(text_of(date, 2932896) == "\"9999-12-31\"");
  CHECK(text_of(date, 2932897) == "\"+010000-01-01\"");
  CHECK(text_of(date, std::numeric_limits<i32>::max()) == "\"+5881580-07-11\"");
  CHECK(text_of(date, std::numeric_limits<i32>::min()) == "\"-5877641-06-23\"");
}

TEST_CASE("timestamps have the digits of their unit", "[parquet]") {
  const Column nanos = column(Physical::kInt64, Logical::kTimestamp, 9);
  CHECK(text_of(nanos, std::numeric_limits<i64>::max()) == "\"2262-04-11T23:47:16.854775807\"");
  CHECK(text_of(nanos, std::numeric_limits<i64>::min()) == "\"1677-09-21T00:12:43.145224192\"");
  Column millis = column(Physical::kInt64, Logical::kTimestamp, 3);
  CHECK(text_of(millis, i64{-1}) == "\"1969-12-31T23:59:59.999\"");
  millis.logical.utc = true;
  CHECK(text_of(millis, i64{1000}) == "\"1970-01-01T00:00:01Z\"");
  struct {
    i64 nanos = 1;
    i32 day = 2440588;  // the Julian day of 1970-01-01
  } value;
  const Column int96 = column(Physical::kInt96, Logical::kNone);
  CHECK(text(int96, {reinterpret_cast<const char*>(&value), 12}) ==
        "\"1970-01-01T00:00:00.000000001\"");
  value.nanos = std::numeric_limits<i64>::min();
  CHECK(text(int96, {reinterpret_cast<const char*>(&value), 12}) ==
        "\"1677-09-21T00:12:43.145224192\"");
  const Column time = column(Physical::kInt64, Logical::kTime, 6);
  CHECK(text_of(time, i64{86399999999}) == "\"23:59:59.999999\"");
  for (const i64 bad : {i64{-1}, i64{86401000000}}) {
    try {
      text_of(time, bad);
      FAIL_CHECK("a time of day that is none");
    } catch (const Error& e) {
      CHECK_THAT(e.message(), ContainsSubstring("x: column \"c\": a time of day is "));
    }
  }
}

TEST_CASE("decimals keep all their digits", "[parquet]") {
  const Column small = column(Physical::kInt64, Logical::kDecimal, 0, 2);
  CHECK(text_of(small, i64{0}) == "\"0.00\"");
  CHECK(text_of(small, i64{-5}) == "\"-0.05\"");
  CHECK(text_of(small, std::numeric_limits<i64>::min()) == "\"-92233720368547758.08\"");
  const Column wide = column(Physical::kByteArray, Logical::kDecimal, 0, 0);
  CHECK(text(wide, "") == "\"0\"");
  CHECK(text(wide, "\xff") == "\"-1\"");
  CHECK(text(wide, std::string_view("\x01\0", 2)) == "\"256\"");
  CHECK(text(wide, std::string(1, '\x80') + std::string(15, '\0')) ==
        "\"-170141183460469231731687303715884105728\"");  // -2^127
  const Column fraction = column(Physical::kFixed, Logical::kDecimal, 0, 10);
  CHECK(text(fraction, std::string_view("\x3b\x9a\xca\0", 4)) == "\"0.1000000000\"");  // 10^9
  CHECK_THROWS_AS(text(wide, std::string(65, '\1')), Error);
}

TEST_CASE("half floats are what they stand for", "[parquet]") {
  const Column half = column(Physical::kFixed, Logical::kFloat16);
  CHECK(text_of(half, u16{0x0001}) == "5.9604645e-08");  // 2^-24
  CHECK(text_of(half, u16{0x7bff}) == "65504");
  CHECK(text_of(half, u16{0xc000}) == "-2");
  std::string out;
  Renderer renderer(half, kPlace);
  renderer.append(std::string_view("\0\x3c", 2), out);  // 1
  CHECK_FALSE(renderer.lost_float());
  renderer.append(std::string_view("\0\x7c", 2), out);
  CHECK(renderer.lost_float());
  CHECK(out == "1null");
}
