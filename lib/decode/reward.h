#pragma once
// Rewards of whole texts: a linear function of the last token's state (model/score_head.h). One
// thread drives it.

#include <deque>
#include <optional>
#include <vector>

#include "decode/text_passes.h"

namespace lm::decode {

class RewardScorer {
 public:
  /// Borrows the engine, which is this object's alone and gives no logits. head: [width].
  RewardScorer(model::Engine& engine, std::vector<f32> head, PassLimits limits);

  /// As TextPasses::add().
  void add(std::vector<i32> tokens) { passes_.add(std::move(tokens)); }
  i64 pending() const { return passes_.pending() + isize(done_); }
  /// One pass. False if nothing is left to do.
  bool step();
  /// The oldest text's reward, if complete; not finite where the model's numbers are not.
  std::optional<f64> take();
  const PassStats& stats() const { return passes_.stats(); }

 private:
  model::Engine& engine_;
  std::vector<f32> head_;
  TextPasses passes_;
  std::deque<f64> done_;
};

}  // namespace lm::decode
