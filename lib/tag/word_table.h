#pragma once
// Distinct strings as dense numbers in the order of first appearance, with counts: the words or
// lines of one document. Open addressing, memory kept from document to document. A slot holds a
// string of up to eight bytes itself, of a longer one a hash, which decides where it is looked for
// and never what is equal.

#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::tag {

class WordTable {
 public:
  WordTable() { reset(0); }
  /// Forgets everything; expected is the number of add() calls to come, a hint.
  void reset(i64 expected);
  /// Number of s, which must outlive the table's use; its count grows by one. O(|s|) on average.
  /// wide: eight bytes are readable from its first on, however short it is.
  u32 add(std::string_view s, bool wide = false);

  i64 size() const { return static_cast<i64>(size_); }
  std::string_view text(u32 id) const { return texts_[id]; }
  i64 count(u32 id) const { return counts_[id]; }
  /// [size()] by number.
  std::span<const u32> counts() const { return {counts_.data(), size_}; }
  /// How often s was added.
  i64 count_of(std::string_view s) const;

 private:
  struct Slot {
    u64 key = 0;
    u32 bytes = kNoBytes;  // of the string
    u32 id = 0;
  };
  static constexpr u32 kNoBytes = ~u32{0};   // of an empty slot
  static constexpr std::size_t kPacked = 8;  // bytes of the longest string that is its own key

  static u64 key_of(std::string_view s, bool wide);
  static u64 long_key(std::string_view s);
  u64 place(u64 key) const { return ((key ^ key >> 32) * kSpread >> 32) & mask_; }
  bool holds(const Slot& slot, u64 key, std::string_view s) const {
    return slot.key == key && slot.bytes == s.size() &&
           (s.size() <= kPacked || texts_[slot.id] == s);
  }
  void set_size(u64 slots);
  void grow();

  static constexpr u64 kSpread = 0x9E3779B97F4A7C15ULL;
  std::vector<Slot> slots_;
  // Half as long as slots_ or longer; those from size_ on mean nothing.
  std::vector<std::string_view> texts_;
  std::vector<u32> counts_;
  u32 size_ = 0;
  u64 mask_ = 0;
};

inline u64 WordTable::key_of(std::string_view s, bool wide) {
  const std::size_t n = s.size();
  if (n > kPacked) return long_key(s);
  u64 key = 0;
  if (!wide || n == 0) {
    if (n > 0) std::memcpy(&key, s.data(), n);
    return key;
  }
  constexpr u64 kAll = ~u64{0};
  // By size; little endian.
  constexpr u64 kMasks[kPacked + 1] = {0,          kAll >> 56, kAll >> 48, kAll >> 40, kAll >> 32,
                                       kAll >> 24, kAll >> 16, kAll >> 8,  kAll};
  std::memcpy(&key, s.data(), 8);
  return key & kMasks[n];
}

inline u32 WordTable::add(std::string_view s, bool wide) {
  const u64 key = key_of(s, wide);
  for (u64 at = place(key);; at = (at + 1) & mask_) {
    Slot& slot = slots_[at];
    if (holds(slot, key, s)) {
      ++counts_[slot.id];
      return slot.id;
    }
    if (slot.bytes != kNoBytes) continue;
    const u32 id = size_++;
    texts_[id] = s;
    counts_[id] = 1;
    slot = {key, static_cast<u32>(s.size()), id};
    if (2 * u64{size_} > mask_) grow();
    return id;
  }
}

}  // namespace lm::tag
