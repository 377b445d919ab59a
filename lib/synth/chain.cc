#include "synth/chain.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lm::synth {

namespace {

using Row = std::array<f64, kChainStates>;

// From state (row) to state.
constexpr std::array<Row, kChainStates> kSteps = {{{.753, .125, .003, .051, .003, .065},
                                                   {.446, .015, .050, .376, .108, .005},
                                                   {.557, .053, .005, .346, .004, .035},
                                                   {.010, .885, .003, .003, .042, .057},
                                                   {.163, .508, .007, .004, .276, .042},
                                                   {.006, .023, .914, .039, .007, .011}}};

Row stationary() {
  Row now{};
  now.fill(1.0 / kChainStates);
  for (i64 round = 0; round < 2000; ++round) {
    Row next{};
    for (std::size_t i = 0; i < kChainStates; ++i)
      for (std::size_t j = 0; j < kChainStates; ++j)
        next[j] += now[i] * kSteps[i][j];
    now = next;
  }
  return now;
}

i64 draw_from(const Row& weights, f64 uniform) {
  for (std::size_t i = 0; i + 1 < kChainStates; ++i) {
    uniform -= weights[i];
    if (uniform < 0) return static_cast<i64>(i);
  }
  return kChainStates - 1;
}

f64 step(i64 from, i64 to) {
  return kSteps[usize(from)][usize(to)];
}

}  // namespace

Chain::Chain() : start_(stationary()) {
  std::array<i64, kChainStates> key{};
  std::iota(key.begin(), key.end(), 0);
  do
    keys_.push_back(key);
  while (std::next_permutation(key.begin(), key.end()));
}

std::vector<i64> Chain::draw(i64 length, Draws& draws) const {
  std::vector<i64> out;
  for (i64 i = 0, state = 0; i < length; ++i) {
    state = draw_from(i == 0 ? start_ : kSteps[usize(state)], draws.uniform());
    out.push_back(state);
  }
  return out;
}

std::vector<f64> Chain::logprobs(std::span<const i64> states) const {
  std::vector<f64> out;
  for (std::size_t i = 0; i < states.size(); ++i)
    out.push_back(std::log(i == 0 ? start_[usize(states[i])] : step(states[i - 1], states[i])));
  return out;
}

std::vector<f64> Chain::keyless_logprobs(std::span<const i64> symbols) const {
  std::vector<f64> weights(keys_.size(), 1 / static_cast<f64>(keys_.size())), out;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    f64 sum = 0;
    for (std::size_t k = 0; k < keys_.size(); ++k) {
      const i64 state = keys_[k][usize(symbols[i])];
      weights[k] *= i == 0 ? start_[usize(state)] : step(keys_[k][usize(symbols[i - 1])], state);
      sum += weights[k];
    }
    for (f64& weight : weights)
      weight /= sum;
    out.push_back(std::log(sum));
  }
  return out;
}

}  // namespace lm::synth
