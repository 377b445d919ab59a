#pragma once
// lm-uq sample --attention: what attention weights say of the likeliest answer, reduced to what
// estimators use. A forward pass over prompt and answer; for csl another over a question about the
// answer.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ask.h"
#include "cli/tool.h"
#include "decode/attention.h"
#include "decode/session.h"
#include "uq/record.h"

namespace lm::uq_tool {

/// Of the answer's L tokens; what was not asked for is empty.
struct AttentionMeasures {
  uq::Table self;  // [heads, L] of the middle layer: each token on itself
  uq::Table prev;  // [layers, heads, L] of the middle third: on the token before
  std::vector<std::vector<f64>> back;  // row t of a keyword: on the answer's tokens before it, the
                                       // largest of all layers and heads
  std::vector<f64> csl;  // of the last token of the question about the answer on each of the
                         // answer's, the mean over all layers and heads
};

/// What --attention names.
struct AttentionWants {
  bool score = false;
  bool rauq = false;
  bool focus = false;
  bool csl = false;
  bool any() const { return score || rauq || focus || csl; }
};
/// Throws Error{kUsage} for another name.
AttentionWants attention_wants(const cli::Options& options);

class AttentionMeasurer {
 public:
  /// Opens the model of --model once more, before the sessions that answer and embed: `later` of
  /// them, to which it leaves their parts of --memory.
  AttentionMeasurer(cli::Tool& tool, const AttentionWants& wants, i64 later);

  /// keyword: by token, for focus. Serial.
  AttentionMeasures of(const Question& q, const std::vector<f64>& keyword);
  const text::Tokenizer& tokenizer() const { return session_->tokenizer(); }
  /// Questions about an answer that did not fit the model.
  i64 too_long() const { return too_long_; }

 private:
  std::vector<i32> tokens_of(decode::PromptEncoder& encoder, std::string_view text) const;
  void read(std::span<const i32> tokens);
  void read_answer(const Question& q, const std::vector<f64>& keyword, AttentionMeasures& out);
  void read_elicited(const Question& q, AttentionMeasures& out);

  AttentionWants wants_;
  MemoryBudget& memory_;
  std::optional<MemoryCharge> charge_;    // of the text that was read
  std::string before_, between_, after_;  // around {prompt} and {answer}
  std::unique_ptr<decode::Session> session_;
  std::unique_ptr<decode::PromptEncoder> begin_, inside_;  // with and without a begin token
  std::unique_ptr<decode::AttentionReader> reader_;
  std::vector<i64> middle_;  // indices into the reader's layers, of the middle third
  i64 centre_ = 0;           // of the middle layer
  i64 too_long_ = 0;
};

}  // namespace lm::uq_tool
