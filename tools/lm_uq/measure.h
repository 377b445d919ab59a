#pragma once
// lm-uq sample: what is measured of answers once they are there. States of the model at the last
// token of prompt and answer ("emb"), how much each token means to its answer ("relevance"), what
// attention and what further models say of the likeliest answer, and measures of its tokens among
// the likeliest.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ask.h"
#include "attend.h"
#include "cli/tool.h"
#include "embed/model_embedder.h"
#include "idf.h"
#include "members.h"
#include "uq/similarity.h"

namespace lm::uq_tool {

/// Of one answer; a list that was not asked for is empty.
struct AnswerMeasures {
  std::vector<f32> emb;
  std::vector<f64> relevance;
};

/// Of the likeliest answer alone.
struct GreedyMeasures {
  AttentionMeasures attention;
  std::vector<f64> boosted, focus, keyword;  // by token; empty: not asked for, or undefined
};

struct QuestionMeasures {
  GreedyMeasures greedy;
  uq::GivenEnsemble ensemble;
  std::vector<f32> prompt;
  std::vector<AnswerMeasures> answers;  // as Question::answers: the likeliest first
  std::vector<std::vector<f32>> wordings;
  std::vector<std::vector<AnswerMeasures>> wording_answers;
};

class Measurer {
 public:
  /// Opens the model of --model a second time where --emb asks for states: before the session that
  /// answers, to which it leaves its part of --memory. Throws Error{kUsage} for a layer that is not
  /// there.
  explicit Measurer(cli::Tool& tool);

  /// How many likeliest tokens the answers must be noted with.
  i64 top() const;
  /// After which layer the states are; nothing without --emb.
  std::optional<i64> layer() const { return layer_; }
  const Ensemble* ensemble() const { return ensemble_.get(); }
  /// Questions about an answer that did not fit the model, for csl.
  i64 too_long() const { return attention_ ? attention_->too_long() : 0; }

  /// wordings: their prompts. Serial; a forward pass over every answer for states.
  QuestionMeasures of(const Question& q, const decode::Session& session,
                      const std::vector<std::string>& wordings);

 private:
  void measure_tokens(const Question& q, const decode::Session& session, GreedyMeasures& out);
  std::vector<f32> next_state();
  void add_states(const std::string& prompt, const decode::Generated& generated);

  std::unique_ptr<embed::ModelEmbedder> embedder_;  // null: no states
  std::optional<i64> layer_;
  std::optional<uq::Sim> sim_;
  AttentionWants wants_;
  std::unique_ptr<Ensemble> ensemble_;  // null: no --member
  std::unique_ptr<AttentionMeasurer> attention_;
  std::unique_ptr<TokenRarity> rarity_;  // null: tokens weigh the same
  bool boosted_ = false;
};

/// 1 for tokens that a keyword of the text stands in (uq::keyword_bytes), else 0; [L].
std::vector<f64> keyword_tokens(const text::Tokenizer& tokenizer, std::span<const i32> tokens);

/// R_t = 1 - similarity of the answer and the answer without token t (Duan et al. 2024), [L].
std::vector<f64> token_relevance(const text::Tokenizer& tokenizer, std::span<const i32> tokens,
                                 uq::Sim sim);

}  // namespace lm::uq_tool
