#include "parquet/render.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <simdjson.h>

#include "core/str.h"
#include "core/utf8.h"
#include "io/json.h"
#include "parquet/bits.h"

namespace lm::parquet {

namespace {

constexpr i64 kDaySeconds = 86400;
constexpr i64 kBillion = 1000000000;
constexpr i64 kJulianEpoch = 2440588;  // the Julian day of 1970-01-01

i64 floor_div(i64 a, i64 b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

// What floor_div leaves, 0 to b - 1. (a - floor_div(a, b) * b overflows near the ends.)
i64 floor_mod(i64 a, i64 b) {
  const i64 rest = a % b;
  return rest < 0 ? rest + b : rest;
}

void append_digits(std::string& out, u64 value, int digits) {
  std::string text = cat(value);
  if (isize(text) < digits) out.append(usize(digits) - text.size(), '0');
  out += text;
}

// The Gregorian calendar in both directions of time. A year begins in March here, so that the leap
// day is its last; 400 years have 146097 days, and month m of such a year begins at day
// (153 m + 2) / 5.
void append_date(std::string& out, i64 days) {
  const i64 from_march = days + 719468;  // since 0000-03-01
  const i64 era = floor_div(from_march, 146097);
  const i64 day_of_era = from_march - era * 146097;
  const i64 year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const i64 day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const i64 month = (5 * day_of_year + 2) / 153;
  const i64 day = day_of_year - (153 * month + 2) / 5 + 1;
  const i64 year = year_of_era + era * 400 + (month >= 10 ? 1 : 0);
  if (year < 0 || year > 9999) {
    out.push_back(year < 0 ? '-' : '+');
    append_digits(out, static_cast<u64>(std::abs(year)), 6);
  } else {
    append_digits(out, static_cast<u64>(year), 4);
  }
  out.push_back('-');
  append_digits(out, static_cast<u64>(month < 10 ? month + 3 : month - 9), 2);
  out.push_back('-');
  append_digits(out, static_cast<u64>(day), 2);
}

void append_clock(std::string& out, i64 second, i64 fraction, int digits) {
  append_digits(out, static_cast<u64>(second / 3600), 2);
  out.push_back(':');
  append_digits(out, static_cast<u64>(second / 60 % 60), 2);
  out.push_back(':');
  append_digits(out, static_cast<u64>(second % 60), 2);
  if (fraction == 0) return;
  out.push_back('.');
  append_digits(out, static_cast<u64>(fraction), digits);
}

i64 units_in_second(int digits) {
  return digits == 3 ? 1000 : digits == 6 ? 1000000 : kBillion;
}

void append_timestamp(std::string& out, i64 seconds, i64 fraction, int digits, bool utc) {
  const i64 days = floor_div(seconds, kDaySeconds);
  out.push_back('"');
  append_date(out, days);
  out.push_back('T');
  append_clock(out, seconds - days * kDaySeconds, fraction, digits);
  out += utc ? "Z\"" : "\"";
}

// Decimal digits of a big-endian two's complement number, without its sign.
std::string magnitude(std::string_view raw, bool negative) {
  std::vector<u32> limbs((raw.size() + 3) / 4);  // the most significant first
  const std::size_t pad = limbs.size() * 4 - raw.size();
  for (std::size_t i = 0; i < limbs.size() * 4; ++i) {
    const u8 byte = i >= pad ? static_cast<u8>(raw[i - pad]) : negative ? 0xFF : 0;
    limbs[i / 4] = limbs[i / 4] << 8 | static_cast<u8>(negative ? ~byte : byte);
  }
  if (negative) {
    for (std::size_t i = limbs.size(); i > 0 && ++limbs[i - 1] == 0; --i) {
    }
  }
  std::string digits;  // the last first
  while (std::any_of(limbs.begin(), limbs.end(), [](u32 limb) { return limb != 0; })) {
    u64 rest = 0;
    for (u32& limb : limbs) {
      const u64 value = rest << 32 | limb;
      limb = static_cast<u32>(value / u64{kBillion});
      rest = value % u64{kBillion};
    }
    for (int i = 0; i < 9; ++i, rest /= 10)
      digits.push_back(static_cast<char>('0' + rest % 10));
  }
  while (!digits.empty() && digits.back() == '0')
    digits.pop_back();
  std::reverse(digits.begin(), digits.end());
  return digits;
}

void append_decimal(std::string& out, bool negative, std::string digits, i32 scale) {
  if (isize(digits) <= scale) digits.insert(0, usize(scale + 1) - digits.size(), '0');
  const std::size_t whole = digits.size() - usize(scale);
  out += negative ? "\"-" : "\"";
  out.append(digits, 0, whole);
  if (scale > 0) out.push_back('.');
  out.append(digits, whole, std::string::npos);
  out.push_back('"');
}

f32 half_to_float(u16 bits) {
  const int exponent = bits >> 10 & 31;
  const f32 fraction = static_cast<f32>(bits & 1023);
  const f32 sign = (bits & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(fraction + 1024.0f, exponent - 25);
}

}  // namespace

struct Renderer::Forms {
  template <typename T>
  static void number(Renderer&, std::string_view raw, std::string& out) {
    lm::append(out, load<T>(raw.data()));
  }
  template <typename T>
  static void real(Renderer& self, std::string_view raw, std::string& out) {
    const T value = load<T>(raw.data());
    if (!std::isfinite(value)) self.lost_float_ = true;
    io::append_json_number(out, value);
  }
  static void half(Renderer& self, std::string_view raw, std::string& out) {
    const f32 value = half_to_float(load<u16>(raw.data()));
    if (!std::isfinite(value)) self.lost_float_ = true;
    io::append_json_number(out, value);
  }
  static void truth(Renderer&, std::string_view raw, std::string& out) {
    out += raw[0] != 0 ? "true" : "false";
  }
  static void text(Renderer& self, std::string_view raw, std::string& out) {
    if (!simdjson::validate_utf8(raw.data(), raw.size())) {
      self.place_.fail(
          cat("a string is not UTF-8 at its byte ", find_invalid_utf8(raw), ": ", quote(raw)));
    }
    io::append_json_string(out, raw);
  }
  static void bytes(Renderer&, std::string_view raw, std::string& out) {
    out.push_back('"');
    out += io::base64(raw);
    out.push_back('"');
  }
  static void uuid(Renderer&, std::string_view raw, std::string& out) {
    const std::string digits = hex({reinterpret_cast<const u8*>(raw.data()), raw.size()});
    out.push_back('"');
    for (std::size_t i = 0; i < digits.size(); ++i) {
      if (i == 8 || i == 12 || i == 16 || i == 20) out.push_back('-');
      out.push_back(digits[i]);
    }
    out.push_back('"');
  }
  static void date(Renderer&, std::string_view raw, std::string& out) {
    out.push_back('"');
    append_date(out, load<i32>(raw.data()));
    out.push_back('"');
  }
  static void time(Renderer& self, std::string_view raw, std::string& out) {
    const int digits = self.column_.logical.digits;
    const i64 value = digits == 3 ? load<i32>(raw.data()) : load<i64>(raw.data());
    const i64 unit = units_in_second(digits);
    if (value < 0 || value / unit > kDaySeconds)
      self.place_.fail(cat("a time of day is ", value, " / ", unit, " seconds"));
    out.push_back('"');
    append_clock(out, value / unit, value % unit, digits);
    out.push_back('"');
  }
  static void timestamp(Renderer& self, std::string_view raw, std::string& out) {
    const LogicalType& type = self.column_.logical;
    const i64 value = load<i64>(raw.data());
    const i64 unit = units_in_second(type.digits);
    append_timestamp(out, floor_div(value, unit), floor_mod(value, unit), type.digits, type.utc);
  }
  // Nanoseconds of the day, then the Julian day.
  static void int96(Renderer&, std::string_view raw, std::string& out) {
    const i64 nanos = load<i64>(raw.data());
    const i64 day = i64{load<i32>(raw.data() + 8)} - kJulianEpoch;
    append_timestamp(out, day * kDaySeconds + floor_div(nanos, kBillion),
                     floor_mod(nanos, kBillion), 9, false);
  }
  template <typename T>
  static void small_decimal(Renderer& self, std::string_view raw, std::string& out) {
    const i64 value = load<T>(raw.data());
    const u64 size = value < 0 ? ~static_cast<u64>(value) + 1 : static_cast<u64>(value);
    append_decimal(out, value < 0, size == 0 ? "" : cat(size), self.column_.logical.scale);
  }
  static void decimal(Renderer& self, std::string_view raw, std::string& out) {
    if (raw.size() > 64) self.place_.fail(cat("a decimal of ", raw.size(), " bytes"));
    const bool negative = !raw.empty() && static_cast<u8>(raw[0]) >= 0x80;
    append_decimal(out, negative, magnitude(raw, negative), self.column_.logical.scale);
  }
};

Renderer::Function Renderer::choose(const Column& column) {
  const bool wide = column.physical == Physical::kInt64;
  switch (column.logical.kind) {
    case Logical::kString:
    case Logical::kEnum:
    case Logical::kJson:
      return Forms::text;
    case Logical::kDecimal:
      if (wide) return Forms::small_decimal<i64>;
      return column.physical == Physical::kInt32 ? Forms::small_decimal<i32> : Forms::decimal;
    case Logical::kDate:
      return Forms::date;
    case Logical::kTime:
      return Forms::time;
    case Logical::kTimestamp:
      return Forms::timestamp;
    case Logical::kUuid:
      return Forms::uuid;
    case Logical::kFloat16:
      return Forms::half;
    case Logical::kInteger:
      if (!column.logical.is_signed) return wide ? Forms::number<u64> : Forms::number<u32>;
      break;
    default:
      break;
  }
  switch (column.physical) {
    case Physical::kBoolean:
      return Forms::truth;
    case Physical::kInt32:
      return Forms::number<i32>;
    case Physical::kInt64:
      return Forms::number<i64>;
    case Physical::kInt96:
      return Forms::int96;
    case Physical::kFloat:
      return Forms::real<f32>;
    case Physical::kDouble:
      return Forms::real<f64>;
    default:
      return Forms::bytes;
  }
}

Renderer::Renderer(const Column& column, const Place& place)
    : column_(column), place_(place), render_(choose(column)) {}

}  // namespace lm::parquet
