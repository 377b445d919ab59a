#include "ngram/ccnet.h"

#include <algorithm>
#include <array>

#include "core/types.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::ngram {

namespace {

struct Replacement {
  char32_t from;
  const char* to;
};

// Ascending code points. U+FF11, the full-width one, is in the original table too but never met:
// it is a digit and digits are replaced before.
constexpr std::array<Replacement, 34> kPunctuation = {{
    {0x00AB, "\""}, {0x00B4, "'"},  {0x00BB, "\""}, {0x2013, "-"},  {0x2014, " - "},
    {0x2019, "'"},  {0x201C, "\""}, {0x201D, "\""}, {0x201E, "\""}, {0x2026, "..."},
    {0x2236, ":"},  {0x2501, "-"},  {0x25BA, "-"},  {0x3001, ","},  {0x3002, "."},
    {0x3008, "<"},  {0x3009, ">"},  {0x300A, "\""}, {0x300B, "\""}, {0x300C, "\""},
    {0x300D, "\""}, {0x3010, "["},  {0x3011, "]"},  {0xFF01, "!"},  {0xFF05, "%"},
    {0xFF08, "("},  {0xFF09, ")"},  {0xFF0C, ","},  {0xFF0E, ". "}, {0xFF11, "\""},
    {0xFF1A, ":"},  {0xFF1B, ";"},  {0xFF1F, "?"},  {0xFF5E, "~"},
}};

const char* replacement(char32_t cp) {
  const Replacement* const found =
      std::lower_bound(kPunctuation.begin(), kPunctuation.end(), cp,
                       [](const Replacement& r, char32_t value) { return r.from < value; });
  return found != kPunctuation.end() && found->from == cp ? found->to : nullptr;
}

std::string_view strip(std::string_view text) {
  std::size_t begin = text.size();
  std::size_t end = 0;
  for (i64 at = 0; at < isize(text);) {
    const text::Decoded d = text::decode_at(text, at);
    if (!text::is_py_space(d.cp)) {
      begin = std::min(begin, usize(at));
      end = usize(at + d.size);
    }
    at += d.size;
  }
  return begin < end ? text.substr(begin, end - begin) : std::string_view();
}

}  // namespace

std::string ccnet_normalise(std::string_view given) {
  const std::string plain = text::nfd_without_marks(text::to_lower(strip(given)));
  std::string out;
  out.reserve(plain.size());
  const char* at = plain.data();
  const char* const end = at + plain.size();
  while (at < end) {
    const char* const begin = at;
    const char32_t cp = text::next_valid(at);
    if (cp < 0x20 || (cp >= 0x7F && cp <= 0x9F)) continue;
    if (text::is_decimal_digit(cp)) {
      out.push_back('0');
    } else if (const char* const to = cp < 0x80 ? nullptr : replacement(cp)) {
      out.append(to);
    } else {
      out.append(begin, at);
    }
  }
  return out;
}

}  // namespace lm::ngram
