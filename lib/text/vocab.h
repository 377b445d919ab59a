#pragma once
// The two-way map between token strings (arbitrary bytes) and ids. Ids may have holes; a string has
// one id and an id one string. Build first, then share: const methods are safe to call
// concurrently.

#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::text {

/// Ids above this are refused: they cannot come from a sane file and size our tables.
inline constexpr i64 kMaxTokenId = (i64{1} << 22) - 1;

class Vocab {
 public:
  enum class Added { kNew, kSame, kDuplicateId, kDuplicateToken };

  /// Room for so many tokens, which need not come.
  void reserve(i64 tokens);
  /// Inserts (token, id), 0 <= id <= kMaxTokenId. kSame: exactly this entry was there before.
  Added add(std::string_view token, i64 id);
  /// The id of token, or -1. O(token).
  i32 find(std::string_view token) const;
  bool has_id(i64 id) const {
    return id >= 0 && id < isize(entries_) && entries_[usize(id)].offset >= 0;
  }
  /// The string of an id that exists.
  std::string_view token(i64 id) const {
    const Entry& e = entries_[usize(id)];
    return std::string_view(arena_).substr(usize(e.offset), e.size);
  }
  /// Largest id + 1; 0 when empty.
  i64 id_limit() const { return isize(entries_); }
  i64 count() const { return count_; }
  /// Length in bytes of the longest token.
  i64 longest() const { return longest_; }

 private:
  struct Entry {
    i64 offset = -1;
    u32 size = 0;
  };
  /// The hash goes with the id, so that a probe reads a token only where it is nearly surely the
  /// wanted one, and growing reads none.
  struct Slot {
    u32 hash = 0;
    i32 id = -1;  // -1 = free
  };
  void resize_slots(std::size_t count);
  std::size_t slot_of(std::string_view token, u32 hash) const;

  std::string arena_;
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;  // open addressing, at most half full
  i64 count_ = 0;
  i64 longest_ = 0;
};

}  // namespace lm::text
