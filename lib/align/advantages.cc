#include "align/advantages.h"

#include <cmath>
#include <numeric>

#include "core/error.h"

namespace lm::align {

namespace {

void standardise(std::span<f64> values, f64 least) {
  if (values.empty()) return;
  const f64 n = static_cast<f64>(values.size());
  const f64 mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  f64 square = 0;
  for (f64& value : values) {
    value -= mean;
    square += value * value;
  }
  const f64 deviation = std::sqrt(square / n) + least;
  for (f64& value : values)
    value /= deviation;
}

}  // namespace

std::vector<f64> token_rewards(std::span<const f32> logp, std::span<const f32> ref_logp, f64 kl,
                               f64 reward) {
  LM_CHECK(logp.size() == ref_logp.size() && !logp.empty(), "a completion has tokens");
  std::vector<f64> out;
  for (std::size_t t = 0; t < logp.size(); ++t)
    out.push_back(-kl * (static_cast<f64>(logp[t]) - static_cast<f64>(ref_logp[t])));
  out.back() += reward;
  return out;
}

std::vector<f64> gae(std::span<const f64> rewards, std::span<const f32> values, f64 gamma,
                     f64 lambda) {
  LM_CHECK(rewards.size() == values.size(), "a value for each token");
  std::vector<f64> out(rewards.size());
  f64 next = 0, sum = 0;
  for (i64 t = isize(rewards) - 1; t >= 0; --t) {
    const f64 value = static_cast<f64>(values[usize(t)]);
    sum = rewards[usize(t)] + gamma * next - value + gamma * lambda * sum;
    out[usize(t)] = sum;
    next = value;
  }
  return out;
}

void whiten(std::span<f64> values) {
  standardise(values, 1e-8);
}

void leave_one_out(std::span<f64> rewards) {
  if (rewards.size() < 2) return;
  const f64 n = static_cast<f64>(rewards.size());
  const f64 sum = std::accumulate(rewards.begin(), rewards.end(), 0.0);
  for (f64& reward : rewards)
    reward -= (sum - reward) / (n - 1);
}

void normalise_group(std::span<f64> rewards) {
  standardise(rewards, 1e-6);
}

}  // namespace lm::align
