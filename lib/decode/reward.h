#pragma once
// Rewards of whole texts: a linear function of the last token's state (model/score_head.h). By the
// engine's contract N1 a text's reward does not depend on what is scored beside it, on chunks or on
// threads. One thread drives it.

#include <deque>
#include <optional>
#include <vector>

#include "decode/score.h"
#include "model/engine.h"

namespace lm::decode {

class RewardScorer {
 public:
  /// Borrows the engine, which is this object's alone and gives no logits. head: [width].
  RewardScorer(model::Engine& engine, std::vector<f32> head, ScoreOptions options);

  /// At least one token and at most engine.positions() (LM_CHECK), ids of the vocabulary;
  /// Error{kOs} naming the need, when it is its turn, for a text that an empty cache cannot hold.
  void add(std::vector<i32> tokens);
  i64 pending() const { return isize(texts_) + isize(done_); }
  /// One pass. False if nothing is left to do.
  bool step();
  /// The oldest text's reward, if complete; not finite where the model's numbers are not.
  std::optional<f64> take();
  const ScoreStats& stats() const { return stats_; }

 private:
  i64 gather();

  model::Engine& engine_;
  std::vector<f32> head_;
  ScoreOptions options_;
  std::deque<std::vector<i32>> texts_;
  std::deque<f64> done_;
  std::vector<model::EvalRow> rows_;
  ScoreStats stats_;
};

}  // namespace lm::decode
