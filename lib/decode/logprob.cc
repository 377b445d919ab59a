#include "decode/logprob.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lm::decode {

f64 log_normaliser(std::span<const f32> logits) {
  const f64 top = static_cast<f64>(*std::max_element(logits.begin(), logits.end()));
  f64 sum = 0;
  for (const f32 logit : logits)
    sum += std::exp(static_cast<f64>(logit) - top);
  return top + std::log(sum);
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

i32 argmax(std::span<const f32> logits) {
  return static_cast<i32>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace lm::decode
