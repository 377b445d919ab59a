#pragma once
// A set of bytes, and the sequences of such sets that are the UTF-8 forms of a set of characters.

#include <array>
#include <span>
#include <vector>

#include "core/types.h"

namespace lm::grammar {

class ByteSet {
 public:
  static ByteSet range(int low, int high) {
    ByteSet out;
    for (int b = low; b <= high; ++b)
      out.add(static_cast<u8>(b));
    return out;
  }
  void add(u8 byte) { words_[byte >> 6] |= u64{1} << (byte & 63); }
  bool has(u8 byte) const { return (words_[byte >> 6] >> (byte & 63) & 1) != 0; }
  bool empty() const { return (words_[0] | words_[1] | words_[2] | words_[3]) == 0; }
  int count() const {
    int n = 0;
    for (const u64 w : words_)
      n += __builtin_popcountll(w);
    return n;
  }
  ByteSet operator&(const ByteSet& o) const {
    ByteSet out;
    for (std::size_t i = 0; i < 4; ++i)
      out.words_[i] = words_[i] & o.words_[i];
    return out;
  }
  ByteSet operator|(const ByteSet& o) const {
    ByteSet out;
    for (std::size_t i = 0; i < 4; ++i)
      out.words_[i] = words_[i] | o.words_[i];
    return out;
  }
  bool operator==(const ByteSet&) const = default;
  const std::array<u64, 4>& words() const { return words_; }

 private:
  std::array<u64, 4> words_{};
};

/// Characters [low, high].
struct CharRange {
  char32_t low = 0;
  char32_t high = 0;
  bool operator==(const CharRange&) const = default;
};

/// A set of characters: ascending ranges that neither meet nor touch, without surrogates.
using CharSet = std::vector<CharRange>;

/// Sorts, joins, and takes surrogates and everything above U+10FFFF out.
CharSet normal(std::vector<CharRange> ranges);
CharSet complement(const CharSet& set);
CharSet intersect(const CharSet& a, const CharSet& b);
CharSet unite(const CharSet& a, const CharSet& b);
bool contains(const CharSet& set, char32_t cp);
/// What simple case mappings make of the members, and the members.
CharSet fold_case(const CharSet& set);

/// One to four byte ranges in a row.
struct ByteSequence {
  std::array<ByteSet, 4> at;
  int size = 0;
};
/// Together exactly the UTF-8 forms of the members.
std::vector<ByteSequence> utf8_sequences(const CharSet& set);

}  // namespace lm::grammar
