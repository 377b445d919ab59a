#pragma once
// lm-uq sample: what is measured of answers once they are there. States of the model at the last
// token of prompt and answer ("emb"), and how much each token means to its answer ("relevance").

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ask.h"
#include "cli/tool.h"
#include "embed/model_embedder.h"
#include "uq/similarity.h"

namespace lm::uq_tool {

/// Of one answer; a list that was not asked for is empty.
struct AnswerMeasures {
  std::vector<f32> emb;
  std::vector<f64> relevance;
};

struct QuestionMeasures {
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

  /// wordings: their prompts. Serial; a forward pass over every answer for states.
  QuestionMeasures of(const Question& q, const text::Tokenizer& tokenizer,
                      const std::vector<std::string>& wordings);

 private:
  std::vector<f32> next_state();
  void add_states(const std::string& prompt, const decode::Generated& generated);

  std::unique_ptr<embed::ModelEmbedder> embedder_;  // null: no states
  std::optional<uq::Sim> sim_;
};

/// R_t = 1 - similarity of the answer and the answer without token t (Duan et al. 2024), [L].
std::vector<f64> token_relevance(const text::Tokenizer& tokenizer, std::span<const i32> tokens,
                                 uq::Sim sim);

}  // namespace lm::uq_tool
