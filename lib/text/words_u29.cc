#include "text/words_u29.h"

#include "text/break_tables.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {

namespace {

using tables::WordClass;

bool is_newline(WordClass c) {
  return c == WordClass::kNewline || c == WordClass::kCr || c == WordClass::kLf;
}

/// What rule WB4 looks through.
bool is_ignored(WordClass c) {
  return c == WordClass::kExtend || c == WordClass::kFormat || c == WordClass::kZwj;
}

bool is_letter_class(WordClass c) {
  return c == WordClass::kALetter || c == WordClass::kHebrewLetter;
}

/// May stand once between letters.
bool joins_letters(WordClass c) {
  return c == WordClass::kMidLetter || c == WordClass::kMidNumLet || c == WordClass::kSingleQuote;
}

bool joins_numbers(WordClass c) {
  return c == WordClass::kMidNum || c == WordClass::kMidNumLet || c == WordClass::kSingleQuote;
}

class SegmentCursor {
 public:
  explicit SegmentCursor(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  bool next(std::string_view& segment, bool& word) {
    if (at_ == end_) return false;
    const char* const from = at_;
    word = false;
    WordClass raw = WordClass::kOther;   // of the character before, as it is
    WordClass last = WordClass::kOther;  // of it, looking through what WB4 ignores
    WordClass before = WordClass::kOther;
    i64 flags = 0;  // Regional_Indicators up to here
    for (bool first = true; at_ < end_; first = false) {
      const char* behind = at_;
      const char32_t cp = next_valid(behind);
      const WordClass c = tables::word_class(cp);
      if (!first && breaks(raw, before, last, c, behind, cp, flags)) break;
      if (first || !is_ignored(c)) {
        before = last;
        last = c;
        flags = c == WordClass::kRegionalIndicator ? flags + 1 : 0;
      }
      word = word || is_alphabetic(cp) || is_number(cp);
      raw = c;
      at_ = behind;
    }
    segment = {from, static_cast<std::size_t>(at_ - from)};
    return true;
  }

 private:
  bool breaks(WordClass raw, WordClass before, WordClass last, WordClass c, const char* behind,
              char32_t cp, i64 flags) const {
    if (raw == WordClass::kCr && c == WordClass::kLf) return false;                // WB3
    if (is_newline(raw) || is_newline(c)) return true;                             // WB3a, WB3b
    if (raw == WordClass::kZwj && tables::is_pictographic(cp)) return false;       // WB3c
    if (raw == WordClass::kWSegSpace && c == WordClass::kWSegSpace) return false;  // WB3d
    if (is_ignored(c)) return false;                                               // WB4
    const bool letter = is_letter_class(last);
    const bool number = last == WordClass::kNumeric;
    if (is_letter_class(c)) {
      if (letter || number) return false;                                // WB5, WB10
      if (joins_letters(last) && is_letter_class(before)) return false;  // WB7
      if (last == WordClass::kDoubleQuote && before == WordClass::kHebrewLetter &&
          c == WordClass::kHebrewLetter)
        return false;                           // WB7c
      return last != WordClass::kExtendNumLet;  // WB13b
    }
    if (letter && joins_letters(c) && is_letter_class(following(behind))) return false;  // WB6
    if (last == WordClass::kHebrewLetter) {
      if (c == WordClass::kSingleQuote) return false;  // WB7a
      if (c == WordClass::kDoubleQuote && following(behind) == WordClass::kHebrewLetter)
        return false;  // WB7b
    }
    if (c == WordClass::kNumeric) {
      if (letter || number) return false;                                      // WB8, WB9
      if (joins_numbers(last) && before == WordClass::kNumeric) return false;  // WB11
      return last != WordClass::kExtendNumLet;                                 // WB13b
    }
    if (number && joins_numbers(c) && following(behind) == WordClass::kNumeric) return false;
    if (c == WordClass::kKatakana)  // WB13, WB13b
      return last != WordClass::kKatakana && last != WordClass::kExtendNumLet;
    if (c == WordClass::kExtendNumLet)  // WB13a
      return !letter && !number && last != WordClass::kKatakana && last != WordClass::kExtendNumLet;
    if (c == WordClass::kRegionalIndicator) return flags % 2 == 0;  // WB15, WB16
    return true;                                                    // WB999
  }

  /// Class of the next character that WB4 does not ignore.
  WordClass following(const char* p) const {
    while (p < end_) {
      const WordClass c = tables::word_class(next_valid(p));
      if (!is_ignored(c)) return c;
    }
    return WordClass::kOther;
  }

  const char* at_;
  const char* end_;
};

}  // namespace

void segments_u29(std::string_view text, std::vector<std::string_view>& out) {
  out.clear();
  SegmentCursor cursor(text);
  std::string_view segment;
  bool word = false;
  while (cursor.next(segment, word))
    out.push_back(segment);
}

i64 count_words_u29(std::string_view text) {
  SegmentCursor cursor(text);
  std::string_view segment;
  bool word = false;
  i64 n = 0;
  while (cursor.next(segment, word))
    n += word;
  return n;
}

}  // namespace lm::text
