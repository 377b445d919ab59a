#pragma once
// A language model as a scorer of texts, for programs that score and select by perplexity: windowed
// log-likelihood by the rule of score.h, the same numbers as lm-decode score. One thread at a time;
// kernels are parallel inside.

#include <functional>
#include <memory>
#include <string>

#include "decode/prompt.h"
#include "decode/score.h"
#include "model/checkpoint.h"
#include "model/device.h"
#include "text/scorer.h"

namespace lm::decode {

struct NeuralScorerOptions {
  i64 window = 0;      // tokens; 0: the model's context
  i64 stride = 0;      // 0: half a window
  i64 max_tokens = 0;  // of a text; 0: all
  i64 probes = 1;      // stretches that stand for a longer text (PromptEncoder::stretches)
  bool begin = true;   // the model's begin token stands before a text, if it has one
  text::SpecialPolicy special =
      text::SpecialPolicy::kParse;  // not kError: score() has no bad records
  i64 batch = 16;                   // sequences at once; the rest does not change scores
  i64 chunk = 512;                  // tokens of a pass
  i64 cache_bytes = i64{1} << 30;   // for keys and values; one window is held in any case
  model::Compute compute = {};      // bf16 changes scores
  /// Called before score() returns for every text that has no score because the model's logits are
  /// not numbers.
  std::function<void()> not_numbers = nullptr;
};

class NeuralScorer final : public text::Scorer {
 public:
  /// Reads a model folder with its tokenizer. Throws what load_model, load_tokenizer and
  /// check_vocab throw, and Error{kUsage} for windows that do not fit the model's context.
  explicit NeuralScorer(const std::string& folder, const NeuralScorerOptions& options = {});
  ~NeuralScorer() override;

  /// value: perplexity per scored token; bytes: of the scored tokens; oov: unknown ones among them.
  /// A text without a scored token has NaN. Memory: some windows beside the texts, whatever their
  /// length.
  void score(std::span<const std::string_view> texts, std::span<text::Score> scores) override;
  bool concurrent() const override { return false; }
  std::string_view measure() const override { return "ppl"; }
  /// The digests of model and tokenizer, and every option that shapes scores.
  const std::string& digest() const override { return digest_; }

  const model::ModelCfg& cfg() const { return model_.cfg; }
  const Backend& backend() const { return engine_->backend(); }
  i64 window() const { return window_; }
  i64 stride() const { return stride_; }
  const ScoreStats& stats() const { return scorer_->stats(); }

 private:
  void check_window(const std::string& folder) const;
  std::deque<WindowCutter> cut(std::string_view text, text::Score& score);

  NeuralScorerOptions options_;
  model::Model model_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::string digest_;
  std::unique_ptr<model::Engine> engine_;
  std::unique_ptr<PromptEncoder> encoder_;
  std::unique_ptr<TokenScorer> scorer_;
  i64 window_ = 0;
  i64 stride_ = 0;
};

}  // namespace lm::decode
