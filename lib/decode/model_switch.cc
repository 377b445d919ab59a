#include "decode/model_switch.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/error.h"
#include "decode/logprob.h"

namespace lm::decode {

f64 entropy_bits(std::span<const f32> logits) {
  const f64 log_sum = normaliser(logits).log;
  f64 out = 0;
  for (const f32 logit : logits) {
    const f64 logp = static_cast<f64>(logit) - log_sum;
    const f64 p = std::exp(logp);
    if (p > 0) out -= p * logp;
  }
  return out / std::numbers::ln2;
}

ModelSwitch::ModelSwitch(const SwitchOptions& options, const DrawKey& key, i64 sample)
    : options_(options), large_(options.start_large) {
  LM_CHECK(options.window >= 1 && options.dwell >= 1, "a mean has values, a model tokens");
  draw_.key = key;
  draw_.sample = sample;
  draw_.stream = DrawStream::kOther;
  if (options.rule == SwitchOptions::Rule::kFirst) large_ = options.first > 0;
}

bool ModelSwitch::wants_large(i64 at) const {
  if (options_.rule == SwitchOptions::Rule::kFirst) return counts_.large_tokens < options_.first;
  if (options_.rule == SwitchOptions::Rule::kRandom) {
    DrawPoint point = draw_;
    point.position = at;
    return draw_uniform(point, 0) < options_.share;
  }
  const i64 values = std::min(seen_, options_.window);
  return std::accumulate(recent_.begin(), recent_.begin() + values, 0.0) /
             static_cast<f64>(values) >
         options_.threshold;
}

void ModelSwitch::note(f64 entropy, i64 at) {
  const i64 slot = seen_ % options_.window;
  if (slot == isize(recent_)) recent_.push_back(0);
  recent_[usize(slot)] = entropy;
  ++seen_;
  ++stayed_;
  ++(large_ ? counts_.large_tokens : counts_.small_tokens);
  counts_.entropy += entropy;
  const bool free = options_.rule == SwitchOptions::Rule::kFirst || stayed_ >= options_.dwell;
  if (!free || wants_large(at) == large_) return;
  large_ = !large_;
  stayed_ = 0;
  ++counts_.switches;
  if (options_.reset) seen_ = 0;
}

}  // namespace lm::decode
