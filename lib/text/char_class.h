#pragma once
// Character classes of the pre-tokenizer patterns: one byte of flags per code point, ASCII from a
// constexpr table, the rest from the Unicode tables.

#include <array>
#include <string_view>

#include "core/types.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {

inline constexpr u8 kIsUpper = 1;    // Lu, Lt
inline constexpr u8 kIsLower = 2;    // Ll
inline constexpr u8 kIsNeutral = 4;  // Lm, Lo
inline constexpr u8 kIsMark = 8;     // M
inline constexpr u8 kIsNumber = 16;  // N
inline constexpr u8 kIsSpace = 32;   // White_Space
inline constexpr u8 kIsBreak = 64;   // CR, LF
inline constexpr u8 kIsLetter = kIsUpper | kIsLower | kIsNeutral;

namespace detail {
constexpr u8 ascii_class(int c) {
  if (c >= 'A' && c <= 'Z') return kIsUpper;
  if (c >= 'a' && c <= 'z') return kIsLower;
  if (c >= '0' && c <= '9') return kIsNumber;
  if (c == '\r' || c == '\n') return kIsSpace | kIsBreak;
  if (c == ' ' || (c >= 9 && c <= 13)) return kIsSpace;
  return 0;
}
constexpr std::array<u8, 128> make_ascii_classes() {
  std::array<u8, 128> table{};
  for (int c = 0; c < 128; ++c)
    table[static_cast<std::size_t>(c)] = ascii_class(c);
  return table;
}
constexpr std::array<u8, 32> make_category_classes() {
  std::array<u8, 32> table{};
  const auto set = [&table](Category c, u8 flags) { table[static_cast<std::size_t>(c)] = flags; };
  set(Category::kLu, kIsUpper);
  set(Category::kLt, kIsUpper);
  set(Category::kLl, kIsLower);
  set(Category::kLm, kIsNeutral);
  set(Category::kLo, kIsNeutral);
  set(Category::kMn, kIsMark);
  set(Category::kMc, kIsMark);
  set(Category::kMe, kIsMark);
  set(Category::kNd, kIsNumber);
  set(Category::kNl, kIsNumber);
  set(Category::kNo, kIsNumber);
  return table;
}
}  // namespace detail

inline constexpr std::array<u8, 128> kAsciiClasses = detail::make_ascii_classes();
inline constexpr std::array<u8, 32> kCategoryClasses = detail::make_category_classes();

/// Class flags and byte length of one character.
struct CharClass {
  u8 flags;
  u8 size;
};

/// Class of the character at p of well-formed text.
inline CharClass class_at(const char* p) {
  const u8 b = static_cast<u8>(*p);
  if (b < 0x80) return {kAsciiClasses[b], 1};
  const char* q = p;
  const u8 props = tables::props(next_valid(q));
  const u8 space = (props & 0x80) != 0 ? kIsSpace : u8{0};
  return {static_cast<u8>(kCategoryClasses[props & 0x1F] | space), static_cast<u8>(q - p)};
}

}  // namespace lm::text
