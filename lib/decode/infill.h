#pragma once
// Filling holes of a document with a left-to-right model: what it is asked, what it may answer, and
// the answer taken apart. Layouts and their special tokens: text/infill_format.h.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "decode/constraint.h"
#include "decode/prompt.h"
#include "text/infill_format.h"

namespace lm::decode {

/// A mark for a hole in a text.
inline constexpr std::string_view kFillMark = "<|fill|>";

/// The kept pieces of a document with marks: one more than marks.
std::vector<std::string> kept_pieces(std::string_view text);

/// Holds an answer to the form of its layout: special tokens end a hole or the text, and nothing
/// else; behind the end of a hole that is not the last one comes the mask of the next.
class InfillConstraint final : public Constraint {
 public:
  /// tokens outlive this and its clones. lines: of a single hole, at most; 0: as many as come.
  InfillConstraint(const text::InfillTokens& tokens, i64 holes, i64 lines)
      : tokens_(tokens), holes_(holes), lines_(lines) {}

  std::optional<Fault> mask(TokenWeights& x, i64 left) const override;
  std::span<const i32> forced() const override;
  void accept(i32 token) override;
  std::optional<TextEnd> end(std::string_view text) override;
  std::unique_ptr<Constraint> clone() const override;

 private:
  const text::InfillTokens& tokens_;
  i64 holes_;
  i64 lines_;
  i64 hole_ = 0;       // that is being filled
  bool next_ = false;  // its mask comes now
};

/// What stands in each hole: the ids of an answer between its special tokens. Holes that it did not
/// come to are empty.
std::vector<std::vector<i32>> read_fillings(const text::InfillTokens& tokens,
                                            std::span<const i32> answer, i64 holes);

/// What becomes of a filling before it is put in place.
struct FillingRules {
  i64 lines = 0;             // 0: all
  bool trim_suffix = false;  // drop an end that repeats the beginning of what follows
};
/// Bytes of the filling that stay.
i64 kept_filling(std::string_view filling, std::string_view behind, const FillingRules& rules);

}  // namespace lm::decode
