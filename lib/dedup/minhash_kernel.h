#pragma once
// The inner loop of MinHash signing, on a table of permutations.

#include <span>

#include "core/types.h"

namespace lm::dedup {

/// Lanes are padded to a multiple of this many permutations.
constexpr i64 kPermBlock = 16;

struct PermTable {
  const u32* a_low;   // [K] low halves of the odd multipliers
  const u32* a_high;  // [K]
  const u64* c;       // [K] offsets
  i64 count;          // K, a multiple of kPermBlock
};

/// out [count]: min over shingles x of the high half of (a x + c mod 2^64). Chooses AVX2 at run
/// time.
void minhash_minima(const PermTable& perms, std::span<const u64> shingles, u32* out);
/// The definition, one permutation at a time: what minhash_minima must equal.
void minhash_minima_plain(const PermTable& perms, std::span<const u64> shingles, u32* out);

}  // namespace lm::dedup
