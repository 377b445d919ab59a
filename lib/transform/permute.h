#pragma once
// Permutation of a record: which units, in which order, in its text or in its row of token ids.
// Every sentence has draws of its own, keyed by its place in the record. Pure functions; a Permuter
// may be used by several threads at once.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/types.h"
#include "text/tokenizer.h"
#include "transform/reorder.h"
#include "transform/units.h"

namespace lm::transform {

enum class UnitKind : u8 {
  kNone,    // nothing is permuted
  kTokens,  // single tokens
  kGrams,   // runs of 1 to K tokens
  kChunks,  // semantic units
};

struct PermuteRules {
  UnitKind units = UnitKind::kChunks;
  i64 longest = 1;         // K of kGrams
  i64 most = kMostTokens;  // tokens of a semantic unit
  OrderOdds odds;
};

/// "none", "token", "token-reverse", "ngram:K", "chunk", "chunk-reverse"; nullopt otherwise. The
/// -reverse forms set the odds, the others leave them.
std::optional<PermuteRules> parse_permute(std::string_view name);
/// Three numbers, at least 0 and not all 0, between commas: identity, reverse, uniform.
std::optional<OrderOdds> parse_odds(std::string_view text);

/// What a record says of its units, instead of the rules: ranges of its text, or places where a new
/// one begins.
struct GivenUnits {
  std::optional<std::vector<Span>> chunks;
  std::optional<std::vector<i64>> cuts;
};

/// The units of each sentence with the orders drawn for them. tokens: piece_tokens; null: words.
std::vector<OrderedSentence> order_text(std::string_view text, const std::vector<Span>* tokens,
                                        const PermuteRules& rules, const GivenUnits& given,
                                        const Draws& draws);
/// The same of a row of ids, in ids: what they say, without special tokens, is cut as text is, and
/// a token belongs to the unit that its first character without white space is in. Special tokens
/// stay where they are and end sentences. Fault "utf8" where the bytes of the ids are no text,
/// "range" for an id that is no token.
Result<std::vector<OrderedSentence>> order_ids(std::span<const i32> ids,
                                               const text::Tokenizer& tokenizer,
                                               const PermuteRules& rules, const Draws& draws);

/// Identities of what was permuted, by which undoing is checked.
u64 digest_of(std::string_view text);
u64 digest_of(std::span<const i32> ids);

}  // namespace lm::transform
