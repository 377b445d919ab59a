#pragma once
// Infilling without a tokenizer: words instead of tokens, the names of the special tokens in the
// text. The same rows as of ids (infill.h): pieces of text stand for ids, sentinels have ids of
// their own.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/infill_format.h"
#include "transform/infill.h"

namespace lm::transform {

class InfillText {
 public:
  /// Throws Error{kUsage} for a format whose tokens are not all named (its end is that of the
  /// tokenizer).
  explicit InfillText(text::InfillFormat format);

  const text::InfillTokens& tokens() const { return tokens_; }
  /// Words, each with the white space before it; together they are the text.
  static std::vector<Span> pieces(std::string_view text);
  /// The name of a sentinel that stands in the text, which would make a row ambiguous.
  std::optional<std::string> sentinel_in(std::string_view text) const;
  /// The row as text; ids are numbers of pieces, or sentinels.
  std::string spell(const InfillRow& row, std::string_view text,
                    std::span<const Span> pieces) const;
  /// The document of a row's text: itself if it has no sentinel. nullopt if what it has is no row.
  std::optional<std::string> restore(std::string_view row) const;

 private:
  struct Found {
    i64 begin = 0;
    i64 size = 0;
    i32 id = 0;
  };
  std::optional<Found> next_sentinel(std::string_view text, i64 from) const;
  std::string name_of(i32 id) const;

  text::InfillFormat format_;
  text::InfillTokens tokens_;
  std::vector<std::pair<std::string, i32>> names_;  // but for masks; longer ones first
  std::string mask_begin_, mask_end_;
};

}  // namespace lm::transform
