#pragma once
// Sets of ASCII characters as bits, and runs of them.

#include <array>
#include <string_view>

#include "core/types.h"

namespace lm::tag {

inline constexpr u16 kLow = 1;
inline constexpr u16 kUp = 2;
inline constexpr u16 kDigit = 4;
inline constexpr u16 kHexLetter = 8;
inline constexpr u16 kDash = 16;
inline constexpr u16 kUnder = 32;
inline constexpr u16 kPlusSlash = 64;
inline constexpr u16 kEquals = 128;
inline constexpr u16 kBackslash = 256;
inline constexpr u16 kDot = 512;
inline constexpr u16 kAlpha = kLow | kUp;
inline constexpr u16 kAlnum = kAlpha | kDigit;
inline constexpr u16 kHexDigit = kDigit | kHexLetter;
inline constexpr u16 kToken = kAlnum | kDash | kUnder;

inline constexpr std::array<u16, 256> kAsciiClass = [] {
  std::array<u16, 256> out{};
  for (int c = 'a'; c <= 'z'; ++c)
    out[static_cast<std::size_t>(c)] = static_cast<u16>(kLow | (c <= 'f' ? kHexLetter : 0));
  for (int c = 'A'; c <= 'Z'; ++c)
    out[static_cast<std::size_t>(c)] = static_cast<u16>(kUp | (c <= 'F' ? kHexLetter : 0));
  for (int c = '0'; c <= '9'; ++c)
    out[static_cast<std::size_t>(c)] = kDigit;
  out['-'] = kDash;
  out['_'] = kUnder;
  out['+'] = out['/'] = kPlusSlash;
  out['='] = kEquals;
  out['\\'] = kBackslash;
  out['.'] = kDot;
  return out;
}();

inline bool is_in(char c, u16 set) {
  return (kAsciiClass[static_cast<u8>(c)] & set) != 0;
}
/// End of the run of characters of set from at on, which takes `most` at most.
inline i64 run_end(std::string_view s, i64 at, u16 set, i64 most = i64{1} << 62) {
  const i64 last = isize(s) - at < most ? isize(s) : at + most;
  while (at < last && is_in(s[usize(at)], set))
    ++at;
  return at;
}
/// Start of the run of characters of set that ends before at, not before first.
inline i64 run_begin(std::string_view s, i64 at, u16 set, i64 first = 0) {
  while (at > first && is_in(s[usize(at - 1)], set))
    --at;
  return at;
}
/// True if count characters of set stand at a place that may lie outside s.
inline bool run_of(std::string_view s, i64 at, i64 count, u16 set) {
  return at >= 0 && at + count <= isize(s) && run_end(s, at, set, count) == at + count;
}
inline char char_at(std::string_view s, i64 at) {
  return at >= 0 && at < isize(s) ? s[usize(at)] : '\0';
}
inline char ascii_low(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
/// True if literal, in lower case, stands at a place that may lie outside s, in any case.
inline bool has_nocase(std::string_view s, i64 at, std::string_view literal) {
  if (at < 0 || at + isize(literal) > isize(s)) return false;
  for (std::size_t i = 0; i < literal.size(); ++i) {
    if (ascii_low(s[usize(at) + i]) != literal[i]) return false;
  }
  return true;
}
inline bool has_at(std::string_view s, i64 at, std::string_view literal) {
  return at >= 0 && at <= isize(s) && s.substr(usize(at)).starts_with(literal);
}

}  // namespace lm::tag
