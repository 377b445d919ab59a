#pragma once
// Texts of a formal language (lib/grammar) as a constraint, which ends them in time: while there
// are more tokens than the shortest way to an end has bytes, everything the language allows may
// come; after that only what leads to an end.

#include <memory>
#include <string>
#include <vector>

#include "decode/constraint.h"
#include "grammar/matcher.h"
#include "text/tokenizer.h"

namespace lm::decode {

/// Ends a text with reason "grammar" when nothing can follow it, and with "forced_close" when the
/// tokens that were left decided how it ends. A text of fewer tokens than its shortest end needs
/// stays open, with reason "length".
class GrammarConstraint final : public Constraint {
 public:
  /// at_once: false: a text that nothing can follow is still ended by an end token, as a
  /// distribution over whole texts needs it. tokenizer: where the language leaves one text, its
  /// tokens are those of the tokenizer (forced.h); null: any tokens of it may be drawn.
  explicit GrammarConstraint(std::shared_ptr<grammar::Matcher> matcher, bool at_once = true,
                             const text::Tokenizer* tokenizer = nullptr);
  GrammarConstraint(const GrammarConstraint& other);
  std::optional<Fault> mask(TokenWeights& x, i64 left) const override;
  bool permits(i32 token, i64 left) const override;
  std::span<const i32> forced() const override { return std::span(queue_).subspan(usize(queued_)); }
  void accept(i32 token) override;
  std::optional<TextEnd> end(std::string_view text) override;
  std::unique_ptr<Constraint> clone() const override;

 private:
  void look_ahead();

  std::shared_ptr<grammar::Matcher> matcher_;
  bool at_once_;
  const text::Tokenizer* tokenizer_;
  std::unique_ptr<text::EncodeState> encoder_;  // made with the first forced text
  grammar::State state_;
  std::string text_;        // the continuation, for its tokens' boundaries
  std::vector<i32> queue_;  // tokens that must come, from queued_ on
  i64 queued_ = 0;
  bool over_ = false;             // an end token came
  i64 ended_ = 0;                 // bytes of the text before it
  bool heard_ = false;            // of a token since end() was asked
  mutable bool closing_ = false;  // the last mask was for an end
  mutable bool forced_ = false;   // one of the masks was
  mutable std::vector<u32> bits_;
};

}  // namespace lm::decode
