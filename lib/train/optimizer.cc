#include "train/optimizer.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace lm::train {

ParamSet second_moments(const ParamSet& set, std::span<const i32> apart) {
  ParamSet out;
  for (i32 i = 0; i < set.size(); ++i) {
    const bool here = std::find(apart.begin(), apart.end(), i) == apart.end();
    out.add(set[i].name, here ? set[i].shape : Shape{0}, set[i].decay, set[i].trainable);
  }
  return out;
}

AdamW::AdamW(const ParamSet& set, const AdamWOptions& options, i64 world_size,
             const Backend& backend, std::span<const i32> apart)
    : options_(options),
      backend_(backend),
      v_set_(std::make_shared<const ParamSet>(second_moments(set, apart))),
      m_(set, world_size, backend, DType::kF32, SlabOf::kTrained),
      v_(*v_set_, world_size, backend, DType::kF32, SlabOf::kTrained) {
  LM_CHECK(apart.empty() || world_size == 1, "ranks share one layout of moments");
  const std::vector<ParamInfo>& list = set.list();
  for (i64 i = 0; i < isize(list); ++i) {
    const ParamInfo& info = list[usize(i)];
    if (!info.trainable) continue;
    if (std::find(apart.begin(), apart.end(), static_cast<i32>(i)) != apart.end()) continue;
    const i64 end = i + 1 < isize(list) ? list[usize(i + 1)].offset : m_.elements();
    if (!ranges_.empty() && ranges_.back().end == info.offset &&
        ranges_.back().decay == info.decay) {
      ranges_.back().end = end;
    } else {
      ranges_.push_back({info.offset, end, info.decay, (*v_set_)[static_cast<i32>(i)].offset});
    }
  }
}

void AdamW::update(i64 t, f64 lr, f64 grad_scale, const ParamSlab& grads, ParamSlab& weights,
                   ParamSlab* half, const comm::Part& part) {
  AdamWStep step;
  step.lr = static_cast<f32>(lr);
  step.beta1 = static_cast<f32>(options_.beta1);
  step.beta2 = static_cast<f32>(options_.beta2);
  step.eps = static_cast<f32>(options_.eps);
  step.correction1 = static_cast<f32>(1 - std::pow(options_.beta1, static_cast<f64>(t)));
  step.correction2 = static_cast<f32>(1 - std::pow(options_.beta2, static_cast<f64>(t)));
  step.grad_scale = static_cast<f32>(grad_scale);
  for (const Range& range : ranges_) {
    const i64 begin = std::max(range.begin, part.begin);
    const i64 n = std::min(range.end, part.end) - begin;
    if (n <= 0) continue;
    step.weight_decay = range.decay ? static_cast<f32>(options_.weight_decay) : 0.0f;
    backend_.adamw(step, n, grads.data() + begin, weights.data() + begin, m_.data() + begin,
                   v_.data() + range.v_begin + (begin - range.begin),
                   half == nullptr ? nullptr : half->bf16_data() + begin);
  }
}

f64 gradient_norm(const ParamSlab& grads, const comm::Part& part, comm::Comm& comm,
                  const Backend& backend) {
  f64 squares = backend.sum_squares(part.count(), grads.data() + part.begin);
  comm.all_reduce({&squares, 1});
  return std::sqrt(squares);
}

f64 clip_scale(f64 norm, f64 clip) {
  return clip > 0 ? std::min(1.0, clip / (norm + 1e-6)) : 1.0;
}

}  // namespace lm::train
