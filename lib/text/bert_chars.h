#pragma once
// The character classes of BERT's normalizer and of the pre-tokenizers that split at punctuation,
// as the Hugging Face engine has them: their categories are those of Unicode 8.0, and two limits of
// the ideographs differ from the original program's.

#include "core/types.h"

namespace lm::text {

/// Becomes a blank: tab, line ends and white space.
bool is_bert_space(char32_t cp);
/// Is left out: NUL, U+FFFD, controls, formats and private use.
bool is_bert_control(char32_t cp);
/// Nonspacing mark.
bool is_bert_accent(char32_t cp);
bool is_bert_ideograph(char32_t cp);
/// ASCII marks and symbols, and punctuation.
bool is_bert_punctuation(char32_t cp);

}  // namespace lm::text
