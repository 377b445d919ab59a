#pragma once
// Pretoken -> ids, so that the merge loop runs once per distinct pretoken (99.4 % of the pretokens
// of English web text repeat). Bounded: when the budget is reached everything is forgotten. Whole
// keys are compared, so a hit is never wrong and output does not depend on the content. Not
// thread-safe: each EncodeState owns one.
//
// Pretokens of up to 15 bytes live in 32-byte entries: a 16-byte key (the bytes and their count)
// and up to four ids. Longer ones, and more ids, are in side arenas.

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::text {

class BpeCache {
 public:
  /// budget_bytes 0 switches the cache off.
  explicit BpeCache(i64 budget_bytes);

  /// Fetches the line in which a short piece would be, so that append finds it in cache.
  void prefetch(std::string_view piece) const {
    if (piece.size() > kShortBytes || short_.empty() || piece.empty()) return;
    __builtin_prefetch(&short_[slot_of(short_key(piece, 0))]);
  }

  /// Appends the ids of piece to out and returns true, or returns false if it is not known.
  /// variant separates two meanings of the same bytes (0 or 1).
  bool append(std::string_view piece, int variant, std::vector<i32>& out) const {
    if (piece.size() > kShortBytes) return append_long(piece, variant, out);
    if (short_.empty() || piece.empty()) return false;
    const Key key = short_key(piece, variant);
    for (std::size_t at = slot_of(key);; at = (at + 1) & mask_) {
      const ShortEntry& e = short_[at];
      if (e.key.lo == key.lo && e.key.hi == key.hi) {
        append_entry(e, out);
        return true;
      }
      if (e.key.hi == 0) return false;
    }
  }

  /// Remembers ids for a piece that append did not find.
  void insert(std::string_view piece, int variant, std::span<const i32> ids);

  i64 used_bytes() const;
  i64 entries() const { return short_count_ + isize(long_) - long_free_; }

 private:
  static constexpr std::size_t kShortBytes = 15;
  static constexpr std::size_t kLongBytes = 512;  // longer pieces seldom repeat
  static constexpr u32 kInline = 4;
  static constexpr u32 kSpilled = 15;  // count field of an entry whose ids are in tokens_

  struct Key {
    u64 lo;
    u64 hi;  // top byte: length (never 0 in use), its high bit the variant
  };
  struct ShortEntry {
    Key key{0, 0};
    u32 ids[4] = {0, 0, 0, 0};  // ids[0] carries the count in its top 4 bits
  };
  struct LongEntry {
    u64 hash = 0;
    u32 key_at = 0;
    u32 key_size = 0;  // 0: free; top bit: the variant
    u32 ids_at = 0;
    u32 ids_count = 0;
  };

  static u64 load8(const char* p) {
    u64 v;
    std::memcpy(&v, p, 8);
    return v;
  }
  static u64 load4(const char* p) {
    u32 v;
    std::memcpy(&v, p, 4);
    return v;
  }
  /// The bytes as two words, read by overlapping loads that stay inside the piece.
  static Key short_key(std::string_view piece, int variant) {
    const char* p = piece.data();
    const std::size_t n = piece.size();
    const u64 tag = (static_cast<u64>(n) | static_cast<u64>(variant) << 7) << 56;
    if (n > 8) return {load8(p), (load8(p + n - 8) >> (8 * (16 - n))) | tag};
    if (n == 8) return {load8(p), tag};
    if (n >= 4) return {load4(p) | load4(p + n - 4) << (8 * (n - 4)), tag};
    const auto byte = [p](std::size_t i) {
      return static_cast<u64>(static_cast<u8>(p[i])) << (8 * i);
    };
    return {byte(0) | byte(n / 2) | byte(n - 1), tag};
  }
  std::size_t slot_of(const Key& key) const {
    const u64 h = (key.lo ^ 0x9E3779B97F4A7C15ULL) * 0xD6E8FEB86659FD93ULL;
    const u64 g = (key.hi ^ (h >> 32) ^ h) * 0x9FB21C651E98DF25ULL;
    return (g >> 32) & mask_;
  }
  void append_entry(const ShortEntry& e, std::vector<i32>& out) const {
    const u32 count = e.ids[0] >> 28;
    if (count == 1) {
      out.push_back(static_cast<i32>(e.ids[0] & 0x0FFFFFFFu));
    } else if (count == kSpilled) {
      const i64 at = e.ids[1];
      out.insert(out.end(), tokens_.begin() + at, tokens_.begin() + at + e.ids[2]);
    } else if (count != 0) {
      out.push_back(static_cast<i32>(e.ids[0] & 0x0FFFFFFFu));
      for (u32 i = 1; i < count; ++i)
        out.push_back(static_cast<i32>(e.ids[i]));
    }
  }
  bool append_long(std::string_view piece, int variant, std::vector<i32>& out) const;
  std::size_t long_slot(u64 hash, std::string_view piece, int variant) const;
  void insert_short(std::string_view piece, int variant, std::span<const i32> ids);
  void insert_long(std::string_view piece, int variant, std::span<const i32> ids);
  void grow_short();
  void grow_long();
  void clear();

  i64 budget_;
  std::vector<ShortEntry> short_;
  std::size_t mask_ = 0;
  i64 short_count_ = 0;
  std::vector<LongEntry> long_;
  i64 long_free_ = 0;
  std::string keys_;
  std::vector<i32> tokens_;
};

}  // namespace lm::text
