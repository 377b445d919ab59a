#pragma once
// Vectors of token lists through the inference engine: many texts share a pass, each in a sequence
// of its own that is forgotten afterwards. By the engine's contract N1 a vector does not depend on
// what is embedded beside it, on chunks or on threads. One thread drives it.

#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "embed/pooling.h"
#include "model/engine.h"

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

struct EmbedLimits {
  i64 batch = 64;   // texts in a pass
  i64 chunk = 512;  // tokens in a pass, but for a longer text
};

struct EmbedStats {
  i64 texts = 0;
  i64 rows = 0;
  i64 passes = 0;
  f64 forward_s = 0;
};

class Embedder {
 public:
  /// Borrows the engine, which is this object's alone and was made with state_options(plan).
  Embedder(model::Engine& engine, const VectorPlan& plan, EmbedLimits limits);

  /// tokens: at least one, at most engine.positions() less the model's first position; Error{kOs}
  /// naming the need, when it is its turn, for a text that an empty cache cannot hold.
  void add(std::vector<i32> tokens);
  i64 pending() const { return isize(texts_) + isize(done_); }
  /// One pass. False if nothing is left to do.
  bool step();
  /// The oldest text's vectors, [pools, layers, width] in the plan's order, if complete.
  std::optional<std::vector<f32>> take();
  const EmbedStats& stats() const { return stats_; }

 private:
  i64 gather();
  std::vector<f32> pool(i64 first_row, i64 rows) const;
  std::span<const f32> state(i64 row, i64 layer) const;

  model::Engine& engine_;
  VectorPlan plan_;
  EmbedLimits limits_;
  std::deque<std::vector<i32>> texts_;
  std::deque<std::vector<f32>> done_;
  std::vector<model::EvalRow> rows_;
  EmbedStats stats_;
};

}  // namespace lm::embed
