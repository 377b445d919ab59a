#include "tag/word_table.h"

#include <algorithm>
#include <bit>

#include "core/hash.h"

namespace lm::tag {

namespace {
// Texts repeat their words: half a slot for each of a short one, less of a long one.
constexpr i64 kFewest = 64;
constexpr i64 kMost = 1 << 14;
}  // namespace

u64 WordTable::long_key(std::string_view s) {
  const std::size_t n = s.size();
  if (n > 16) return xxh3_64(s);
  // Two loads that overlap instead of a call.
  u64 a = 0;
  u64 b = 0;
  std::memcpy(&a, s.data(), 8);
  std::memcpy(&b, s.data() + n - 8, 8);
  return mix64(a * kSpread ^ b);
}

void WordTable::set_size(u64 slots) {
  mask_ = slots - 1;
  texts_.resize(std::max<std::size_t>(texts_.size(), slots / 2));
  counts_.resize(texts_.size());
}

void WordTable::reset(i64 expected) {
  const u64 slots = std::bit_ceil(static_cast<u64>(std::clamp(expected, kFewest, kMost)));
  slots_.assign(slots, Slot{});
  set_size(slots);
  size_ = 0;
}

i64 WordTable::count_of(std::string_view s) const {
  const u64 key = key_of(s, false);
  for (u64 at = place(key); slots_[at].bytes != kNoBytes; at = (at + 1) & mask_) {
    if (holds(slots_[at], key, s)) return counts_[slots_[at].id];
  }
  return 0;
}

void WordTable::grow() {
  std::vector<Slot> old(2 * slots_.size(), Slot{});
  old.swap(slots_);
  set_size(slots_.size());
  for (const Slot& slot : old) {
    if (slot.bytes == kNoBytes) continue;
    u64 at = place(slot.key);
    while (slots_[at].bytes != kNoBytes)
      at = (at + 1) & mask_;
    slots_[at] = slot;
  }
}

}  // namespace lm::tag
