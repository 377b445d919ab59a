#include "decode/logprob.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cpu/loss.h"

namespace lm::decode {

Normaliser normaliser(std::span<const f32> logits) {
  i64 likeliest = 0;
  const f64 log = cpu::log_sum_exp(isize(logits), logits.data(), &likeliest);
  return {log, static_cast<i32>(likeliest)};
}

Spread spread(std::span<const f32> logits, f64 normaliser) {
  Spread out;
  f64 fourth_roots = 0;  // of the probabilities: square roots of softmax(logits / 2), unscaled
  f64 roots = 0;
  for (const f32 logit : logits) {
    const f64 logp = static_cast<f64>(logit) - normaliser;
    const f64 fourth_root = std::exp(logp / 4);
    const f64 root = fourth_root * fourth_root;
    fourth_roots += fourth_root;
    roots += root;
    if (root > 0) out.entropy -= root * root * logp;  // 0 ln 0 = 0
    out.mean_logp += logp;
  }
  out.sqrt_mass = fourth_roots / std::sqrt(roots);
  out.mean_logp /= static_cast<f64>(logits.size());
  return out;
}

std::vector<TokenLogprob> top_logprobs(std::span<const f32> logits, f64 normaliser, i64 k) {
  std::vector<i32> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const std::ptrdiff_t count = static_cast<std::ptrdiff_t>(std::min(k, isize(logits)));
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](i32 a, i32 b) {
    const f32 x = logits[static_cast<std::size_t>(a)];
    const f32 y = logits[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  });
  std::vector<TokenLogprob> out;
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const i32 id = order[static_cast<std::size_t>(i)];
    const f64 logit = static_cast<f64>(logits[static_cast<std::size_t>(id)]);
    out.emplace_back(id, static_cast<f32>(logit - normaliser));
  }
  return out;
}

}  // namespace lm::decode
