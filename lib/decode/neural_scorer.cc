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
          session_.activation() == DType::kBf16 ? " dtype=bf16" : "",
          options.boundary == Boundary::kSeparate ? " boundary=separate" : "");
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
  for (ScoredTokens& part : *stretches)
    add_part(std::move(part), score, out);
  return out;
}

std::deque<WindowCutter> NeuralScorer::cut_after(std::string_view prompt, std::string_view text,
                                                 text::Score& score) {
  const i64 most = options_.max_tokens > 0 ? options_.max_tokens : std::numeric_limits<i64>::max();
  score = {};
  Result<ScoredTokens> part = encoder_.completion(prompt, text, options_.boundary, most);
  std::deque<WindowCutter> out;
  if (part) {
    add_part(std::move(*part), score, out);
  } else {
    score.fault = part.fault();
  }
  return out;
}

Result<i64> NeuralScorer::length_after(std::string_view prompt, std::string_view text) {
  const Result<ScoredTokens> both = encoder_.completion(prompt, text, options_.boundary);
  if (!both) return both.fault();
  return isize(both->tokens);
}

void NeuralScorer::add_part(ScoredTokens part, text::Score& score,
                            std::deque<WindowCutter>& out) const {
  score.bytes += part.bytes;
  score.chars += part.chars;
  if (part.scored() == 0) return;
  score.tokens += part.scored();
  if (const std::optional<i32> unk = session_.tokenizer().unk()) {
    score.oov += std::count(part.tokens.begin() + part.first, part.tokens.end(), *unk);
    for (const i64 head : part.heads)
      score.oov -= part.tokens[usize(head)] == *unk ? 1 : 0;
  }
  out.emplace_back(std::move(part.tokens), windows_, part.first);
}

void NeuralScorer::score(std::span<const std::string_view> texts, std::span<text::Score> scores) {
  LM_CHECK(texts.size() == scores.size(), "one score per text");
  run(isize(texts), scores, [&](i64 i) { return cut(texts[usize(i)], scores[usize(i)]); });
}

void NeuralScorer::score_after(std::span<const std::string_view> prompts,
                               std::span<const std::string_view> texts,
                               std::span<text::Score> scores) {
  LM_CHECK(texts.size() == scores.size() && prompts.size() == texts.size(),
           "one prompt and one score per text");
  LM_CHECK(windows_.apart() == 0, "windows that do not overlap lose the prompt");
  run(isize(texts), scores,
      [&](i64 i) { return cut_after(prompts[usize(i)], texts[usize(i)], scores[usize(i)]); });
}

/// cut_of(i): the windows of the i-th text, in order.
void NeuralScorer::run(i64 count, std::span<text::Score> scores,
                       const std::function<std::deque<WindowCutter>(i64)>& cut_of) {
  std::vector<f64> sums(usize(count), 0);  // log-probabilities
  std::deque<std::size_t> owners;          // texts of the windows in work, in order
  std::deque<WindowCutter> cutters;        // of text next - 1
  std::size_t next = 0;
  const auto fill = [&] {
    while (scorer_->pending() < 4 * session_.options().batch) {
      if (cutters.empty()) {
        if (next == usize(count)) return;
        cutters = cut_of(static_cast<i64>(next));
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
  for (std::size_t i = 0; i < usize(count); ++i) {
    if (scores[i].tokens == 0) continue;
    scores[i].nll_nats = -sums[i];
    if (!std::isfinite(sums[i]) && options_.not_numbers) options_.not_numbers();
    scores[i].value = std::exp(-sums[i] / static_cast<f64>(scores[i].tokens));
  }
}

}  // namespace lm::decode
