#pragma once
// How much the tokens of a text look at which others: softmax attention weights, computed again in
// double precision from the queries and keys of a forward pass, since an engine's own kernels never
// hold them. One text at a time; one thread drives it.

#include <span>
#include <vector>

#include "core/types.h"
#include "model/attention_layer.h"
#include "model/engine.h"

namespace lm::decode {

class AttentionReader {
 public:
  /// layers: what the engine was made with as EngineOptions::projections. Borrows the engine, which
  /// is this object's alone.
  AttentionReader(model::Engine& engine, std::vector<i64> layers);

  /// One forward pass over the text. Its weights are readable until the next read. tokens: at least
  /// one, at most the engine's positions; Error{kOs} naming the need where the cache cannot hold
  /// them. Holds token_bytes() for each token.
  void read(std::span<const i32> tokens);
  i64 token_bytes() const;
  const std::vector<i64>& layers() const { return layers_; }
  i64 heads(i64 index) const { return layer(index).heads; }
  /// Weights of token `row` of the last text on tokens 0..row, by head `head` of layers()[index];
  /// out: [row + 1], sum 1, 0 outside the layer's window. O(row head_dim). May be called by several
  /// threads at once.
  void weights(i64 index, i64 head, i64 row, std::span<f64> out) const;

 private:
  const model::AttentionCfg& layer(i64 index) const;

  model::Engine& engine_;
  std::vector<i64> layers_;
};

}  // namespace lm::decode
