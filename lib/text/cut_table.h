#pragma once
// Where a merge model may be cut: between two characters that stand side by side inside no token,
// no merge can ever join, so both sides can be encoded apart with the same result. This turns
// whole-document BPE (Gemma, Llama 2) and long unsegmented runs into short, cacheable units.
// A hashed bitmap: a false "joined" only makes units longer. Immutable after construction.

#include <array>
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
  static constexpr int kMostBits = 23;  // 1 MiB; a quarter-million tokens mark about 300,000 pairs
  u64 hash(u64 left, u64 right) const {
    return ((left << 32 | right) * 0x9E3779B97F4A7C15ULL) >> shift_;
  }
  bool marked(u64 left, u64 right) const {
    const u64 h = hash(left, right);
    return ((bits_[h >> 6] >> (h & 63)) & 1) != 0;
  }
  void mark_token(std::string_view token);
  void mark_fragments(std::string_view left, std::string_view right);
  bool joined(std::string_view left, std::string_view right) const;
  bool joined_by_fragments(std::string_view left, std::string_view right) const;

  // Keys are the bytes of a character, or of the part of it that a token holds: an end of one
  // (continuation bytes only) or a beginning (a lead byte with too few after it). The three kinds
  // cannot be mistaken for each other.
  std::vector<u64> bits_;  // as few as do, so that they stay in the processor's caches
  int shift_;
  // Pairs of ASCII characters: bit `right` of row `left`. Nine boundaries of ten are of this kind.
  std::array<std::array<u64, 2>, 128> ascii_{};
  // Whether a fragment can be involved at all, by the low six bits of three bytes around the
  // boundary; of the non-ASCII boundaries of mixed text 1 in 20 (GPT-2) or 1 in 11 (Qwen 3) are.
  // ends_: row = the last two bytes of the left character, bit = the first of the right one, for
  // tokens that begin inside the left character. beginnings_: row = the first two bytes of the
  // right character, bit = the last of the left one, for tokens that end inside the right one.
  std::vector<u64> ends_;
  std::vector<u64> beginnings_;
};

}  // namespace lm::text
