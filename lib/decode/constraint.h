#pragma once
// What a text must obey while it grows: which tokens may come next, and where the text ends. One
// object per text. It hears of drawn tokens only, in order: of drafted ones those that were drawn,
// so nothing is ever taken back. A text that is forked clones its constraints.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "decode/processors.h"

namespace lm::decode {

/// How a constraint ends a text.
struct TextEnd {
  const char* reason = "";   // finish_reason, a literal
  std::optional<i64> bytes;  // of the text that stay; absent: all, and what follows it
};

class Constraint {
 public:
  virtual ~Constraint() = default;
  /// Takes out of x what may not come next. x: the logits with their biases, before penalties and
  /// truncations. The probability that is taken away is 1 - exp(x.log_sum() afterwards - before).
  /// left: tokens that the text may still get; 0: only what leads to an end is wanted. A fault ends
  /// the text with an error.
  virtual std::optional<Fault> mask(TokenWeights& x, i64 left) const = 0;
  /// A token of a mask that was drawn: can what it begins be brought to an end with the tokens that
  /// are then left? If not it is drawn anew without it.
  virtual bool permits(i32 token, i64 left) const {
    static_cast<void>(token);
    static_cast<void>(left);
    return true;
  }
  /// Tokens that must come next, as far as the mask leaves no choice: they are read in one pass.
  virtual std::span<const i32> forced() const { return {}; }
  /// This token came next. Not called for one that ends the text (SampleParams::stop_ids).
  virtual void accept(i32 token) = 0;
  /// Does the text end here? text: the continuation so far, of which the last accepted token
  /// completed the end; asked after every accept, and once more when the text ends for another
  /// reason, with what was held back of an incomplete character.
  virtual std::optional<TextEnd> end(std::string_view text) = 0;
  /// The text has ended, with this end token or for another reason.
  virtual void finish(std::optional<i32> end_token) { static_cast<void>(end_token); }
  /// What is to be said of the text when it has ended: members of a JSON object, or nothing.
  virtual std::string note() const { return ""; }
  /// A copy that goes on from here.
  virtual std::unique_ptr<Constraint> clone() const = 0;
};

}  // namespace lm::decode
