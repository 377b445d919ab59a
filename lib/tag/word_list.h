#pragma once
// A list of words and phrases, as the C4 rule has it: a word is matched by a whole word of the
// text, an entry with a blank in it by any stretch of the text. The text is in lower case already.

#include <bitset>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/types.h"
#include "text/byte_bits.h"

namespace lm::tag {

class WordList {
 public:
  /// lines: one entry each, as bytes of a file; blanks at both ends and empty lines do not count.
  /// Throws Error{kData} for text that is no UTF-8 and for a list without entries; name is the
  /// file's.
  WordList(std::string_view lines, const std::string& name);
  /// True if a word of lower is an entry, or a phrase stands in it. O(|lower|) for lists of
  /// ordinary language. bits: of lower.
  bool found_in(std::string_view lower, const text::ByteBits& bits) const;
  i64 size() const { return isize(words_) + isize(phrases_); }

 private:
  bool phrase_at(std::string_view lower, i64 blank) const;
  void add_word(std::string_view word);
  void add_phrase(std::string_view phrase);

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const;
  };
  std::unordered_set<std::string, Hash, std::equal_to<>> words_;
  std::bitset<1 << 15> looks_;  // what words begin with
  // Phrases by the bytes around their first blank.
  struct Phrase {
    std::string text;
    i64 blank;
    u32 around;
  };
  std::vector<Phrase> phrases_;  // by around
  std::bitset<1 << 20> joints_;  // what stands around the first blanks of phrases
};

}  // namespace lm::tag
