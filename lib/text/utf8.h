#pragma once
// UTF-8 as the Unicode standard defines well-formed sequences (table 3-7): no surrogates, no
// overlong forms, nothing above U+10FFFF. Repair writes one U+FFFD per maximal ill-formed subpart.
// All functions are pure. NUL is an ordinary character.

#include <string>
#include <string_view>

#include "core/types.h"

namespace lm::text {

inline constexpr char32_t kReplacement = 0xFFFD;

/// A decoded code point and the bytes it took; size 0 only at the end of the text.
struct Decoded {
  char32_t cp = 0;
  int size = 0;
  bool valid = true;  // false: cp is U+FFFD and size is the maximal ill-formed subpart (1 to 3)
};

/// Code point at text[at]. Any bytes are allowed; never reads past the end.
Decoded decode_at(std::string_view text, i64 at);

/// Code point at p of well-formed text; advances p. The caller guarantees well-formedness.
inline char32_t next_valid(const char*& p) {
  const u8 b0 = static_cast<u8>(*p++);
  if (b0 < 0x80) return b0;
  const u32 b1 = static_cast<u8>(*p++) & 0x3Fu;
  if (b0 < 0xE0) return ((b0 & 0x1Fu) << 6) | b1;
  const u32 b2 = static_cast<u8>(*p++) & 0x3Fu;
  if (b0 < 0xF0) return ((b0 & 0x0Fu) << 12) | (b1 << 6) | b2;
  const u32 b3 = static_cast<u8>(*p++) & 0x3Fu;
  return ((b0 & 0x07u) << 18) | (b1 << 12) | (b2 << 6) | b3;
}

/// Bytes of the sequence that starts with this lead byte of well-formed text.
inline int sequence_size(char lead) {
  const u8 b = static_cast<u8>(lead);
  return b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
}

/// Appends the UTF-8 form of cp; surrogates and values above U+10FFFF append U+FFFD.
void append_utf8(std::string& out, char32_t cp);
std::string to_utf8(std::u32string_view cps);
/// Code points of text; ill-formed subparts give U+FFFD each.
std::u32string to_utf32(std::string_view text);

/// Offset of the first ill-formed byte, or -1 if all of text is well-formed. ASCII runs are skipped
/// eight bytes at a time.
i64 find_invalid_utf8(std::string_view text);
inline bool is_valid_utf8(std::string_view text) {
  return find_invalid_utf8(text) < 0;
}

/// Number of code points of well-formed text.
i64 count_code_points(std::string_view text);

/// text with every maximal ill-formed subpart replaced by U+FFFD; replaced, when not null, is
/// increased by their number.
std::string repair_utf8(std::string_view text, i64* replaced = nullptr);

/// Length of the incomplete sequence at the end of bytes that more bytes could still complete
/// (0 to 3); 0 if the end is complete or already ill-formed.
i64 incomplete_suffix(std::string_view bytes);

}  // namespace lm::text
