#pragma once
// From the hash of something to its number, for tables that keep each thing once. The things
// themselves lie with the owner. Open addressing; nothing is ever removed.

#include <vector>

#include "core/types.h"

namespace lm::grammar {

class InternIndex {
 public:
  /// The number of a thing of this hash for which same(number) holds, or -1.
  template <typename Same>
  i32 find(u64 hash, Same same) const {
    if (slots_.empty()) return -1;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = static_cast<u32>(hash) & mask; slots_[at].id >= 0; at = (at + 1) & mask) {
      if (slots_[at].hash == static_cast<u32>(hash >> 32) && same(slots_[at].id))
        return slots_[at].id;
    }
    return -1;
  }
  void insert(u64 hash, i32 id) {
    if (2 * (count_ + 1) > isize(slots_)) grow();
    place({static_cast<u32>(hash), static_cast<u32>(hash >> 32), id});
    ++count_;
  }
  /// What one thing costs here, on average.
  static constexpr i64 kBytes = 36;

 private:
  struct Slot {
    u32 low = 0;
    u32 hash = 0;
    i32 id = -1;
  };
  void place(const Slot& slot) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = slot.low & mask;
    while (slots_[at].id >= 0)
      at = (at + 1) & mask;
    slots_[at] = slot;
  }
  void grow() {
    const std::vector<Slot> old = std::move(slots_);
    slots_.assign(old.empty() ? 64 : 2 * old.size(), Slot{});
    for (const Slot& slot : old) {
      if (slot.id >= 0) place(slot);
    }
  }

  std::vector<Slot> slots_;
  i64 count_ = 0;
};

}  // namespace lm::grammar
