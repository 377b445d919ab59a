#pragma once
// Where a merge model may be cut: between two characters that stand side by side inside no token,
// no merge can ever join, so both sides can be encoded apart with the same result. This turns
// whole-document BPE (Gemma, Llama 2) and long unsegmented runs into short, cacheable units.
// A hashed bitmap: a false "joined" only makes units longer. Immutable after construction.

#include <string_view>
#include <vector>

#include "core/types.h"
#include "text/vocab.h"

namespace lm::text {

class CutTable {
 public:
  /// Reads every token of the vocabulary. Tokens may hold parts of characters (byte-level models).
  explicit CutTable(const Vocab& vocab);

  /// Offset of the first place after begin where text may be cut, or text.size(). Only places
  /// between characters are considered. text: well-formed UTF-8, begin at a character. O(result).
  i64 next_cut(std::string_view text, i64 begin) const;

 private:
  static constexpr int kBits = 23;  // 1 MiB; a quarter-million tokens mark about 300,000 pairs
  static u64 hash(u64 left, u64 right) {
    return ((left << 32 | right) * 0x9E3779B97F4A7C15ULL) >> (64 - kBits);
  }
  bool marked(u64 left, u64 right) const {
    const u64 h = hash(left, right);
    return ((bits_[h >> 6] >> (h & 63)) & 1) != 0;
  }
  void mark_token(std::string_view token);
  bool joined(std::string_view left, std::string_view right) const;

  // Keys are the bytes of a character, or of the part of it that a token holds: an end of one
  // (continuation bytes only) or a beginning (a lead byte with too few after it). The three kinds
  // cannot be mistaken for each other.
  std::vector<u64> bits_;
  bool has_ends_ = false;        // some token begins inside a character
  bool has_beginnings_ = false;  // some token ends inside one
};

}  // namespace lm::text
