#pragma once
// Energies of candidates for the masked places of a text, from a model that reads it from left to
// right: what the places' tokens are likely for in sight of all before them, against what they
// were drawn with one by one. exp(-E) turns draws of the product into draws of that model.
//   E = ln q(candidate) - ln p(candidate); lower is better.
// Carried over (coar) ln p is of the masked places alone, else of the whole text. A text's first
// token has a probability only where a begin token stands before it; elsewhere neither sum has it.
// Source: Xu et al. 2024 (EDLM). Its published code weights by exp(+E), passes probabilities for
// logs and mixes texts of a batch; here candidates are a text's own and lower energies win.

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "decode/score.h"

namespace lm::decode {

class TextEnergy {
 public:
  /// A text, the places that candidates fill, ascending, and how far the candidates go: tokens
  /// behind `end` are not known.
  struct Candidates {
    std::span<const i32> tokens;
    std::span<const i64> places;
    i64 end = 0;
    std::vector<std::span<const i32>> values;  // by candidate and place
    std::vector<std::span<const f64>> log_proposals;
  };

  /// Borrows the engine, which is this object's alone. begin: what the model's texts begin with;
  /// put before a text that does not begin so.
  TextEnergy(model::Engine& engine, ScoreOptions options, std::optional<i32> begin, bool carry_over)
      : engine_(engine), scorer_(engine, options), begin_(begin), carry_over_(carry_over) {}

  /// Tokens of a text that it can read.
  i64 most_tokens() const { return engine_.positions() - (begin_ ? 1 : 0); }
  /// Queues a text's candidates. The spans are not kept.
  void add(const Candidates& candidates);
  /// Energies of all that was added, by text and candidate. Infinite: a token that the model has
  /// not, or that it thinks impossible.
  std::vector<std::vector<f64>> run();
  const ScoreStats& stats() const { return scorer_.stats(); }

 private:
  struct Text {
    std::vector<u8> counts;     // by token behind the prefix that has a probability: counts in ln p
    std::vector<f64> proposed;  // by candidate: ln q of what counts
    std::vector<u8> unknown;    // by candidate: has a token that the model has not
  };
  bool begins(std::span<const i32> tokens) const {
    return begin_ && (tokens.empty() || tokens[0] != *begin_);
  }

  model::Engine& engine_;
  TokenScorer scorer_;
  std::optional<i32> begin_;
  bool carry_over_;
  std::vector<Text> texts_;
};

/// Throws Error{kData} naming the first difference unless both tokenizers give the ids of `of`, but
/// for `mask`, the same bytes: a model of masked diffusion may have a token more than one that
/// reads from left to right.
void check_same_tokens(const text::Tokenizer& tokenizer, const text::Tokenizer& of, i32 mask);

}  // namespace lm::decode
