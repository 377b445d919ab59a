#include "text/bert_chars.h"

#include <algorithm>
#include <iterator>

#include "text/unicode.h"

namespace lm::text {
namespace {

struct CharRange {
  char32_t first;
  char32_t last;
};

template <std::size_t N>
bool in_ranges(const CharRange (&ranges)[N], char32_t cp) {
  const CharRange* const at =
      std::lower_bound(std::begin(ranges), std::end(ranges), cp,
                       [](const CharRange& range, char32_t value) { return range.last < value; });
  return at != std::end(ranges) && at->first <= cp;
}

// Nonspacing marks of our tables that Unicode 8.0 does not have. What else lies in the ranges is no
// mark.
constexpr CharRange kNewerMarks[] = {
    {0x7FD, 0x7FD},     {0x897, 0x8E1},     {0x9FE, 0x9FE},     {0xAFA, 0xAFF},
    {0xB55, 0xB55},     {0xC04, 0xC3C},     {0xD00, 0xD00},     {0xD3B, 0xD3C},
    {0xD81, 0xD81},     {0xEBA, 0xEBA},     {0xECE, 0xECE},     {0x180F, 0x1886},
    {0x1ABF, 0x1ACE},   {0x1DF6, 0x1DFB},   {0xA82C, 0xA82C},   {0xA8C5, 0xA8C5},
    {0xA8FF, 0xA8FF},   {0xA9BD, 0xA9BD},   {0x10D24, 0x10F85}, {0x11070, 0x11074},
    {0x110C2, 0x110C2}, {0x111C9, 0x111C9}, {0x111CF, 0x111CF}, {0x1123E, 0x11241},
    {0x1133B, 0x1133B}, {0x113BB, 0x1145E}, {0x1182F, 0x1612F}, {0x16F4F, 0x16F4F},
    {0x16FE4, 0x16FE4}, {0x1CF00, 0x1CF46}, {0x1E000, 0x1E5EF}, {0x1E944, 0x1E94A},
};
// The same of punctuation.
constexpr CharRange kNewerPunctuation[] = {
    {0x61D, 0x61D},     {0x9FD, 0xA76},     {0xC77, 0xC84},     {0x1B4E, 0x1B4F},
    {0x1B7D, 0x1B7F},   {0x2E43, 0x2E5D},   {0x10D6E, 0x10F89}, {0x113D4, 0x1145D},
    {0x11660, 0x116B9}, {0x1183B, 0x11FFF}, {0x12FF1, 0x12FF2}, {0x16D6D, 0x16FE2},
    {0x1E5FF, 0x1E95F},
};
// Format characters of our tables that Unicode 8.0 does not have.
constexpr CharRange kNewerFormats[] = {
    {0x890, 0x891}, {0x8E2, 0x8E2}, {0x110CD, 0x110CD}, {0x13430, 0x1343F}};
// The original program has U+2B820..U+2CEAF.
constexpr CharRange kIdeographs[] = {
    {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
    {0x2A700, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F},
};

bool is_line_or_tab(char32_t cp) {
  return cp == '\t' || cp == '\n' || cp == '\r';
}

}  // namespace

bool is_bert_space(char32_t cp) {
  return is_line_or_tab(cp) || (is_white_space(cp) && !is_control(cp));
}

bool is_bert_control(char32_t cp) {
  constexpr u32 kOther =
      category_bit(Category::kCc) | category_bit(Category::kCf) | category_bit(Category::kCo);
  if (cp == 0xFFFD) return true;
  return in_categories(cp, kOther) && !is_line_or_tab(cp) && !in_ranges(kNewerFormats, cp);
}

bool is_bert_accent(char32_t cp) {
  if (cp == 0x1734 || cp == 0x1171E) return true;  // spacing marks since
  return general_category(cp) == Category::kMn && !in_ranges(kNewerMarks, cp);
}

bool is_bert_ideograph(char32_t cp) {
  return in_ranges(kIdeographs, cp);
}

bool is_bert_punctuation(char32_t cp) {
  if (cp < 0x80)
    return (cp >= 0x21 && cp <= 0x2F) || (cp >= 0x3A && cp <= 0x40) || (cp >= 0x5B && cp <= 0x60) ||
           (cp >= 0x7B && cp <= 0x7E);
  if (cp == 0x166D || cp == 0x111C9) return true;  // a symbol and a mark since
  return is_punctuation(cp) && !in_ranges(kNewerPunctuation, cp);
}

}  // namespace lm::text
