#pragma once
// Distinct strings as dense numbers in the order of first appearance, with counts: the words or
// lines of one document. Open addressing, memory kept from document to document. The hash decides
// where a string is looked for and never what is equal.

#include <cstring>
#include <string_view>
#include <vector>

#include "core/hash.h"
#include "core/types.h"

namespace lm::tag {

class WordTable {
 public:
  /// Forgets everything; expected is the number of add() calls to come, a hint.
  void reset(i64 expected);
  /// Number of s, which must outlive the table's use; its count grows by one. O(|s|) on average.
  u32 add(std::string_view s);

  i64 size() const { return isize(texts_); }
  std::string_view text(u32 id) const { return texts_[id]; }
  i64 count(u32 id) const { return counts_[id]; }
  /// [size()] by number.
  const std::vector<u32>& counts() const { return counts_; }

 private:
  static u32 hash(std::string_view s);
  void grow();

  // 0 is empty; else hash << 32 | number + 1.
  std::vector<u64> slots_;
  std::vector<std::string_view> texts_;
  std::vector<u32> counts_;
  u32 mask_ = 0;
};

inline u32 WordTable::hash(std::string_view s) {
  // Most words have at most 16 bytes: two overlapping loads instead of a call.
  const std::size_t n = s.size();
  const char* const p = s.data();
  u64 a = 0;
  u64 b = 0;
  if (n > 16) return static_cast<u32>(xxh3_64(s) >> 32);
  if (n >= 8) {
    std::memcpy(&a, p, 8);
    std::memcpy(&b, p + n - 8, 8);
  } else if (n >= 4) {
    std::memcpy(&a, p, 4);
    std::memcpy(&b, p + n - 4, 4);
  } else if (n > 0) {
    a = static_cast<u8>(p[0]) | u64{static_cast<u8>(p[n / 2])} << 8 |
        u64{static_cast<u8>(p[n - 1])} << 16;
  }
  constexpr u64 kOdd = 0x9E3779B97F4A7C15ULL;
  return static_cast<u32>(mix64((a + n) * kOdd ^ (b * kOdd >> 29) ^ b) >> 32);
}

inline u32 WordTable::add(std::string_view s) {
  if (2 * texts_.size() >= slots_.size()) grow();
  const u32 h = hash(s);
  for (u32 at = h & mask_;; at = (at + 1) & mask_) {
    const u64 slot = slots_[at];
    if (slot == 0) {
      texts_.push_back(s);
      counts_.push_back(1);
      slots_[at] = u64{h} << 32 | texts_.size();
      return static_cast<u32>(texts_.size() - 1);
    }
    if (static_cast<u32>(slot >> 32) != h) continue;
    const u32 id = static_cast<u32>(slot) - 1;
    if (texts_[id] != s) continue;
    ++counts_[id];
    return id;
  }
}

}  // namespace lm::tag
