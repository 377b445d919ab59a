#include "decode/neural_scorer.h"

#include <algorithm>
#include <cmath>

#include "core/str.h"
#include "decode/generate.h"

namespace lm::decode {

NeuralScorer::NeuralScorer(const std::string& folder, const NeuralScorerOptions& options)
    : model_(model::load_model(folder)), batch_(options.batch) {
  text::LoadOptions load;
  load.add_specials = false;
  tokenizer_ = text::load_tokenizer(folder, load);
  check_vocab(model_.cfg, *tokenizer_);
  digest_ = cat(model::model_digest(folder), " ", tokenizer_->digest());
  const i64 context = model_.cfg.context;
  window_ = options.window > 0 ? options.window : context;
  stride_ = options.stride > 0 ? options.stride : std::max<i64>(1, window_ / 2);
  if (window_ > context || stride_ >= window_)
    throw Error(ErrorKind::kUsage, cat(folder, ": a window of ", window_, " tokens and a stride of ", stride_,
                                       " do not fit a context of ", context));
  model::EngineOptions engine;
  engine.max_rows = options.chunk;
  engine.cache_tokens = (options.batch + 1) * (context + 2 * model::kPageTokens);
  engine_ = std::make_unique<model::Engine>(model_, engine);
  encoder_ = std::make_unique<PromptEncoder>(*tokenizer_, begin_token(model_.cfg, *tokenizer_));
  scorer_ = std::make_unique<TokenScorer>(*engine_, ScoreOptions{options.batch, options.chunk});
}

NeuralScorer::~NeuralScorer() = default;

NeuralScorer::Pending NeuralScorer::submit(std::size_t number, std::string_view text, text::Score& score) {
  const Result<ScoredTokens> tokens = encoder_->text(text);
  LM_CHECK(static_cast<bool>(tokens), "the tokenizer takes every text");
  score = {};
  score.bytes = isize(text);
  score.tokens = std::max<i64>(0, isize(tokens->tokens) - tokens->first);
  for (i64 i = tokens->first; i < isize(tokens->tokens); ++i)
    if (tokenizer_->unk() == tokens->tokens[usize(i)]) ++score.oov;
  std::vector<ScoreRequest> windows = cut_windows(tokens->tokens, window_, stride_);
  const Pending out{number, isize(windows)};
  for (ScoreRequest& window : windows)
    scorer_->add(std::move(window));
  return out;
}

void NeuralScorer::collect(Pending pending, text::Score& score) {
  f64 sum = 0;
  for (i64 i = 0; i < pending.windows; ++i) {
    std::optional<std::vector<BranchScore>> part = scorer_->take();
    while (!part) {
      LM_CHECK(scorer_->step(), "a pending window is evaluated some time");
      part = scorer_->take();
    }
    sum += (*part)[0].sum;
  }
  if (score.tokens == 0) return;
  score.nll_nats = -sum;
  score.value = std::exp(-sum / static_cast<f64>(score.tokens));
}

void NeuralScorer::score(std::span<const std::string_view> texts, std::span<text::Score> scores) {
  LM_CHECK(texts.size() == scores.size(), "one score per text");
  std::deque<Pending> pending;
  for (std::size_t next = 0; next < texts.size() || !pending.empty();) {
    if (next < texts.size() && scorer_->pending() < 4 * batch_) {
      pending.push_back(submit(next, texts[next], scores[next]));
      ++next;
    } else {
      collect(pending.front(), scores[pending.front().text]);
      pending.pop_front();
    }
  }
}

}  // namespace lm::decode
