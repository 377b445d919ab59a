#include "tag/word_table.h"

#include <algorithm>
#include <bit>

namespace lm::tag {

namespace {
// Texts repeat their words: half a slot for each of a short one, less of a long one.
constexpr i64 kFewest = 64;
constexpr i64 kMost = 1 << 14;
}  // namespace

void WordTable::reset(i64 expected) {
  const u64 slots = std::bit_ceil(static_cast<u64>(std::clamp(expected, kFewest, kMost)));
  slots_.assign(slots, 0);
  mask_ = static_cast<u32>(slots - 1);
  texts_.clear();
  counts_.clear();
}

void WordTable::grow() {
  std::vector<u64> old(std::max<std::size_t>(2 * slots_.size(), std::size_t{kFewest}), 0);
  old.swap(slots_);
  mask_ = static_cast<u32>(slots_.size() - 1);
  for (const u64 slot : old) {
    if (slot == 0) continue;
    u32 at = static_cast<u32>(slot >> 32) & mask_;
    while (slots_[at] != 0)
      at = (at + 1) & mask_;
    slots_[at] = slot;
  }
}

}  // namespace lm::tag
