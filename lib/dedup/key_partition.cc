#include "dedup/key_partition.h"

#include <limits>

#include "core/error.h"

namespace lm::dedup {

// Serial on purpose: 64 Ki keys take 0.15 ms, far below the cache misses of the look-ups that
// follow.
void KeyPartition::split(std::span<const Hash128> keys) {
  LM_CHECK(isize(keys) < std::numeric_limits<u32>::max(), "a key batch fits 32-bit positions");
  order_.resize(keys.size());
  begin_.fill(0);
  for (const Hash128& key : keys)
    ++begin_[usize(key_part(key)) + 1];
  for (std::size_t p = 0; p < kKeyParts; ++p)
    begin_[p + 1] += begin_[p];
  std::array<u32, kKeyParts + 1> next = begin_;
  for (u32 i = 0; i < keys.size(); ++i)
    order_[next[usize(key_part(keys[i]))]++] = i;
}

}  // namespace lm::dedup
