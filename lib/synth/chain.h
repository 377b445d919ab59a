#pragma once
// The order-1 chain over 6 symbols that ciphers are drawn from, and what can be known of its next
// symbol with and without the key. Perplexity of its entropy rate: 2.395.

#include <array>
#include <span>
#include <vector>

#include "core/draws.h"
#include "core/types.h"

namespace lm::synth {

inline constexpr i64 kChainStates = 6;

class Chain {
 public:
  Chain();
  /// A text from the stationary law on.
  std::vector<i64> draw(i64 length, Draws& draws) const;
  /// Log-probability of each state given those before it.
  std::vector<f64> logprobs(std::span<const i64> states) const;
  /// The same of symbols of which nobody knows which stands for which state: the mean over all 6!
  /// keys, each weighed by how likely it makes what came before (the best that any predictor can
  /// do on average over keys). O(720) a symbol.
  std::vector<f64> keyless_logprobs(std::span<const i64> symbols) const;

 private:
  std::array<f64, kChainStates> start_{};
  std::vector<std::array<i64, kChainStates>> keys_;  // state of each symbol, all orders
};

}  // namespace lm::synth
