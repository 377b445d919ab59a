#pragma once
// What happens to the logits of a position before a token is drawn: penalties by history, then
// temperature and truncations, in a chosen order, in float64. Ties behave as in transformers'
// warpers. A truncated token is removed; what is left is ascending by id. Pure functions; sampler.h
// puts them together.
// Sources: Keskar et al. 2019 (repetition); Fan et al. 2018 (top-k); Holtzman et al. 2020 (top-p);
// Meister et al. 2023 (typical); Hewitt et al. 2022 (epsilon, eta); Nguyen et al. 2024 (min-p);
// Tang et al. 2024 (top-n-sigma); DRY and XTC after their public implementations.

#include <span>
#include <string>
#include <vector>

#include "core/types.h"
#include "decode/token_counts.h"
#include "text/tokenizer.h"

namespace lm::decode {

/// Log-weights of the tokens still possible, ascending ids, all finite.
struct TokenWeights {
  std::vector<i32> ids;
  std::vector<f64> w;

  /// Takes a row of logits; -infinity leaves a token out. False if a logit is NaN or +infinity.
  bool assign(std::span<const f32> logits);
  /// Takes the logits of some ids, ascending.
  void assign(std::span<const f32> logits, std::span<const i32> some);
  bool empty() const { return ids.empty(); }
  f64 max() const;
  /// Where an id stands, or -1.
  i64 find(i32 id) const;
  /// Removes weights of -infinity.
  void drop_infinite();
  /// ln of the sum of exp(w).
  f64 log_sum() const;
  /// Probabilities of the survivors. Returns log_sum().
  f64 softmax(std::vector<f64>& p) const;
};

/// Prompt and output of one sequence.
struct History {
  std::span<const i32> tokens;
  i64 prompt = 0;  // tokens of the prompt, the rest is output
};

/// The first token that a penalty counts: of the last last_n (0: of all) of the output or, with
/// all, of everything.
i64 window_begin(const History& history, bool all, i64 last_n);

// Penalties.
/// Once per distinct token: w < 0 -> w * theta, else w / theta.
void apply_repetition(TokenWeights& x, const TokenCounts& seen, f64 theta);
/// w -= frequency * count + presence.
void apply_frequency(TokenWeights& x, const TokenCounts& seen, f64 frequency, f64 presence);
/// Bans v if (last n - 1 tokens, v) occurred. O(history * n).
void ban_repeated_ngrams(TokenWeights& x, const History& history, i64 n);
/// w_v -= multiplier * base^(m - allowed) where m >= allowed is the longest suffix of the history
/// that stood before an earlier v. A match does not reach over a breaker token, and breakers are
/// not penalised. breaker: by id. O(history).
void apply_dry(TokenWeights& x, const History& history, f64 multiplier, f64 base, i64 allowed,
               std::span<const u8> breaker);

// Truncations; min_keep tokens at least stay.
/// w >= k-th largest: ties stay.
void keep_top_k(TokenWeights& x, i64 k, i64 min_keep);
/// In ascending order (of equal weights the larger id first), removed while the running sum of
/// probabilities is <= 1 - p.
void keep_top_p(TokenWeights& x, f64 p, i64 min_keep);
/// p_v >= min_p * largest p.
void keep_min_p(TokenWeights& x, f64 min_p, i64 min_keep);
/// Smallest set of tokens in order of |surprise - entropy| with probability >= tau; with cut > tau
/// and without the ties of its last member.
void keep_typical(TokenWeights& x, f64 tau, bool cut, i64 min_keep);
/// p_v >= epsilon, or the likeliest.
void keep_epsilon(TokenWeights& x, f64 epsilon, i64 min_keep);
/// epsilon cut with min(eta, sqrt(eta) * exp(-entropy)).
void keep_eta(TokenWeights& x, f64 eta, i64 min_keep);
/// w >= max - n * standard deviation (of the population).
void keep_top_n_sigma(TokenWeights& x, f64 n, i64 min_keep);
/// If two tokens or more have p >= threshold: only the least likely of them stays (and all
/// others).
void exclude_top_choices(TokenWeights& x, f64 threshold, i64 min_keep);

/// Ids whose bytes contain one of the strings: [vocab] of 0 and 1.
std::vector<u8> breaker_tokens(const text::Tokenizer& tokenizer, i64 vocab,
                               std::span<const std::string> strings);

}  // namespace lm::decode
