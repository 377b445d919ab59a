#pragma once
// Log-probabilities of one position under the model's own distribution (float64 inside, natural
// logs), as records carry them. Pure.

#include <span>
#include <utility>
#include <vector>

#include "core/types.h"

namespace lm::decode {

using TokenLogprob = std::pair<i32, f32>;

/// ln of the sum of exp(logits), in index order.
f64 log_normaliser(std::span<const f32> logits);

/// The k likeliest tokens with their log-probabilities, likeliest first, ties by smaller id.
std::vector<TokenLogprob> top_logprobs(std::span<const f32> logits, f64 normaliser, i64 k);

/// Smallest id of the largest logit.
i32 argmax(std::span<const f32> logits);

}  // namespace lm::decode
