#pragma once
// The decoder of a tokenizer.json, reduced to what it does to one token: a byte string per token,
// plus blanks taken off the front of the whole text. Chains that cannot be reduced that way are
// refused when the file is loaded. Immutable once built.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/types.h"

namespace lm::text {

struct TokenDecoder {
  bool byte_level = false;     // byte-level alphabet -> bytes; other tokens are literal
  bool byte_fallback = false;  // <0xNN> -> the byte
  std::vector<std::pair<std::string, std::string>> replacements;  // in order, before fallback
  bool join_with_space = false;  // no decoder at all: tokens are joined by blanks
  std::string word_prefix;       // WordPiece: tokens with it continue a word, others begin one
  bool cleanup = false;          // WordPiece: no blank before ".", "?", "!", "," and what "n't" and
                                 // the like begin with
  bool strip_leading_space = false;  // one blank off the front of the text

  /// Bytes that a token contributes when it is not the first one.
  std::string bytes_of(std::string_view token) const;
};

/// The bytes that a string of the byte-level alphabet stands for (GPT-2's printable stand-ins), or
/// false if some character is outside the alphabet.
bool from_byte_level(std::string_view text, std::string& bytes);
/// The inverse: always possible.
std::string to_byte_level(std::string_view bytes);

}  // namespace lm::text
