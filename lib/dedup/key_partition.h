#pragma once
// Splits a batch of 128-bit keys by their top 8 bits, keeping the batch's order inside each part.
// Whatever stores keys (Bloom filter, exact set) is 256 independent parts, so the parts can be
// worked on in parallel while the answers stay those of a sequential run.
// Thread rule: split() is called by one thread; the parts may then be read concurrently.

#include <array>
#include <span>
#include <vector>

#include "core/hash.h"
#include "core/types.h"

namespace lm::dedup {

constexpr i64 kKeyParts = 256;

/// The part of a key: the top 8 bits of its high half.
constexpr i64 key_part(const Hash128& key) {
  return static_cast<i64>(key.hi >> 56);
}

class KeyPartition {
 public:
  /// Indices into keys, grouped by part. O(n), no allocation once grown to the batch size.
  void split(std::span<const Hash128> keys);
  /// Positions in the batch of the keys of one part, ascending.
  std::span<const u32> part(i64 p) const {
    return std::span<const u32>(order_).subspan(begin_[usize(p)],
                                                begin_[usize(p) + 1] - begin_[usize(p)]);
  }

 private:
  std::vector<u32> order_;
  std::array<u32, kKeyParts + 1> begin_{};
};

}  // namespace lm::dedup
