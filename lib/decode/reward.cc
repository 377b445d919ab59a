#include "decode/reward.h"

#include <utility>

#include "core/error.h"

namespace lm::decode {

RewardScorer::RewardScorer(model::Engine& engine, std::vector<f32> head, PassLimits limits)
    : engine_(engine),
      head_(std::move(head)),
      passes_(engine, limits,
              [](model::EvalRow& row, i64 i, i64 count) { row.want_hidden = i + 1 == count; }) {
  LM_CHECK(isize(head_) == engine.cfg().width, "a weight for each of a state's numbers");
}

bool RewardScorer::step() {
  return passes_.step([this](std::span<const i64> first) {
    for (const i64 end : first.subspan(1)) {
      const std::span<const f32> state = engine_.hidden(end - 1);
      f64 sum = 0;
      for (i64 i = 0; i < isize(head_); ++i)
        sum += static_cast<f64>(head_[usize(i)]) * static_cast<f64>(state[usize(i)]);
      done_.push_back(sum);
    }
  });
}

std::optional<f64> RewardScorer::take() {
  if (done_.empty()) return std::nullopt;
  const f64 out = done_.front();
  done_.pop_front();
  return out;
}

}  // namespace lm::decode
