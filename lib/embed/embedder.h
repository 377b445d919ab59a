#pragma once
// Vectors of token lists through the inference engine. One thread drives it.

#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "decode/text_passes.h"
#include "embed/pooling.h"

namespace lm::embed {

/// Which vectors a text gets: one per pooling and layer.
struct VectorPlan {
  std::vector<i64> layers;  // ascending; 0: the embeddings, L: behind the last layer
  bool final_norm = false;  // layer L behind the model's last norm
  std::vector<Pooling> pools;
  i64 count() const { return isize(layers) * isize(pools); }
};

/// What the engine must be made with.
struct StateOptions {
  std::vector<i64> states;  // EngineOptions::states
  bool final_state = false;
};
/// A decoder's final norm is the only reason for its final state.
StateOptions state_options(const VectorPlan& plan, const model::ModelCfg& cfg);

class Embedder {
 public:
  /// Borrows the engine, which is this object's alone and was made with state_options(plan).
  Embedder(model::Engine& engine, const VectorPlan& plan, decode::PassLimits limits);

  /// As decode::TextPasses::add().
  void add(std::vector<i32> tokens) { passes_.add(std::move(tokens)); }
  i64 pending() const { return passes_.pending() + isize(done_); }
  /// One pass. False if nothing is left to do.
  bool step();
  /// The oldest text's vectors, [pools, layers, width] in the plan's order, if complete.
  std::optional<std::vector<f32>> take();
  const decode::PassStats& stats() const { return passes_.stats(); }

 private:
  std::vector<f32> pool(i64 first_row, i64 rows) const;
  std::span<const f32> state(i64 row, i64 layer) const;

  model::Engine& engine_;
  VectorPlan plan_;
  decode::TextPasses passes_;
  std::deque<std::vector<f32>> done_;
};

}  // namespace lm::embed
