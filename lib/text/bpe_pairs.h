#pragma once
// Inside lib/text only: the live pairs of BPE training. Pairs that cannot be merged any more are
// not in it, so its size follows the words as they shrink.

#include <limits>
#include <vector>

#include "core/context.h"
#include "core/types.h"

namespace lm::text {

inline u64 pair_key(u32 left, u32 right) {
  return u64{left} << 32 | right;
}
inline u32 pair_left(u64 key) {
  return static_cast<u32>(key >> 32);
}
inline u32 pair_right(u64 key) {
  return static_cast<u32>(key);
}

/// Pair -> count and the words that hold it (a superset, ascending, no word twice).
/// Open addressing with backward-shift deletion; memory is charged to the budget.
class PairTable {
 public:
  explicit PairTable(MemoryBudget* memory);
  ~PairTable();
  PairTable(const PairTable&) = delete;
  PairTable& operator=(const PairTable&) = delete;

  /// 0 for a pair that is not here.
  i64 count(u64 key) const;
  /// Enters a pair that is not here. count > 0.
  void insert(u64 key, i64 count);
  /// Nothing happens for a pair that is not here, or if word was the last one added.
  void add_word(u64 key, u32 word);
  /// Lowers the count; a pair below floor leaves the table.
  void decrease(u64 key, i64 by, i64 floor);
  /// Moves the word list out and removes the pair.
  std::vector<u32> take(u64 key);
  i64 size() const { return used_; }

 private:
  struct Slot {
    u64 key = kFree;
    i64 count = 0;
    std::vector<u32> words;
  };
  static constexpr u64 kFree = std::numeric_limits<u64>::max();

  std::size_t find(u64 key) const;  // its slot, or the free slot where it would go
  void erase_at(std::size_t at);
  void grow();
  void recharge();

  MemoryBudget* memory_;
  std::vector<Slot> slots_;
  i64 used_ = 0;
  i64 list_bytes_ = 0;
  i64 charged_ = 0;
};

}  // namespace lm::text
