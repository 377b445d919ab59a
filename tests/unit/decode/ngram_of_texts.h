#pragma once
// An n-gram model of tokens for tests of what guesses by it.

#include <fstream>
#include <string>
#include <vector>

#include "../ngram/oracle.h"
#include "ngram/cutter.h"
#include "text/tokenizer.h"

namespace lm::test {

/// A trigram model of texts, each a sentence whose words are its tokens as pieces; special tokens
/// are left out.
inline std::string arpa_of_texts(const Context& ctx, const text::Tokenizer& tokenizer,
                                 const std::vector<std::vector<i32>>& texts) {
  std::vector<std::string> lines;
  for (const std::vector<i32>& one : texts) {
    std::string& line = lines.emplace_back();
    for (const i32 token : one)
      if (!tokenizer.is_special(token))
        append(line, line.empty() ? "" : " ", ngram::spell_piece(tokenizer.token_bytes(token)));
  }
  ngram::EstimateOptions options;
  options.order = 3;
  options.discount_fallback = std::array<f64, 3>{0.5, 1, 1.5};
  return train_arpa(ctx, lines, options);
}

}  // namespace lm::test
