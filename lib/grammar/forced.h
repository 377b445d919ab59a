#pragma once
// Tokens of text that must come: as the tokenizer would cut the whole text, and only as far as no
// token that goes on behind the forced text could have been cut instead. Without the latter a model
// reads cuts that it never saw: forced {"a": " would end in a token for the quote, where texts have
// tokens of a quote and letters.

#include <string_view>
#include <vector>

#include "core/result.h"
#include "grammar/matcher.h"
#include "text/tokenizer.h"

namespace lm::grammar {

struct ForcedTokens {
  std::vector<i32> ids;  // empty where nothing may be appended
  State after = kDead;   // the state behind them
};

/// before: the text so far, or the end of it from a place where the tokenizer always cuts. Looks
/// back over kLookBack tokens for one that would go on. The tokenizer adds no special tokens.
/// Fault "budget", or "tokenizer" where it gives up on the text.
inline constexpr i64 kLookBack = 4;
Result<ForcedTokens> forced_tokens(const text::Tokenizer& tokenizer, text::EncodeState& state,
                                   Matcher& matcher, State s, std::string_view before);

}  // namespace lm::grammar
