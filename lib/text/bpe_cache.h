#pragma once
// Pretoken -> ids, so that the merge loop runs once per distinct pretoken (99.4 % of the pretokens
// of English web text repeat). Bounded: when the budget is reached everything is forgotten. Whole
// keys are compared, so a hit is never wrong and output does not depend on the content. Not
// thread-safe: each EncodeState owns one.
//
// Pretokens of up to 15 bytes live in 32-byte entries: a 16-byte key (the bytes and their count)
// and up to four ids. Longer ones, and more ids, are in side arenas. The table outgrows the
// processor's caches, so look-ups are split: probe() hashes and fetches, find() compares. A caller
// that probes many pieces before it finds the first waits for memory once instead of every time.

#include <array>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "text/fresh_pages.h"

namespace lm::text {

class BpeCache {
 public:
  static constexpr i64 kShortBytes = 15;  // longest key of a short entry
  static constexpr u32 kInline = 4;       // ids in a short entry

  struct Key {
    u64 lo;
    u64 hi;  // top byte: length (never 0 in use), its high bit the variant
  };
  /// A piece of 1 to kShortBytes bytes on its way through the table.
  struct Probe {
    Key key;
    u64 hash;
  };
  struct ShortEntry {
    Key key;
    u32 ids[kInline];  // ids[0] carries the count in its top 4 bits

    u32 count() const { return ids[0] >> 28; }  // kSpilled: the ids are elsewhere
    u32 first() const { return ids[0] & 0x0FFFFFFFu; }
  };

  /// budget_bytes 0 switches the cache off.
  explicit BpeCache(i64 budget_bytes);

  /// variant separates two meanings of the same bytes (0 or 1). Bytes up to text_end are readable.
  Probe probe(std::string_view piece, int variant, const char* text_end) const {
    const Key key = short_key(piece, variant, text_end);
    const u64 hash = hash_of(key);
    __builtin_prefetch(short_.data() + (hash & mask_));
    return {key, hash};
  }
  /// The entry of a probed piece, or null. Valid until the next insert.
  const ShortEntry* find(const Probe& p) const {
    for (u64 at = p.hash & mask_;; at = (at + 1) & mask_) {
      const ShortEntry& e = short_.data()[at];
      if (e.key.lo == p.key.lo && e.key.hi == p.key.hi) return &e;
      if (e.key.hi == 0) return nullptr;
    }
  }
  /// Appends the ids of any piece to out and returns true, or returns false if it is not known.
  bool append(std::string_view piece, int variant, std::vector<i32>& out) const;
  /// The same for an entry that find returned.
  void append(const ShortEntry& e, std::vector<i32>& out) const;

  /// Remembers ids for a piece that append did not find.
  void insert(std::string_view piece, int variant, std::span<const i32> ids);

  i64 used_bytes() const;
  i64 entries() const { return short_count_ + isize(long_) - long_free_; }

 private:
  static constexpr std::size_t kLongBytes = 512;  // longer pieces seldom repeat
  static constexpr u32 kSpilled = 15;  // count field of an entry whose ids are in tokens_

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
  /// The low n bytes, 0 <= n <= 8.
  static constexpr u64 low_bytes(u64 n) { return n == 0 ? 0 : ~u64{0} >> (64 - 8 * n); }
  static constexpr std::array<Key, kShortBytes + 1> make_masks() {
    std::array<Key, kShortBytes + 1> masks{};
    for (u64 n = 0; n < masks.size(); ++n)
      masks[n] = {low_bytes(n < 8 ? n : 8), low_bytes(n < 8 ? 0 : n - 8)};
    return masks;
  }
  /// The bytes as two words; two loads and no branch but for the last bytes of a text.
  static Key short_key(std::string_view piece, int variant, const char* text_end) {
    static constexpr std::array<Key, kShortBytes + 1> kMasks = make_masks();
    const char* p = piece.data();
    const std::size_t n = piece.size();
    const u64 tag = (static_cast<u64>(n) | static_cast<u64>(variant) << 7) << 56;
    char last[16] = {};
    if (text_end - p < 16) {
      std::memcpy(last, p, n);
      p = last;
    }
    return {load8(p) & kMasks[n].lo, (load8(p + 8) & kMasks[n].hi) | tag};
  }
  static u64 hash_of(const Key& key) {
    const u64 h = (key.lo ^ 0x9E3779B97F4A7C15ULL) * 0xD6E8FEB86659FD93ULL;
    const u64 g = (key.hi ^ (h >> 32) ^ h) * 0x9FB21C651E98DF25ULL;
    return g >> 32;
  }
  ShortEntry& free_slot(u64 hash);
  bool append_long(std::string_view piece, int variant, std::vector<i32>& out) const;
  std::size_t long_slot(u64 hash, std::string_view piece, int variant) const;
  void insert_short(std::string_view piece, int variant, std::span<const i32> ids);
  void insert_long(std::string_view piece, int variant, std::span<const i32> ids);
  void grow_short();
  void grow_long();
  void clear();

  i64 budget_;
  FreshPages<ShortEntry> short_;  // a power of two entries, key.hi 0 = free
  u64 mask_ = 0;
  i64 short_count_ = 0;
  std::vector<LongEntry> long_;
  i64 long_free_ = 0;
  std::string keys_;
  std::vector<i32> tokens_;
};

}  // namespace lm::text
