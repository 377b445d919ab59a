#pragma once
// Sets of texts, tokenised once, whose perplexity is asked of one model after another: the numbers
// of lm-decode score. One thread at a time; kernels are parallel inside.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "decode/prompt.h"
#include "decode/score.h"
#include "model/engine.h"
#include "text/tokenizer.h"

namespace lm::decode {

/// What a model makes of one set of texts.
struct SetScore {
  f64 nll_nats = 0;  // over all scored tokens; not finite where the model's logits are not numbers
  i64 tokens = 0;    // scored
  i64 bytes = 0;     // that they stand for
  f64 per_token() const { return nll_nats / static_cast<f64>(tokens); }
};

class HeldOutTexts {
 public:
  /// begin: put before every text, or nothing. windows: as Session::windows gives them. Texts are
  /// charged to memory, 4 bytes a token and a little for each.
  HeldOutTexts(const text::Tokenizer& tokenizer, std::optional<i32> begin,
               const WindowRule& windows, MemoryBudget& memory);
  ~HeldOutTexts() { memory_.release(charged_); }
  HeldOutTexts(const HeldOutTexts&) = delete;
  HeldOutTexts& operator=(const HeldOutTexts&) = delete;

  /// Adds a text to the set of that name, which is a new one if there is none. Texts without a
  /// scored token add nothing. Fault "tokenizer" where the tokenizer gives up on it.
  std::optional<Fault> add(std::string_view set, std::string_view text);

  const std::vector<std::string>& sets() const { return names_; }  // in the order of their first
  i64 tokens(i64 set) const { return totals_[usize(set)].tokens; }
  /// Of all sets, by number. The engine is this call's alone; a set's sum does not depend on other
  /// sets, on batches or on threads.
  std::vector<SetScore> score(model::Engine& engine, const ScoreOptions& options) const;

 private:
  struct Text {
    i64 set = 0;
    ScoredTokens tokens;
  };
  i64 find_set(std::string_view name);

  PromptEncoder encoder_;
  WindowRule windows_;
  MemoryBudget& memory_;
  i64 charged_ = 0;
  std::vector<std::string> names_;
  std::vector<SetScore> totals_;  // without nll
  std::vector<Text> texts_;
};

}  // namespace lm::decode
