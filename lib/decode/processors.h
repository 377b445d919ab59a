#pragma once
// What happens to the logits of a position before a token is drawn: penalties by history, then
// temperature and truncations, in a chosen order, in float64. Ties behave as in transformers'
// warpers. A truncated token is removed; what is left is ascending by id. One Sampler per sequence
// and thread; results depend on the arguments only.
// Sources: Keskar et al. 2019 (repetition); Fan et al. 2018 (top-k); Holtzman et al. 2020 (top-p);
// Meister et al. 2023 (typical); Hewitt et al. 2022 (epsilon, eta); Nguyen et al. 2024 (min-p);
// Tang et al. 2024 (top-n-sigma); DRY and XTC after their public implementations.

#include <memory>
#include <span>
#include <vector>

#include "core/result.h"
#include "decode/draw.h"
#include "decode/params.h"
#include "text/tokenizer.h"

namespace lm::decode {

/// Log-weights of the tokens still possible, ascending ids, all finite.
struct TokenWeights {
  std::vector<i32> ids;
  std::vector<f64> w;

  /// Takes a row of logits; -infinity leaves a token out. False if a logit is NaN or +infinity.
  bool assign(std::span<const f32> logits);
  bool empty() const { return ids.empty(); }
  f64 max() const;
  /// ln of the sum of exp(w), in id order.
  f64 log_sum() const;
  /// Probabilities of the survivors, summed in id order.
  void softmax(std::vector<f64>& p) const;
};

/// Prompt and output of one sequence.
struct History {
  std::span<const i32> tokens;
  i64 prompt = 0;  // tokens of the prompt, the rest is output
};

// Penalties. last_n = 0: the whole history.
/// Once per distinct token of the window: w < 0 -> w * theta, else w / theta.
void apply_repetition(TokenWeights& x, const History& history, f64 theta, i64 last_n);
/// w -= frequency * count + presence, counts over the output or over everything.
void apply_frequency(TokenWeights& x, const History& history, f64 frequency, f64 presence, bool all,
                     i64 last_n);
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

class Constraint;

/// All of it for one sequence.
class Sampler {
 public:
  /// ends: ids that min_tokens bans. breaker: for DRY, may be empty without it; shared by all
  /// sequences with the same strings. params must have a valid order.
  Sampler(const SampleParams& params, std::vector<i32> ends,
          std::shared_ptr<const std::vector<u8>> breaker);

  /// Processes logits [vocab] and draws; constraints mask what biases have left. left: tokens that
  /// the text may still get. Fault "logits" (not numbers), "no_token" (everything is banned), or a
  /// constraint's.
  Result<i32> draw(std::span<const f32> logits, const History& history, const DrawPoint& at,
                   std::span<const std::unique_ptr<Constraint>> constraints = {}, i64 left = 0);
  /// The distribution that the last draw came from.
  const TokenWeights& weights() const { return x_; }

 private:
  void rules(const History& history);
  void step(Step step, const History& history, const DrawPoint& at);

  SampleParams params_;
  std::vector<Step> order_;
  std::vector<i32> ends_;
  std::shared_ptr<const std::vector<u8>> breaker_;
  TokenWeights x_;
};

}  // namespace lm::decode
