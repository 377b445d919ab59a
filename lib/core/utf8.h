#pragma once
// UTF-8 as the Unicode standard defines well-formed sequences (table 3-7): no surrogates, no
// overlong forms, nothing above U+10FFFF. What records need; lib/text/utf8.h builds on it.
// All functions are pure. NUL is an ordinary character.

#include <string>
#include <string_view>

#include "core/types.h"

namespace lm {

inline constexpr char32_t kReplacement = 0xFFFD;

/// A decoded code point and the bytes it took; size 0 only at the end of the text.
struct Decoded {
  char32_t cp = 0;
  int size = 0;
  bool valid = true;  // false: cp is U+FFFD and size is the maximal ill-formed subpart (1 to 3)
};

/// Code point at text[at]. Any bytes are allowed; never reads past the end.
Decoded decode_at(std::string_view text, i64 at);

/// Appends the UTF-8 form of cp; surrogates and values above U+10FFFF append U+FFFD.
void append_utf8(std::string& out, char32_t cp);

/// Offset of the first ill-formed byte, or -1 if all of text is well-formed. ASCII runs are skipped
/// eight bytes at a time.
i64 find_invalid_utf8(std::string_view text);
inline bool is_valid_utf8(std::string_view text) {
  return find_invalid_utf8(text) < 0;
}

}  // namespace lm
