#pragma once
// The 8-bit floating types of the OCP specification: E4M3 without infinities (largest 448, one NaN
// of each sign) and E5M2, the upper half of binary16. Rounding is to nearest, ties to even.

#include <algorithm>
#include <array>
#include <cmath>

#include "core/types.h"
#include "tensor/convert.h"

namespace lm {

/// Values by code; codes from 128 on are negative.
using Float8Table = std::array<f32, 256>;

constexpr f32 e4m3_to_f32(u8 code) {
  const u32 exponent = (code >> 3) & 15u;
  const u32 mantissa = code & 7u;
  const u32 sign = u32{code} >> 7 << 31;
  if (exponent == 15 && mantissa == 7) return std::bit_cast<f32>(0x7fc00000u | sign);
  const f32 magnitude = exponent == 0
                            ? static_cast<f32>(mantissa) * 0x1p-9f
                            : std::bit_cast<f32>((exponent + 120u) << 23 | mantissa << 20);
  return std::bit_cast<f32>(std::bit_cast<u32>(magnitude) | sign);
}
constexpr f32 e5m2_to_f32(u8 code) {
  return f16_to_f32(static_cast<u16>(code << 8));
}

template <f32 (*Widen)(u8)>
constexpr Float8Table float8_table() {
  Float8Table table{};
  for (u32 code = 0; code < 256; ++code)
    table[code] = Widen(static_cast<u8>(code));
  return table;
}
inline constexpr Float8Table kE4m3 = float8_table<e4m3_to_f32>();
inline constexpr Float8Table kE5m2 = float8_table<e5m2_to_f32>();

namespace detail {
// finite: codes of finite magnitudes, which ascend; above: what lies beyond them rounds to.
inline u8 to_float8(f64 value, const Float8Table& table, i64 finite, u8 above, u8 nan) {
  const u8 sign = std::signbit(value) ? 0x80 : 0;
  if (std::isnan(value)) return static_cast<u8>(nan | sign);
  const f64 magnitude = std::fabs(value);
  const auto begin = table.begin();
  const i64 low = std::upper_bound(begin, begin + finite, magnitude) - begin - 1;
  const f64 here = table[usize(low)];
  // Beyond the last one the grid goes on in thought.
  const f64 next = low + 1 < finite ? static_cast<f64>(table[usize(low + 1)])
                                    : 2 * here - static_cast<f64>(table[usize(low - 1)]);
  const f64 middle = (here + next) / 2;
  const bool up = magnitude > middle || (magnitude == middle && low % 2 == 1);
  const u8 code = static_cast<u8>(low + (up ? 1 : 0));
  return static_cast<u8>((code >= finite ? above : code) | sign);
}
}  // namespace detail

/// Beyond 464 NaN: there is no infinity.
inline u8 to_e4m3(f64 value) {
  return detail::to_float8(value, kE4m3, 127, 0x7f, 0x7f);
}
inline u8 to_e5m2(f64 value) {
  return detail::to_float8(value, kE5m2, 124, 0x7c, 0x7e);
}

}  // namespace lm
