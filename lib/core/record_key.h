#pragma once
// The key of everything that is drawn for one record (random.h): a draw then depends on the seed,
// the record's id and what the counter says, never on batches, threads, shards or other records.

#include <array>
#include <string_view>

#include "core/hash.h"
#include "core/types.h"

namespace lm {

/// The halves (low, high) of mix64(seed XOR fnv1a64(record id)).
inline std::array<u32, 2> record_key(u64 seed, std::string_view record_id) {
  const u64 key = mix64(seed ^ fnv1a64(record_id));
  return {static_cast<u32>(key), static_cast<u32>(key >> 32)};
}

}  // namespace lm
