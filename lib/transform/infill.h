#pragma once
// Which parts of a document are masked for infilling, and the rows this makes: causal, prefix,
// spans replaced by sentinels, or a middle moved to the end. What is drawn depends on the record
// alone. Pure functions.
// Sources: Nijkamp et al. 2023 (CodeGen2: a mixture of causal rows and span corruption); Bavarian
// et al. 2022 (fill in the middle at the level of characters); Raffel et al. 2020 (spans).

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/types.h"
#include "text/infill_format.h"
#include "transform/draws.h"
#include "transform/units.h"

namespace lm::transform {

enum class RowKind : u8 { kCausal, kPrefix, kInfill };

/// "causal", "prefix", "infill".
std::string_view row_kind_name(RowKind kind);

struct InfillRules {
  f64 rate = 0.5;        // of documents that get holes
  f64 prefix_rate = 0;   // of those that become prefix rows
  f64 low_share = 0.05;  // of a document's tokens that are masked: uniform between the two
  f64 high_share = 0.5;
  f64 low_length = 2;  // mean length of a document's spans: uniform between the two
  f64 high_length = 6;
  i64 least = 32;  // documents of fewer tokens stay causal
};

/// What a document of n tokens becomes.
RowKind draw_kind(const InfillRules& rules, i64 tokens, const Draws& draws);

/// Spans to be masked among n >= 3 tokens: disjoint, not adjacent, ascending. With a share r and a
/// mean length l, both uniform in their ranges: k = max(1, round(r n / l)) spans, at most `most`,
/// which share round(r n) tokens by a uniformly drawn composition, at places uniform among those
/// that keep a token between two spans. O(n).
std::vector<Span> draw_spans(const InfillRules& rules, i64 tokens, i64 most, const Draws& draws);

/// Two places that cut a text in prefix, middle and suffix, uniform over characters; either may be
/// empty, the middle too. In bytes.
std::pair<i64, i64> draw_middle(std::string_view text, const Draws& draws);

/// Tokens of a prefix row's prefix, uniform in [1, tokens - 1].
i64 draw_prefix(i64 tokens, const Draws& draws);

/// A row to train on.
struct InfillRow {
  RowKind kind = RowKind::kCausal;
  std::vector<i32> ids;
  i64 prefix = 0;  // tokens that may see each other, and that no loss counts (variant B)
  i64 holes = 0;
  i64 masked = 0;  // tokens in them
};

/// The document with spans masked, as a row of the format (of masks).
InfillRow mask_spans(const text::InfillTokens& tokens, std::span<const i32> ids,
                     std::span<const Span> spans);
/// Prefix, middle and suffix as a row of the format (with a middle).
InfillRow move_middle(const text::InfillTokens& tokens, const std::vector<i32>& prefix,
                      const std::vector<i32>& middle, const std::vector<i32>& suffix);

}  // namespace lm::transform
