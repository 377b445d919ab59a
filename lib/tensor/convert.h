#pragma once
// Scalar conversions between storage formats. All rounding is to nearest, ties to even.

#include <bit>

#include "core/types.h"

namespace lm {

/// bfloat16 is the upper half of an f32.
constexpr f32 bf16_to_f32(u16 bits) {
  return std::bit_cast<f32>(static_cast<u32>(bits) << 16);
}

/// NaN stays NaN (quiet, sign and top payload bits kept); overflow rounds to infinity.
constexpr u16 f32_to_bf16(f32 value) {
  const u32 bits = std::bit_cast<u32>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<u16>((bits >> 16) | 0x0040u);
  return static_cast<u16>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/// IEEE binary16, subnormals included.
constexpr f32 f16_to_f32(u16 bits) {
  const u32 sign = static_cast<u32>(bits & 0x8000u) << 16;
  const u32 exponent = (bits >> 10) & 0x1fu;
  const u32 mantissa = bits & 0x3ffu;
  if (exponent == 0x1fu) return std::bit_cast<f32>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0) return std::bit_cast<f32>(sign | ((exponent + 112u) << 23) | (mantissa << 13));
  // Subnormal: mantissa * 2^-24, exact in f32.
  const f32 magnitude = static_cast<f32>(mantissa) * (1.0f / 16777216.0f);
  return std::bit_cast<f32>(std::bit_cast<u32>(magnitude) | sign);
}

constexpr u16 f32_to_f16(f32 value) {
  const u32 bits = std::bit_cast<u32>(value);
  const u32 sign = (bits >> 16) & 0x8000u;
  const u32 magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {  // NaN, quiet, top payload bits kept
    return static_cast<u16>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  }
  if (magnitude >= 0x477ff000u) return static_cast<u16>(sign | 0x7c00u);  // >= 65520 rounds to inf
  if (magnitude < 0x38800000u) {  // below 2^-14: result = round(|x| * 2^24) ulps of 2^-24
    if (magnitude <= 0x33000000u) return static_cast<u16>(sign);  // <= 2^-25 ties to zero
    const u32 exponent = magnitude >> 23;
    const u32 shift = 126u - exponent;  // 14..24 for exponents 112..102
    const u32 full = (magnitude & 0x7fffffu) | 0x800000u;
    const u32 kept = full >> shift;
    const u32 rest = full & ((1u << shift) - 1u);
    const u32 half = 1u << (shift - 1u);
    const u32 up = rest > half || (rest == half && (kept & 1u)) ? 1u : 0u;
    return static_cast<u16>(sign | (kept + up));
  }
  const u32 rebased = magnitude - (112u << 23);
  return static_cast<u16>(sign | ((rebased + 0xfffu + ((rebased >> 13) & 1u)) >> 13));
}

}  // namespace lm
