#pragma once
// A small WordPiece vocabulary for tests.

#include <string>

#include "core/str.h"

namespace lm::test {

/// [PAD] [UNK] [CLS] [SEP] [MASK], the letters, the letters that continue a word, some words,
/// marks.
inline std::string tiny_word_pieces() {
  std::string out = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (const char* prefix : {"", "##"})
    for (char c = 'a'; c <= 'z'; ++c)
      append(out, prefix, std::string_view(&c, 1), "\n");
  for (const char* token :
       {"the", "in", "un", "##able", "##ing", ".", ",", "!", "\xE4\xB8\xAD", "\xC3\xA9"})
    append(out, token, "\n");
  return out;
}

}  // namespace lm::test
