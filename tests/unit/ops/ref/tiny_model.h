#pragma once
// A small Llama-shaped transformer built from operators, and a GPT-2-shaped one for planning only.

#include <string>
#include <vector>

#include "graph/checkpoint.h"
#include "graph/exec.h"
#include "graph/graph.h"
#include "graph/params.h"

namespace lm::test {

struct TinyConfig {
  i64 layers = 2;
  i64 width = 16;
  i64 hidden = 24;  // of the feed-forward
  i32 heads = 4;
  i32 kv_heads = 2;
  i64 vocab = 29;
  i64 rows = 24;      // tokens per step
  i64 sequence = 12;  // rows are packed sequences of this length
  f32 dropout = 0;
  f32 loss_scale = 1;  // other than 1: the loss reaches backward() through a scale node
  Recompute policy = Recompute::kNone;
};

/// The graph with backward() and checkpointing applied, its parameters and inputs.
struct TinyModel {
  explicit TinyModel(const TinyConfig& cfg);
  TinyConfig cfg;
  ParamSet params;
  ParamSlab weights;
  ParamSlab grads;
  Graph g;
  Value tokens, targets, spans, positions, table;
  Value loss;
  OwnedTensor token_data, target_data, span_data, position_data, table_data;

  void bind(Executor& exec);
  /// Weights drawn by name, so that every instance of a shape has the same.
  void init();
  /// A fixed periodic text that a model can learn.
  void fill_data();

 private:
  Value param(const std::string& name, const Shape& shape);
  Value block(Value x, i64 layer);
};

}  // namespace lm::test
