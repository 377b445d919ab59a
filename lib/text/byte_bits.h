#pragma once
// What the bytes of a text are, one bit each, found 64 at a time: white space (Python's), newlines,
// ASCII digits, bytes inside a code point. What would be a branch per byte becomes a shift, a count
// of bits or a walk over those that are set; code points before any byte are known at once.
// Memory: five bits a byte, kept for the next text. Not thread-safe.

#include <algorithm>
#include <bit>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::text {

/// A map: bit i % 64 of word i / 64 is byte i. Bits from the text's end on are set among spaces,
/// clear in the others; a word beyond the last is readable.
using BitMap = std::vector<u64>;

class ByteBits {
 public:
  /// text: well-formed UTF-8 of less than 4 GiB. O(n): 0.3 cycles a byte with AVX2.
  void scan(std::string_view text);

  i64 size() const { return size_; }
  /// Words of a map that have bits of the text, and one at least.
  i64 blocks() const { return size_ / 64 + 1; }
  bool ascii() const { return ascii_; }
  /// Code points of the text.
  i64 chars() const { return size_ - inner_count_; }

  /// Every byte of a white space.
  const BitMap& spaces() const { return spaces_; }
  const BitMap& newlines() const { return newlines_; }
  const BitMap& digits() const { return digits_; }
  /// Bytes of a code point behind its first; empty where the text is ASCII.
  const BitMap& inner() const { return inner_; }

  /// Where words begin and end, in turn, in bytes and in code points; these stay empty if the text
  /// is ASCII. O(n): 1 cycle a byte of English.
  void word_edges(std::vector<u32>& bytes, std::vector<u32>& chars) const;

  bool is_space(i64 at) const { return is_set(spaces_, at); }
  /// Bytes before `at` that are no first ones of a code point. O(1).
  i64 inner_before(i64 at) const {
    if (ascii_) return 0;
    const u64 below = (u64{1} << (at % 64)) - 1;
    return i64{inner_before_[usize(at / 64)]} + std::popcount(inner_[usize(at / 64)] & below);
  }
  /// First bytes of words (runs without white space), by word of a map.
  u64 starts(i64 block) const {
    const u64 before = block == 0 ? 1 : spaces_[usize(block - 1)] >> 63;
    return ~spaces_[usize(block)] & (spaces_[usize(block)] << 1 | before);
  }
  /// Bytes from which `distance` bytes on a bit of the map is set, 1 <= distance < 64.
  static u64 ahead(const BitMap& map, i64 block, int distance) {
    return map[usize(block)] >> distance | map[usize(block + 1)] << (64 - distance);
  }
  /// The bits of 64 bytes from `at` on, 0 <= at <= size().
  static u64 window(const BitMap& map, i64 at) {
    const u64 low = map[usize(at / 64)] >> (at % 64);
    return at % 64 == 0 ? low : low | map[usize(at / 64 + 1)] << (64 - at % 64);
  }
  static bool is_set(const BitMap& map, i64 at) {
    return (map[usize(at / 64)] >> (at % 64) & 1) != 0;
  }

 private:
  void add_wide_spaces(std::string_view text);

  i64 size_ = 0;
  bool ascii_ = true;
  i64 inner_count_ = 0;
  BitMap spaces_;
  BitMap newlines_;
  BitMap digits_;
  BitMap inner_;
  std::vector<u32> inner_before_;  // [blocks] of a text that is not ASCII
};

/// Calls visit(i) for every i in [begin, end) whose bit is set in the words that mask(block) gives,
/// from the first on.
template <class Mask, class Visit>
void each_bit(i64 begin, i64 end, const Mask& mask, const Visit& visit) {
  if (begin >= end) return;
  const i64 last = (end - 1) / 64;
  for (i64 block = begin / 64; block <= last; ++block) {
    u64 bits = mask(block);
    if (block == begin / 64) bits &= ~u64{0} << (begin % 64);
    if (block == last) bits &= ~u64{0} >> (63 - (end - 1) % 64);
    for (; bits != 0; bits &= bits - 1)
      visit(64 * block + std::countr_zero(bits));
  }
}

/// The first such i, end if there is none.
template <class Mask>
i64 find_bit(i64 begin, i64 end, const Mask& mask) {
  for (i64 at = begin; at < end; at += 64 - at % 64) {
    const u64 bits = mask(at / 64) >> (at % 64);
    if (bits != 0) return std::min(end, at + std::countr_zero(bits));
  }
  return end;
}

/// What word_edges() works on. inner: null for ASCII.
struct EdgeMaps {
  const u64* spaces;
  const u64* inner;
  const u32* inner_before;
  i64 blocks;
};
i64 count_edges(const EdgeMaps& maps);
i64 count_edges_plain(const EdgeMaps& maps);
/// Writes as many as there are, and bytes has room for kEdgeRoom more.
inline constexpr i64 kEdgeRoom = 8;
void write_edges(const EdgeMaps& maps, u32* bytes, u32* chars);
void write_edges_plain(const EdgeMaps& maps, u32* bytes, u32* chars);

/// The maps of whole blocks of 64 bytes. True if a byte is not ASCII. This and the above are there
/// in the fastest way of this processor and in one for all; tests compare them.
struct BlockMaps {
  u64* spaces;  // ASCII ones
  u64* newlines;
  u64* digits;
  u64* inner;
};
bool map_blocks(const char* bytes, i64 blocks, const BlockMaps& out);
bool map_blocks_plain(const char* bytes, i64 blocks, const BlockMaps& out);

}  // namespace lm::text
