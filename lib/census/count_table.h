#pragma once
// Counts by 64-bit key: a flat table, open addressing. Keys may be anything; they are mixed.

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "core/hash.h"
#include "core/types.h"

namespace lm::census {

class CountTable {
 public:
  /// count > 0. Amortised O(1).
  void add(u64 key, i64 count) {
    if (4 * (used_ + 1) > 3 * isize(slots_)) grow();
    Slot& slot = slots_[find(key)];
    if (slot.count == 0) {
      slot.key = key;
      ++used_;
    }
    slot.count += count;
  }
  void add(const CountTable& other) {
    other.each([this](u64 key, i64 count) { add(key, count); });
  }
  i64 size() const { return used_; }
  /// Of a large table that a batch of records may make grow also those that growing takes.
  i64 bytes() const {
    const i64 slots = isize(slots_);
    const i64 soon = slots < kLarge ? 0 : std::min(kBatch, slots / 8);
    const bool grows = 4 * (used_ + soon) > 3 * slots;
    return (grows ? 3 : 1) * slots * static_cast<i64>(sizeof(Slot));
  }
  /// What a table of that many keys takes while it grows to its size.
  static i64 most_bytes(i64 keys) {
    const u64 slots = std::bit_ceil(static_cast<u64>(std::max<i64>(keys, 12)) * 4 / 3 + 1);
    return static_cast<i64>(slots + slots / 2) * static_cast<i64>(sizeof(Slot));
  }
  /// visit(key, count), in no order that means anything.
  template <typename Visit>
  void each(Visit visit) const {
    for (const Slot& slot : slots_) {
      if (slot.count > 0) visit(slot.key, slot.count);
    }
  }
  std::vector<std::pair<u64, i64>> sorted() const {
    std::vector<std::pair<u64, i64>> out;
    out.reserve(usize(used_));
    each([&out](u64 key, i64 count) { out.emplace_back(key, count); });
    std::sort(out.begin(), out.end());
    return out;
  }
  /// Drops the keys for which pred does not hold.
  template <typename Pred>
  void keep(Pred pred) {
    CountTable kept;
    each([&](u64 key, i64 count) {
      if (pred(key)) kept.add(key, count);
    });
    *this = std::move(kept);
  }

 private:
  static constexpr i64 kLarge = i64{1} << 16;  // slots
  static constexpr i64 kBatch = i64{1} << 19;  // keys
  struct Slot {
    u64 key = 0;
    i64 count = 0;  // 0: free
  };
  std::size_t find(u64 key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = mix64(key) & mask;
    while (slots_[at].count != 0 && slots_[at].key != key)
      at = (at + 1) & mask;
    return at;
  }
  void grow() {
    std::vector<Slot> old(std::max<std::size_t>(16, slots_.size() * 2));
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.count != 0) slots_[find(slot.key)] = slot;
    }
  }
  std::vector<Slot> slots_;
  i64 used_ = 0;
};

}  // namespace lm::census
