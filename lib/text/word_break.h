#pragma once
// Word boundaries of UAX 29 (Unicode 16.0, without tailoring): they cut text into words, runs of
// white space and single marks; the pieces concatenate to the text. Text is well-formed UTF-8.

#include <string_view>

#include "core/types.h"

namespace lm::text {

/// Walks over the segments between word boundaries. Usage: WordSegments all(text); while
/// (all.next(s)). O(n) together unless marks like "'" are followed by long runs of combining
/// characters, which are read twice.
class WordSegments {
 public:
  explicit WordSegments(std::string_view text) : text_(text) {}
  bool next(std::string_view& segment);

 private:
  std::string_view text_;
  i64 at_ = 0;
};

/// How many segments text has; with_blank: those of white space only count too.
i64 count_word_segments(std::string_view text, bool with_blank);
/// Those with a letter or number in them (Alphabetic, general category N), which are the words.
i64 count_words_u29(std::string_view text);

}  // namespace lm::text
