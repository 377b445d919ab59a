#pragma once
// lm-uq sample --member: what further models hold of the likeliest answer, token by token, beside
// the model that gave it, reduced to the measures of an ensemble. A forward pass of each over
// prompt and answer.

#include <memory>
#include <string>
#include <vector>

#include "ask.h"
#include "cli/tool.h"
#include "decode/prompt.h"
#include "decode/session.h"
#include "uq/record.h"

namespace lm::uq_tool {

class Ensemble {
 public:
  /// Opens --model once more and every --member, before `later` other sessions of --model, to which
  /// it leaves their parts of --memory. Throws Error{kUsage} for a folder that is named twice,
  /// Error{kData} for a member whose tokens are others.
  Ensemble(cli::Tool& tool, i64 later);

  /// Of the likeliest answer; empty if it has no tokens, or does not fit a member. Serial.
  uq::GivenEnsemble of(const Question& q);
  /// Answers that did not fit.
  i64 too_long() const { return too_long_; }
  /// 64 bits of what shapes the measures: all members, in their order.
  u64 key() const;

 private:
  struct Member {
    std::unique_ptr<decode::Session> session;
    std::unique_ptr<decode::PromptEncoder> encoder;
    std::vector<model::EvalRow> rows;  // of one question
    i32 seq = 0;
    i64 done = 0;   // rows
    i64 first = 0;  // row that foretells the answer's first token
  };
  bool begin(Member& member, const Question& q);
  static void read(Member& member, i64 end);
  void widen(i64 token);

  std::vector<Member> members_;
  i64 step_ = 0;                           // tokens of the answer at a time
  std::vector<std::vector<f64>> logp_;     // [members][V] of one token
  std::vector<std::span<const f64>> all_;  // the same
  i64 too_long_ = 0;
};

}  // namespace lm::uq_tool
