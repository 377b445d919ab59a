#include "decode/neural_scorer.h"

#include <algorithm>
#include <cmath>

#include "core/str.h"

namespace lm::decode {

NeuralScorer::NeuralScorer(const SessionOptions& session, const NeuralScorerOptions& options)
    : options_(options),
      session_(session),
      windows_(session_.windows(options.window, options.stride)),
      encoder_(session_.tokenizer(), session_.begin()) {
  LM_CHECK(session.special != text::SpecialPolicy::kError, "scores have no bad records");
  digest_ =
      cat(session_.digest(), " ", session_.tokenizer().digest(), " window=", windows_.window,
          " stride=", windows_.stride, " max_tokens=", options.max_tokens,
          " probes=", options.probes, " begin=", session_.begin() ? cat(*session_.begin()) : "none",
          " special=", session.special == text::SpecialPolicy::kParse ? "parse" : "text",
          session_.activation() == DType::kBf16 ? " dtype=bf16" : "");
  scorer_ = std::make_unique<TokenScorer>(session_.engine(), session_.score_options());
}

NeuralScorer::~NeuralScorer() = default;

/// The windows of a text, by stretch; sets what is known of its score before the model ran.
std::deque<WindowCutter> NeuralScorer::cut(std::string_view text, text::Score& score) {
  const i64 most = options_.max_tokens > 0 ? options_.max_tokens : std::numeric_limits<i64>::max();
  Result<std::vector<ScoredTokens>> stretches =
      encoder_.stretches(text, most, options_.probes, windows_.apart());
  score = {};
  if (!stretches) {
    score.fault = stretches.fault();
    return {};
  }
  std::deque<WindowCutter> out;
  for (ScoredTokens& part : *stretches) {
    score.bytes += part.bytes;
    if (part.scored() == 0) continue;
    score.tokens += part.scored();
    if (const std::optional<i32> unk = session_.tokenizer().unk()) {
      score.oov += std::count(part.tokens.begin() + part.first, part.tokens.end(), *unk);
      for (const i64 head : part.heads)
        score.oov -= part.tokens[usize(head)] == *unk ? 1 : 0;
    }
    out.emplace_back(std::move(part.tokens), windows_);
  }
  return out;
}

void NeuralScorer::score(std::span<const std::string_view> texts, std::span<text::Score> scores) {
  LM_CHECK(texts.size() == scores.size(), "one score per text");
  std::vector<f64> sums(texts.size(), 0);  // log-probabilities
  std::deque<std::size_t> owners;          // texts of the windows in work, in order
  std::deque<WindowCutter> cutters;        // of text next - 1
  std::size_t next = 0;
  const auto fill = [&] {
    while (scorer_->pending() < 4 * session_.options().batch) {
      if (cutters.empty()) {
        if (next == texts.size()) return;
        cutters = cut(texts[next], scores[next]);
        ++next;
      } else if (std::optional<ScoreRequest> window = cutters.front().next()) {
        scorer_->add(std::move(*window));
        owners.push_back(next - 1);
      } else {
        cutters.pop_front();
      }
    }
  };
  for (fill(); !owners.empty(); fill()) {
    LM_CHECK(scorer_->step(), "a pending window is evaluated some time");
    while (std::optional<std::vector<BranchScore>> part = scorer_->take()) {
      sums[owners.front()] += (*part)[0].sum;
      owners.pop_front();
    }
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (scores[i].tokens == 0) continue;
    scores[i].nll_nats = -sums[i];
    if (!std::isfinite(sums[i]) && options_.not_numbers) options_.not_numbers();
    scores[i].value = std::exp(-sums[i] / static_cast<f64>(scores[i].tokens));
  }
}

}  // namespace lm::decode
