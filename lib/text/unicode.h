#pragma once
// Character properties, lower-casing and normalisation of Unicode 16.0 (the version of the Hugging
// Face tokenizers 0.23 engine), from generated tables. Pure functions, safe to call concurrently.
// Strings are well-formed UTF-8; ill-formed subparts act as U+FFFD.
// Sources: Unicode 16.0, UAX 15 (normalisation), chapter 3.13 (case), UAX 44 (properties).

#include <string>
#include <string_view>

#include "core/types.h"
#include "text/unicode_tables.h"

namespace lm::text {

/// General category; the values index the generated table.
enum class Category : u8 {
  kCn,
  kLu,
  kLl,
  kLt,
  kLm,
  kLo,
  kMn,
  kMc,
  kMe,
  kNd,
  kNl,
  kNo,
  kPc,
  kPd,
  kPs,
  kPe,
  kPi,
  kPf,
  kPo,
  kSm,
  kSc,
  kSk,
  kSo,
  kZs,
  kZl,
  kZp,
  kCc,
  kCf,
  kCs,
  kCo
};

inline Category general_category(char32_t cp) {
  return static_cast<Category>(tables::props(cp) & 0x1F);
}

/// One bit per category, for set tests.
constexpr u32 category_bit(Category c) {
  return u32{1} << static_cast<u32>(c);
}
inline bool in_categories(char32_t cp, u32 set) {
  return ((set >> (tables::props(cp) & 0x1Fu)) & 1u) != 0;
}
inline constexpr u32 kLetters = category_bit(Category::kLu) | category_bit(Category::kLl) |
                                category_bit(Category::kLt) | category_bit(Category::kLm) |
                                category_bit(Category::kLo);
inline constexpr u32 kMarks =
    category_bit(Category::kMn) | category_bit(Category::kMc) | category_bit(Category::kMe);
inline constexpr u32 kNumbers =
    category_bit(Category::kNd) | category_bit(Category::kNl) | category_bit(Category::kNo);
inline constexpr u32 kPunctuation = category_bit(Category::kPc) | category_bit(Category::kPd) |
                                    category_bit(Category::kPs) | category_bit(Category::kPe) |
                                    category_bit(Category::kPi) | category_bit(Category::kPf) |
                                    category_bit(Category::kPo);

/// The 25 code points of White_Space.
inline bool is_white_space(char32_t cp) {
  return (tables::props(cp) & 0x80) != 0;
}
/// White_Space and U+001C..U+001F: what Python's str.isspace accepts.
inline bool is_py_space(char32_t cp) {
  return is_white_space(cp) || (cp >= 0x1C && cp <= 0x1F);
}
inline bool is_letter(char32_t cp) {
  return in_categories(cp, kLetters);
}
/// General category L*: Python's str.isalpha.
inline bool is_alpha(char32_t cp) {
  return is_letter(cp);
}
inline bool is_number(char32_t cp) {
  return in_categories(cp, kNumbers);
}
inline bool is_mark(char32_t cp) {
  return in_categories(cp, kMarks);
}
inline bool is_decimal_digit(char32_t cp) {
  return general_category(cp) == Category::kNd;
}
inline bool is_punctuation(char32_t cp) {
  return in_categories(cp, kPunctuation);
}
/// Letter, or has a decimal, digit or numeric value: Python's str.isalnum.
inline bool is_alnum(char32_t cp) {
  return is_letter(cp) || (tables::record(cp).flags & 4) != 0;
}
/// Derived property Alphabetic (letters, letter numbers and Other_Alphabetic).
inline bool is_alphabetic(char32_t cp) {
  return (tables::props(cp) & 0x20) != 0;
}
/// \w of UTS 18: Alphabetic, M, Nd, Pc, Join_Control.
bool is_word(char32_t cp);
inline bool is_control(char32_t cp) {
  return general_category(cp) == Category::kCc;
}
inline u8 combining_class(char32_t cp) {
  return tables::record(cp).ccc;
}

/// Simple case mappings: one code point to one.
inline char32_t simple_lower(char32_t cp) {
  return static_cast<char32_t>(static_cast<i64>(cp) + tables::record(cp).lower_delta);
}
inline char32_t simple_upper(char32_t cp) {
  return static_cast<char32_t>(static_cast<i64>(cp) + tables::record(cp).upper_delta);
}

/// Full lower-casing in the root locale: U+0130 becomes two code points, a capital sigma that ends
/// a word becomes U+03C2. Equals Python's str.lower. O(n).
std::string to_lower(std::string_view text);
/// As to_lower but each code point by itself (no final sigma), as the Hugging Face normalizer does.
std::string to_lower_each(std::string_view text);

/// Normalisation forms (UAX 15). nfc and nfd return quickly when nothing changes. O(n) except for
/// runs of combining marks, which are sorted.
std::string nfc(std::string_view text);
std::string nfd(std::string_view text);
std::string nfkc(std::string_view text);
std::string nfkd(std::string_view text);

/// True if no code point of text could be changed by NFC; false means "perhaps not NFC".
bool nfc_inert(std::string_view text);

/// Offset of the first code point that composing normalisation might change or join to its
/// predecessor, or -1. What stands before the *preceding* inert code point is stable.
i64 find_not_inert(std::string_view text, i64 from);

/// NFD with every nonspacing mark (Mn) left out.
std::string nfd_without_marks(std::string_view text);

}  // namespace lm::text
