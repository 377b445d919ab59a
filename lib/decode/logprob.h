#pragma once
// Log-probabilities of one position under the model's own distribution (float64 inside, natural
// logs), as records carry them. Pure.

#include <span>
#include <utility>
#include <vector>

#include "core/types.h"

namespace lm::decode {

using TokenLogprob = std::pair<i32, f32>;

/// ln of the sum of exp(logits), and the smallest id of the largest logit. Not empty. NaN where
/// logits are not numbers.
struct Normaliser {
  f64 log = 0;
  i32 likeliest = 0;
};
Normaliser normaliser(std::span<const f32> logits);

/// How a position's probability lies over the vocabulary.
struct Spread {
  f64 entropy = 0;    // nats
  f64 sqrt_mass = 0;  // sum of the square roots of softmax(logits / 2)
  f64 mean_logp = 0;  // mean over the vocabulary; -infinity if a token is impossible
};
/// One exponential a logit. NaN where logits are not numbers.
Spread spread(std::span<const f32> logits, f64 normaliser);

/// The k likeliest tokens with their log-probabilities, likeliest first, ties by smaller id.
std::vector<TokenLogprob> top_logprobs(std::span<const f32> logits, f64 normaliser, i64 k);

}  // namespace lm::decode
