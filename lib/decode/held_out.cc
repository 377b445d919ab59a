#include "decode/held_out.h"

#include <algorithm>
#include <deque>

namespace lm::decode {

HeldOutTexts::HeldOutTexts(const text::Tokenizer& tokenizer, std::optional<i32> begin,
                           const WindowRule& windows, MemoryBudget& memory)
    : encoder_(tokenizer, begin), windows_(windows), memory_(memory) {}

i64 HeldOutTexts::find_set(std::string_view name) {
  const std::vector<std::string>::const_iterator at = std::find(names_.begin(), names_.end(), name);
  if (at != names_.end()) return at - names_.begin();
  names_.emplace_back(name);
  totals_.emplace_back();
  return isize(names_) - 1;
}

std::optional<Fault> HeldOutTexts::add(std::string_view set, std::string_view text) {
  const i64 number = find_set(set);
  Result<ScoredTokens> tokens = encoder_.text(text, windows_.apart());
  if (!tokens) return tokens.fault();
  if (tokens->scored() == 0) return std::nullopt;
  tokens->tokens.shrink_to_fit();
  const i64 bytes = isize(tokens->tokens) * static_cast<i64>(sizeof(i32)) +
                    static_cast<i64>(sizeof(Text)) +
                    isize(tokens->heads) * static_cast<i64>(sizeof(i64));
  memory_.charge_growing(charged_, bytes, "the held-out texts");
  charged_ += bytes;
  totals_[usize(number)].tokens += tokens->scored();
  totals_[usize(number)].bytes += tokens->bytes;
  texts_.push_back({number, std::move(*tokens)});
  return std::nullopt;
}

std::vector<SetScore> HeldOutTexts::score(model::Engine& engine,
                                          const ScoreOptions& options) const {
  std::vector<SetScore> out = totals_;
  TokenScorer scorer(engine, options);
  std::vector<f64> sums(texts_.size(), 0);  // log-probabilities
  std::deque<std::size_t> owners;           // texts of the windows in work, in order
  std::optional<WindowCutter> cutter;       // of text next - 1
  std::size_t next = 0;
  const auto fill = [&] {
    while (scorer.pending() < 4 * options.batch) {
      if (!cutter) {
        if (next == texts_.size()) return;
        cutter.emplace(texts_[next++].tokens.tokens, windows_);
      }
      std::optional<ScoreRequest> window = cutter->next();
      if (!window) {
        cutter.reset();
        continue;
      }
      scorer.add(std::move(*window));
      owners.push_back(next - 1);
    }
  };
  for (fill(); !owners.empty(); fill()) {
    LM_CHECK(scorer.step(), "a pending window is evaluated some time");
    while (std::optional<std::vector<BranchScore>> part = scorer.take()) {
      sums[owners.front()] += (*part)[0].sum;
      owners.pop_front();
    }
  }
  for (std::size_t i = 0; i < texts_.size(); ++i)
    out[usize(texts_[i].set)].nll_nats -= sums[i];
  return out;
}

}  // namespace lm::decode
