#pragma once
// What text work adds to core/utf8.h: fast decoding of well-formed text, conversion, repair. Repair
// writes one U+FFFD per maximal ill-formed subpart. All functions are pure.

#include <string>
#include <string_view>

#include "core/types.h"
#include "core/utf8.h"

namespace lm::text {

using lm::append_utf8;
using lm::decode_at;
using lm::Decoded;
using lm::find_invalid_utf8;
using lm::is_valid_utf8;
using lm::kReplacement;

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

/// The code points as UTF-8, as append_utf8 writes them.
std::string to_utf8(std::u32string_view cps);
/// Code points of text; ill-formed subparts give U+FFFD each.
std::u32string to_utf32(std::string_view text);

/// Number of code points of well-formed text.
i64 count_code_points(std::string_view text);

/// text with every maximal ill-formed subpart replaced by U+FFFD; replaced, when not null, is
/// increased by their number.
std::string repair_utf8(std::string_view text, i64* replaced = nullptr);

/// Length of the incomplete sequence at the end of bytes that more bytes could still complete
/// (0 to 3); 0 if the end is complete or already ill-formed.
i64 incomplete_suffix(std::string_view bytes);

}  // namespace lm::text
