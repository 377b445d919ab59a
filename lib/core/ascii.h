#pragma once
// Eight characters at once. Pure functions.

#include "core/types.h"

namespace lm {

/// Eight bytes with A to Z in lower case, all others as they are.
constexpr u64 ascii_lower8(u64 eight) {
  constexpr u64 kOnes = 0x0101010101010101;
  const u64 low = eight & kOnes * 0x7F;
  // The high bit of each byte from 'A' on, and of each behind 'Z'.
  const u64 letters = ((low + kOnes * (0x80 - 'A')) ^ (low + kOnes * (0x7F - 'Z'))) & ~eight;
  return eight | (letters & kOnes * 0x80) >> 2;
}

}  // namespace lm
