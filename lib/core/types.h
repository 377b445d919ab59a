#pragma once
// Fixed-width names. Counts and sizes are i64 everywhere; narrower types only in stored arrays.

#include <cstddef>
#include <cstdint>

namespace lm {

using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using f32 = float;
using f64 = double;

/// Size of a container as a signed count.
template <typename C>
constexpr i64 isize(const C& container) {
  return static_cast<i64>(container.size());
}

/// Sign conversion for indexing standard containers; the caller guarantees value >= 0.
constexpr std::size_t usize(i64 value) {
  return static_cast<std::size_t>(value);
}

}  // namespace lm
