#pragma once
// Cutting text: words between white space, lines, paragraphs; and byte offsets as code point
// offsets. White space is Python's (U+0009-000D, 001C-001F, 0020, 0085, 00A0, 1680, 2000-200A,
// 2028, 2029, 202F, 205F, 3000). Text is well-formed UTF-8; views point into it. Pure functions.

#include <string_view>
#include <utility>
#include <vector>

#include "core/types.h"

namespace lm::text {

/// White space at text[at], a sequence start or the end: its size in bytes, else 0.
i64 py_space_size(std::string_view text, i64 at);
/// text without white space at both ends (a view into it).
std::string_view strip(std::string_view text);
/// True if text holds nothing but white space.
bool is_blank(std::string_view text);

/// Walks over maximal runs of non-white-space. Usage: WordCursor words(text); while
/// (words.next(w)).
class WordCursor {
 public:
  explicit WordCursor(std::string_view text) : text_(text) {}
  bool next(std::string_view& word);

 private:
  std::string_view text_;
  i64 at_ = 0;
};
std::vector<std::string_view> words_ws(std::string_view text);
i64 count_words_ws(std::string_view text);

/// Split at '\n' only: n newlines give n + 1 lines; the empty text gives one empty line.
std::vector<std::string_view> lines_n(std::string_view text);

/// Lines with the '\n' that ends them; the last may lack it. Their concatenation is the text; the
/// empty text has none. remove_blank leaves out those of white space only.
std::vector<std::string_view> paragraphs(std::string_view text, bool remove_blank = false);

/// Code point offsets of byte offsets in one text. Pure ASCII is the identity; otherwise a
/// checkpoint per KiB, so that building is O(n) and a look-up reads at most 1 KiB.
class CodePointIndex {
 public:
  explicit CodePointIndex(std::string_view text);
  /// Code points of the whole text.
  i64 size() const { return size_; }
  /// Code points before byte (0 <= byte <= text size, at a sequence start).
  i64 at(i64 byte) const;
  /// Byte offset of a code point (0 <= code_point <= size()).
  i64 byte_of(i64 code_point) const;

 private:
  std::string_view text_;
  i64 size_ = 0;
  std::vector<i64> checkpoints_;  // code points before byte 1024 i; empty for ASCII
};

}  // namespace lm::text
