#pragma once
// Where a token stands in its text, as the library that tokenizer.json belongs to says it: a step
// of the file's post-processor may leave out the blanks at a token's ends. Tokenizer::encode()
// leaves out none.

#include <string>

namespace lm::text {

struct OffsetTrim {
  bool blanks = false;      // blanks at a token's ends are no part of it
  bool keep_first = false;  // ... but one before the text's first token, which may have been added
};

/// What the file of a tokenizer (load_tokenizer) says; nothing is left out by files of other forms.
/// Throws Error{kNoInput} and Error{kData}.
OffsetTrim offset_trim(const std::string& path);

}  // namespace lm::text
