#pragma once
// What Gopher's statistics (Rae et al. 2021, A1.1) are made of, n-grams aside: counts of words and
// lines. Both versions of the tagger ask for the same.

#include <span>
#include <vector>

#include "core/types.h"
#include "tag/pieces.h"
#include "tag/word_table.h"

namespace lm::tag {

class Document;

struct GopherCounts {
  i64 symbol_words = 0;  // words with # or U+2026
  i64 alpha_words = 0;   // with a letter
  i64 stop_words = 0;
  f64 median_word = 0;  // code points
  // Lines between newlines that are not empty. Copies: lines that stand more than once.
  i64 lines = 0;
  i64 bullets = 0;
  i64 ellipses = 0;
  i64 copies = 0;
  i64 copied_chars = 0;
};

/// Keeps scratch memory only.
class GopherCounter {
 public:
  /// O(text).
  GopherCounts count(Document& document);

 private:
  void count_words(Document& document, GopherCounts& out);
  /// counts: of words by their length, the last for longer ones too.
  f64 median_word(std::span<const Word> words, std::span<const u32> counts);
  void count_lines(Document& document, GopherCounts& out);

  WordTable lines_;
  std::vector<u32> lengths_;
};

}  // namespace lm::tag
