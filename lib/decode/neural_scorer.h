#pragma once
// A language model as a scorer of texts, for programs that score and select by perplexity: windowed
// log-likelihood by the rule of score.h, the same numbers as lm-decode score. One thread at a time;
// kernels are parallel inside.

#include <functional>
#include <memory>
#include <string>

#include "decode/prompt.h"
#include "decode/score.h"
#include "decode/session.h"
#include "text/scorer.h"

namespace lm::decode {

struct NeuralScorerOptions {
  i64 window = 0;      // tokens; 0: the model's context
  i64 stride = 0;      // 0: half a window
  i64 max_tokens = 0;  // of a text; 0: all
  i64 probes = 1;      // stretches that stand for a longer text (PromptEncoder::stretches)
  Boundary boundary = Boundary::kJoint;  // between a prompt and a text
  /// Called before score() returns for every text that has no score because the model's logits are
  /// not numbers.
  std::function<void()> not_numbers = nullptr;
};

class NeuralScorer final : public text::Scorer {
 public:
  /// Opens the session; its policy for specials is not kError, for score() has no bad records.
  /// Throws what Session throws, and Error{kUsage} for windows that do not fit the model's context.
  explicit NeuralScorer(const SessionOptions& session, const NeuralScorerOptions& options = {});
  ~NeuralScorer() override;

  /// value: perplexity per scored token; bytes: of the scored tokens; oov: unknown ones among them.
  /// A text without a scored token has NaN. Memory: some windows beside the texts, whatever their
  /// length.
  void score(std::span<const std::string_view> texts, std::span<text::Score> scores) override;
  /// Prompt and text are tokenised as the boundary says and cut into the windows of a text; the
  /// first max_tokens tokens of the text count. probes is not for this.
  void score_after(std::span<const std::string_view> prompts,
                   std::span<const std::string_view> texts, std::span<text::Score> scores) override;
  bool conditional() const override { return true; }
  /// Tokens of both as score_after has them, or why there are none.
  Result<i64> length_after(std::string_view prompt, std::string_view text);
  i64 long_text_times() const override { return text::kTokenTimes; }
  bool concurrent() const override { return false; }
  std::string_view measure() const override { return "ppl"; }
  /// The digests of model and tokenizer, and every option that shapes scores.
  const std::string& digest() const override { return digest_; }

  const model::ModelCfg& cfg() const { return session_.cfg(); }
  const Backend& backend() const { return session_.engine().backend(); }
  const WindowRule& windows() const { return windows_; }
  const ScoreStats& stats() const { return scorer_->stats(); }

 private:
  std::deque<WindowCutter> cut(std::string_view text, text::Score& score);
  std::deque<WindowCutter> cut_after(std::string_view prompt, std::string_view text,
                                     text::Score& score);
  void add_part(ScoredTokens part, text::Score& score, std::deque<WindowCutter>& out) const;
  void run(i64 count, std::span<text::Score> scores,
           const std::function<std::deque<WindowCutter>(i64)>& cut_of);

  NeuralScorerOptions options_;
  Session session_;
  WindowRule windows_;
  std::string digest_;
  PromptEncoder encoder_;
  std::unique_ptr<TokenScorer> scorer_;
};

}  // namespace lm::decode
