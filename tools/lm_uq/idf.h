#pragma once
// How rare tokens are among texts, for focus.

#include <string>
#include <vector>

#include "cli/tool.h"
#include "text/tokenizer.h"

namespace lm::uq_tool {

class TokenRarity {
 public:
  /// Reads the field "text" of every record of a file. Throws Error{kData} for a file without
  /// records, and what reading throws.
  TokenRarity(cli::Tool& tool, const std::string& path, const text::Tokenizer& tokenizer);
  /// ln((texts + 1) / (texts with the token + 1)), the inverse document frequency, never negative.
  f64 weight(i64 token) const;

 private:
  i64 texts_ = 0;
  std::vector<i64> with_;  // by token
};

}  // namespace lm::uq_tool
