#pragma once
// A language model as a scorer of texts, for programs that score and select by perplexity: windowed
// log-likelihood by the rule of score.h. One thread at a time; kernels are parallel inside.

#include <memory>
#include <string>

#include "decode/prompt.h"
#include "decode/score.h"
#include "model/checkpoint.h"
#include "text/scorer.h"

namespace lm::decode {

struct NeuralScorerOptions {
  i64 window = 0;  // tokens; 0: the model's context
  i64 stride = 0;  // 0: half a window
  i64 batch = 16;
  i64 chunk = 512;
};

class NeuralScorer final : public text::Scorer {
 public:
  /// Reads a model folder with its tokenizer. Throws what load_model and load_tokenizer throw, and
  /// Error{kUsage} for windows that do not fit the model's context.
  explicit NeuralScorer(const std::string& folder, const NeuralScorerOptions& options = {});
  ~NeuralScorer() override;

  /// value: perplexity per scored token. oov counts unknown tokens. A text without a scored token
  /// has NaN.
  void score(std::span<const std::string_view> texts, std::span<text::Score> scores) override;
  bool concurrent() const override { return false; }
  std::string_view measure() const override { return "ppl"; }
  /// The model's digest and the tokenizer's.
  const std::string& digest() const override { return digest_; }

 private:
  struct Pending {
    std::size_t text = 0;
    i64 windows = 0;
  };
  Pending submit(std::size_t number, std::string_view text, text::Score& score);
  void collect(Pending pending, text::Score& score);

  model::Model model_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::string digest_;
  std::unique_ptr<model::Engine> engine_;
  std::unique_ptr<PromptEncoder> encoder_;
  std::unique_ptr<TokenScorer> scorer_;
  i64 window_ = 0;
  i64 stride_ = 0;
  i64 batch_ = 0;
};

}  // namespace lm::decode
