#include "merge/convert.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "core/str.h"
#include "merge/vectorised.h"
#include "tensor/convert.h"
#include "tensor/float8.h"

namespace lm::merge {

namespace {

template <class T>
LM_INLINE inline T load(const u8* from, i64 i) {
  T value;
  std::memcpy(&value, from + i * i64{sizeof(T)}, sizeof value);
  return value;
}
template <class T>
LM_INLINE inline void store(u8* to, i64 i, T value) {
  std::memcpy(to + i * i64{sizeof(T)}, &value, sizeof value);
}

// f16_to_f32 without branches: exponent and mantissa are moved into place and scaled by 2^112,
// which is exact for subnormals too; exponent 31 means infinity or NaN.
LM_INLINE inline f32 widen_f16(u16 bits) {
  const u32 magnitude = u32{bits & 0x7fffu} << 13;
  const f32 scaled = std::bit_cast<f32>(magnitude) * 0x1p112f;
  const u32 special = magnitude >= 0x0f800000u ? 0x7f800000u : 0u;
  return std::bit_cast<f32>(std::bit_cast<u32>(scaled) | special | u32{bits & 0x8000u} << 16);
}

// f32_to_f16 without branches: all cases are computed and one is taken.
LM_INLINE inline u16 narrow_f16(f32 value) {
  const u32 bits = std::bit_cast<u32>(value);
  const u32 magnitude = bits & 0x7fffffffu;
  const u32 rebased = magnitude - (112u << 23);
  const u32 normal = (rebased + 0xfffu + ((rebased >> 13) & 1u)) >> 13;
  // The last place of 0.5 is 2^-24, the last place of the subnormals: the sum rounds to it.
  const u32 small = magnitude < 0x38800000u ? magnitude : 0u;
  const u32 subnormal = std::bit_cast<u32>(std::bit_cast<f32>(small) + 0.5f) - 0x3f000000u;
  u32 out = magnitude < 0x38800000u ? subnormal : normal;
  out = magnitude >= 0x477ff000u ? 0x7c00u : out;
  out = magnitude > 0x7f800000u ? 0x7e00u | ((magnitude >> 13) & 0x3ffu) : out;
  return static_cast<u16>(out | ((bits >> 16) & 0x8000u));
}

LM_INLINE inline u16 narrow_bf16(f32 value) {
  const u32 bits = std::bit_cast<u32>(value);
  const u32 rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const u32 nan = (bits >> 16) | 0x0040u;
  return static_cast<u16>((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
}

// To f32 with a last bit that says "inexact" (rounding to odd): rounding that again to a type of at
// most 22 bits gives what rounding the f64 at once would give.
LM_INLINE inline f32 to_odd(f64 value) {
  const f32 near = static_cast<f32>(value);
  const f64 back = near;
  u32 bits = std::bit_cast<u32>(near);
  bits -= std::fabs(back) > std::fabs(value) ? 1u : 0u;
  bits |= back < value || back > value ? 1u : 0u;
  return std::bit_cast<f32>(bits);
}
LM_INLINE inline f32 to_odd(f32 value) {
  return value;
}

// to[i] = convert(from[i]) for types of 16 bits: through a few lanes of its own type, which alias
// nothing, so that the loop becomes vector code (a fifth of the time of a linear merge).
template <class A, class Convert>
LM_INLINE inline void narrow_halves(const A* from, i64 count, u8* to, const Convert& convert) {
  constexpr i64 kHalves = 64;
  u16 lanes[kHalves];
  const i64 whole = count - count % kHalves;
  for (i64 i = 0; i < whole; i += kHalves) {
    for (i64 j = 0; j < kHalves; ++j)
      lanes[j] = convert(from[i + j]);
    std::memcpy(to + i * i64{sizeof(u16)}, lanes, sizeof lanes);
  }
  for (i64 i = whole; i < count; ++i)
    store(to, i, convert(from[i]));
}

// True if any of the elements has all bits of `exponent`, which stands for infinities and NaN.
template <class Bits>
bool has_exponent(const u8* at, i64 count, Bits exponent) {
  bool found = false;
  vectorised([&]() LM_INLINE {
    Bits any = 0;
    for (i64 i = 0; i < count; ++i) {
      const Bits masked = static_cast<Bits>(load<Bits>(at, i) & exponent);
      any = static_cast<Bits>(any | (masked == exponent ? Bits{1} : Bits{0}));
    }
    found = any != 0;
  });
  return found;
}

[[noreturn]] void not_floating(DType dtype) {
  throw Error(ErrorKind::kInternal, cat(dtype_name(dtype), " is no type to compute with"));
}

}  // namespace

bool stored_finite(DType dtype, const u8* at, i64 count) {
  switch (dtype) {
    case DType::kBf16:
      return !has_exponent<u16>(at, count, 0x7f80);
    case DType::kF16:
      return !has_exponent<u16>(at, count, 0x7c00);
    case DType::kF32:
      return !has_exponent<u32>(at, count, 0x7f800000u);
    case DType::kF64:
      return !has_exponent<u64>(at, count, u64{0x7ff} << 52);
    case DType::kF8E4m3:
      return std::none_of(at, at + count, [](u8 code) { return (code & 0x7f) == 0x7f; });
    case DType::kF8E5m2:
      return !has_exponent<u8>(at, count, 0x7c);
    default:
      not_floating(dtype);
  }
}

bool wants_f64(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF64;
}

template <class A>
void widen(DType dtype, const u8* from, i64 count, A* to) {
  switch (dtype) {
    case DType::kBf16:
      return vectorised([&]() LM_INLINE {
        for (i64 i = 0; i < count; ++i)
          to[i] = bf16_to_f32(load<u16>(from, i));
      });
    case DType::kF16:
      return vectorised([&]() LM_INLINE {
        for (i64 i = 0; i < count; ++i)
          to[i] = widen_f16(load<u16>(from, i));
      });
    case DType::kF32:
      return vectorised([&]() LM_INLINE {
        for (i64 i = 0; i < count; ++i)
          to[i] = load<f32>(from, i);
      });
    case DType::kF64:
      if constexpr (std::is_same_v<A, f64>) {
        std::memcpy(to, from, usize(count) * sizeof(f64));
        return;
      }
      not_floating(dtype);
    case DType::kF8E4m3:
    case DType::kF8E5m2: {
      const Float8Table& table = dtype == DType::kF8E4m3 ? kE4m3 : kE5m2;
      for (i64 i = 0; i < count; ++i)
        to[i] = table[from[i]];
      return;
    }
    default:
      not_floating(dtype);
  }
}

template <class A>
bool narrow(DType dtype, const A* from, i64 count, u8* to) {
  switch (dtype) {
    case DType::kBf16:
      vectorised([&]() LM_INLINE {
        narrow_halves(from, count, to,
                      [](A value) LM_INLINE { return narrow_bf16(to_odd(value)); });
      });
      break;
    case DType::kF16:
      vectorised([&]() LM_INLINE {
        narrow_halves(from, count, to, [](A value) LM_INLINE { return narrow_f16(to_odd(value)); });
      });
      break;
    case DType::kF32:
      vectorised([&]() LM_INLINE {
        for (i64 i = 0; i < count; ++i)
          store(to, i, static_cast<f32>(from[i]));
      });
      break;
    case DType::kF64:
      vectorised([&]() LM_INLINE {
        for (i64 i = 0; i < count; ++i)
          store(to, i, static_cast<f64>(from[i]));
      });
      break;
    case DType::kF8E4m3:
      std::transform(from, from + count, to, to_e4m3);
      break;
    case DType::kF8E5m2:
      std::transform(from, from + count, to, to_e5m2);
      break;
    default:
      not_floating(dtype);
  }
  return stored_finite(dtype, to, count);
}

template <class A>
bool all_finite(const A* values, i64 count) {
  const u8* at = reinterpret_cast<const u8*>(values);
  if constexpr (std::is_same_v<A, f32>) return !has_exponent<u32>(at, count, 0x7f800000u);
  return !has_exponent<u64>(at, count, u64{0x7ff} << 52);
}

template void widen(DType, const u8*, i64, f32*);
template void widen(DType, const u8*, i64, f64*);
template bool narrow(DType, const f32*, i64, u8*);
template bool narrow(DType, const f64*, i64, u8*);
template bool all_finite(const f32*, i64);
template bool all_finite(const f64*, i64);

}  // namespace lm::merge
