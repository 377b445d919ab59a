#pragma once
// Surprisals of a text's tokens as other programs leave them in a record, so that no model is
// needed here: spans [[begin, end, nats], ...] in characters (lm-ngram score --per-token), or an
// object with token_ids and logprobs (lm-decode score --per-token), which a tokenizer lays on the
// text.

#include <string_view>
#include <vector>

#include "core/result.h"
#include "text/tokenizer.h"
#include "transform/units.h"

namespace lm::transform {

/// Faults "type" and "range" for a value that is neither or does not fit the text; name is the
/// field's, for messages. tokenizer may be null: then only spans are understood. Empty spans, which
/// are ends of sentences, and special tokens are left out.
Result<std::vector<Surprisal>> read_surprisals(std::string_view raw, std::string_view text,
                                               const text::Tokenizer* tokenizer,
                                               std::string_view name);

}  // namespace lm::transform
