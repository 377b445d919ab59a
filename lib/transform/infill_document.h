#pragma once
// Documents of ids to rows for infilling, for programs that have no text at hand: the rows of
// infill.h. A begin token in front and an end token behind a document stay outside.

#include <optional>
#include <vector>

#include "core/result.h"
#include "text/infill_format.h"
#include "text/tokenizer.h"
#include "transform/infill.h"

namespace lm::transform {

/// The row of a document's ids; of formats with a middle only causal and prefix rows.
InfillRow draw_row(const InfillRules& rules, const text::InfillTokens& tokens,
                   std::span<const i32> ids, RowKind kind, const Draws& draws);

/// Borrows the tokenizer, which is loaded with specials as text and without adding any.
/// Thread-safe with one state for each thread.
class DocumentInfiller {
 public:
  /// Throws Error{kUsage} naming the token that the tokenizer lacks.
  DocumentInfiller(const InfillRules& rules, const text::InfillFormat& format,
                   const text::Tokenizer& tokenizer, u64 seed);

  /// ids become the row that lm-transform infill makes of a record of that id in this epoch; causal
  /// ones stay as they are. A middle is cut in the text of the ids, whose parts
  /// are tokenised again. Faults: "special" where the document has a token of the format,
  /// "tokenizer".
  std::optional<Fault> apply(std::string_view id, i64 epoch, text::EncodeState& state,
                             std::vector<i32>& ids) const;

 private:
  std::optional<Fault> move_middle_of(std::span<const i32> ids, const Draws& draws,
                                      text::EncodeState& state, InfillRow& row) const;

  InfillRules rules_;
  text::InfillTokens tokens_;
  const text::Tokenizer& tokenizer_;
  u64 seed_;
};

}  // namespace lm::transform
