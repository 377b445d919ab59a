#include "text/unicode.h"

#include <cstring>

#include "core/ascii.h"
#include "text/utf8.h"

namespace lm::text {
namespace {

constexpr u8 kCased = 1;
constexpr u8 kCaseIgnorable = 2;
constexpr char32_t kCapitalSigma = 0x3A3;
constexpr char32_t kFinalSigma = 0x3C2;

/// Last code point of text before byte at; text is scanned back over continuation bytes.
Decoded decode_before(std::string_view text, i64 at) {
  i64 begin = at - 1;
  while (begin > 0 && at - begin < 4 && (static_cast<u8>(text[usize(begin)]) & 0xC0) == 0x80) {
    --begin;
  }
  Decoded d = decode_at(text, begin);
  if (d.size != at - begin) return {kReplacement, 1, false};
  return d;
}

/// Final_Sigma of chapter 3.13: a cased letter before (past case-ignorable ones) and none after.
bool is_final_sigma(std::string_view text, i64 begin, i64 end) {
  bool cased_before = false;
  for (i64 at = begin; at > 0;) {
    const Decoded d = decode_before(text, at);
    const u8 flags = tables::record(d.cp).flags;
    if ((flags & kCaseIgnorable) == 0) {
      cased_before = (flags & kCased) != 0;
      break;
    }
    at -= d.size;
  }
  if (!cased_before) return false;
  for (i64 at = end; at < isize(text);) {
    const Decoded d = decode_at(text, at);
    const u8 flags = tables::record(d.cp).flags;
    if ((flags & kCaseIgnorable) == 0) return (flags & kCased) == 0;
    at += d.size;
  }
  return true;
}

std::string lower_text(std::string_view text, bool final_sigma) {
  constexpr u64 kHighs = 0x8080808080808080;
  std::string out;
  out.reserve(text.size());
  for (i64 at = 0; at < isize(text);) {
    for (u64 eight = 0; at + 8 <= isize(text); at += 8) {
      std::memcpy(&eight, text.data() + at, 8);
      if ((eight & kHighs) != 0) break;
      eight = ascii_lower8(eight);
      char lower[8];
      std::memcpy(lower, &eight, 8);
      out.append(lower, 8);
    }
    if (at == isize(text)) break;
    const char c = text[usize(at)];
    if (static_cast<u8>(c) < 0x80) {
      out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
      ++at;
      continue;
    }
    const Decoded d = decode_at(text, at);
    if (d.cp == 0x130) {
      out.append("i\xCC\x87");
    } else if (d.cp == kCapitalSigma && final_sigma && is_final_sigma(text, at, at + d.size)) {
      append_utf8(out, kFinalSigma);
    } else {
      append_utf8(out, simple_lower(d.cp));
    }
    at += d.size;
  }
  return out;
}

}  // namespace

bool is_word(char32_t cp) {
  constexpr u32 kSet =
      kMarks | category_bit(Category::kNd) | category_bit(Category::kPc) | kLetters;
  return in_categories(cp, kSet) || is_alphabetic(cp) || cp == 0x200C || cp == 0x200D;
}

std::string to_lower(std::string_view text) {
  return lower_text(text, true);
}
std::string to_lower_each(std::string_view text) {
  return lower_text(text, false);
}

}  // namespace lm::text
