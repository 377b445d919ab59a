#include "text/word_break.h"

#include "text/break_tables.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {

namespace {

using Break = tables::WordClass;

constexpr u32 bit(Break b) {
  return u32{1} << static_cast<u32>(b);
}
bool is_in(Break b, u32 set) {
  return ((set >> static_cast<u32>(b)) & 1u) != 0;
}

// The macros of the rules.
constexpr u32 kLetters = bit(Break::kALetter) | bit(Break::kHebrewLetter);
constexpr u32 kLines = bit(Break::kCr) | bit(Break::kLf) | bit(Break::kNewline);
constexpr u32 kIgnored = bit(Break::kExtend) | bit(Break::kFormat) | bit(Break::kZwj);
constexpr u32 kMidNumLetQ = bit(Break::kMidNumLet) | bit(Break::kSingleQuote);
constexpr u32 kInLetters = bit(Break::kMidLetter) | kMidNumLetQ;
constexpr u32 kInNumbers = bit(Break::kMidNum) | kMidNumLetQ;
constexpr u32 kJoined = kLetters | bit(Break::kNumeric) | bit(Break::kKatakana);

/// Class of the first character from p on that rule WB4 does not skip.
Break next_base(const char* p, const char* end) {
  while (p < end) {
    const Break b = tables::word_class(next_valid(p));
    if (!is_in(b, kIgnored)) return b;
  }
  return Break::kOther;
}

/// WB5 to WB13b and WB15, WB16: whether base and the character of class b that follows it (marks of
/// WB4 skipped) belong together. before: the class before base; behind(): the class behind b.
/// odd_regional: base ends an odd run of regional indicators.
template <typename Behind>
bool is_joined(Break before, Break base, Break b, bool odd_regional, Behind behind) {
  if (is_in(base, kLetters)) {
    if (is_in(b, kLetters | bit(Break::kNumeric) | bit(Break::kExtendNumLet))) return true;
    if (base == Break::kHebrewLetter && b == Break::kSingleQuote) return true;
    if (base == Break::kHebrewLetter && b == Break::kDoubleQuote)
      return behind() == Break::kHebrewLetter;
    return is_in(b, kInLetters) && is_in(behind(), kLetters);
  }
  if (base == Break::kNumeric) {
    if (is_in(b, kLetters | bit(Break::kNumeric) | bit(Break::kExtendNumLet))) return true;
    return is_in(b, kInNumbers) && behind() == Break::kNumeric;
  }
  if (is_in(base, kInLetters | kInNumbers)) {
    if (is_in(base, kInLetters) && is_in(before, kLetters) && is_in(b, kLetters)) return true;
    return is_in(base, kInNumbers) && before == Break::kNumeric && b == Break::kNumeric;
  }
  if (base == Break::kDoubleQuote)
    return before == Break::kHebrewLetter && b == Break::kHebrewLetter;
  if (base == Break::kKatakana) return b == Break::kKatakana || b == Break::kExtendNumLet;
  if (base == Break::kExtendNumLet) return b == Break::kExtendNumLet || is_in(b, kJoined);
  return base == Break::kRegionalIndicator && b == Break::kRegionalIndicator && odd_regional;
}

}  // namespace

bool WordSegments::next(std::string_view& segment) {
  if (at_ >= isize(text_)) return false;
  const char* const begin = text_.data() + at_;
  const char* const end = text_.data() + text_.size();
  const char* p = begin;
  // Nothing before a boundary matters behind it: every rule that looks back over a base joins it.
  Break last = tables::word_class(next_valid(p));  // class of the character before p
  Break base = last;
  Break before = Break::kOther;
  bool odd_regional = base == Break::kRegionalIndicator;
  while (p < end) {
    const char* q = p;
    const char32_t cp = next_valid(q);
    const Break b = tables::word_class(cp);
    if (last == Break::kCr && b == Break::kLf) {
      // WB3
    } else if (is_in(last, kLines) || is_in(b, kLines)) {
      break;  // WB3a, WB3b
    } else if (is_in(b, kIgnored)) {
      last = b;  // WB4
      p = q;
      continue;
    } else if (!(last == Break::kZwj && tables::is_pictographic(cp)) &&   // WB3c
               !(last == Break::kWSegSpace && b == Break::kWSegSpace) &&  // WB3d
               !is_joined(before, base, b, odd_regional, [q, end] { return next_base(q, end); })) {
      break;
    }
    odd_regional = b == Break::kRegionalIndicator && !odd_regional;
    before = base;
    base = last = b;
    p = q;
  }
  segment = std::string_view(begin, static_cast<std::size_t>(p - begin));
  at_ += p - begin;
  return true;
}

i64 count_word_segments(std::string_view text, bool with_blank) {
  i64 count = 0;
  std::string_view segment;
  for (WordSegments all(text); all.next(segment);)
    count += with_blank || !is_blank(segment);
  return count;
}

i64 count_words_u29(std::string_view text) {
  i64 count = 0;
  std::string_view segment;
  for (WordSegments all(text); all.next(segment);) {
    const char* p = segment.data();
    const char* const end = p + segment.size();
    bool word = false;
    while (p < end && !word) {
      const char32_t cp = next_valid(p);
      word = is_alphabetic(cp) || is_number(cp);
    }
    count += word ? 1 : 0;
  }
  return count;
}

}  // namespace lm::text
