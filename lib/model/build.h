#pragma once
// Node lists of a model. GraphModel turns a ModelCfg into values of one Graph, part by part, so
// that objectives can compose them; what is below it serves the usual whole graphs. Rows are
// flattened: N = all tokens of a batch, sequences one after another. Attention spans are row
// numbers of the batch ([N, 6]: keys [a0,a1) and [b0,b1)), position ids are free inputs.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/checkpoint.h"
#include "graph/exec.h"
#include "graph/graph.h"
#include "model/adapter_bank.h"
#include "model/config.h"
#include "model/layer.h"
#include "model/params.h"
#include "model/rope_tables.h"
#include "ops/ops.h"

namespace lm::model {

struct BuildOptions {
  bool trainable = false;  // parameters get gradients
  f32 dropout = 0;         // on the embedding and on what each part adds to the stream
  MoeTraining moe;
  CheckpointPolicy checkpoint;
  i64 positions = 0;  // rows of rotary tables, 0: cfg.context
  /// Tables of these positions that outlive the graph; null: the graph makes its own.
  const RopeTables* ropes = nullptr;
  /// Of the graph, and of the parameters without `weights`.
  DType activation = DType::kF32;
  /// Says the types of the parameters; null: all have the activations'.
  const Weights* weights = nullptr;
  /// Adapters to run beside the model, of the activations' type; use_adapters says which rows do.
  const AdapterBank* adapters = nullptr;
};

class GraphModel {
 public:
  /// Declares every parameter (index = ModelParams' index) and the rotary tables. cfg and params
  /// outlive this; g is borrowed.
  GraphModel(Graph& g, const ModelCfg& cfg, const ModelParams& params, const BuildOptions& options);

  /// For all rows to come: weights [N, BuildOptions::adapters->columns()] of the adapters.
  void use_adapters(Value row_weights) { adapter_rows_ = row_weights; }
  /// For all rows to come of batches: where the prefix of each one's text ends, i32 [N], its first
  /// row where it has none. Without a call none has one.
  void use_prefixes(Value ends) { prefix_ends_ = ends; }
  /// tokens, positions i32 [N] -> [N, C]. Every token is of the first type, where there are types.
  /// LM_CHECK: the model has a table.
  Value embed(Value tokens, Value positions);
  /// Layer i with residuals, as region "blocks.i". x [N, C] -> [N, C].
  Value block(i64 i, Value x, Value positions, MixContext& mix);
  /// x, where the model has none.
  Value final_norm(Value x);
  /// All of the above: the final hidden states [N, C]. states: becomes the embeddings and what the
  /// layers give, in order, as far as its size.
  Value hidden(Value tokens, Value positions, MixContext& mix, std::span<Value> states = {});
  /// embed() and `layers` layers: the states behind them, without the last norm.
  Value stream(Value tokens, Value positions, MixContext& mix, i64 layers,
               std::span<Value> states = {});
  /// The same with two-interval attention over the rows of the batch; spans i32 [N, 6].
  Value hidden(Value tokens, Value positions, Value spans);
  /// The same of rows that the caller embedded, [N, C], in a model with relative positions.
  Value hidden_of(Value rows, Value positions, Value spans);
  const ModelCfg& config() const { return cfg_; }
  /// How the layers built so far that are mixtures of experts routed their rows.
  const std::vector<RouterValues>& routers() const { return routers_; }
  /// The output matrix [V, C]: the embedding when tied. Absent in an encoder, where scores are and
  /// where there is no table.
  Value head() const { return head_; }
  /// A parameter's value, absent if the model has none of that name.
  Value param(std::string_view name) const;

  /// Binds the parameters, which have the types that the options say and lie in the executor's
  /// memory; and the rotary tables: to their memory where that is the executor's (this
  /// must then outlive its runs), else to a copy; and the tokens' types.
  /// adapters: of the parameters of BuildOptions::adapters, where there are some.
  void bind(Executor& executor, const Weights& weights, const Weights* adapters = nullptr) const;

 private:
  friend class LayerGraph;
  /// Columns [row, row + rows) of a product have scale B (m * A x) added, m the rows' weights of
  /// adapters, or none.
  struct LowRankPart {
    i64 row = 0;
    i64 rows = 0;
    Value a, b;
  };
  Value norm(const std::string& prefix, Value x);
  Value layers(Value x, Value positions, MixContext& mix, i64 count, std::span<Value> states);
  void declare_adapters(const AdapterBank& bank);
  /// Whether adapters stand beside the matrix `stem`.weight.
  bool adapted(const std::string& stem) const { return low_rank_.contains(stem); }
  /// y, which is made of x by that matrix, with what they add to it.
  Value add_low_rank(const std::string& stem, Value x, Value y);
  const RopeTables& ropes() const { return own_ropes_ ? *own_ropes_ : *options_.ropes; }

  Graph& g_;
  const ModelCfg& cfg_;
  const ModelParams& params_;
  BuildOptions options_;
  std::vector<Value> values_;  // by parameter index
  std::vector<Value> types_;   // of the tokens that embed() was given
  Value tokens_;               // those
  std::vector<RouterValues> routers_;
  std::map<std::string, std::vector<LowRankPart>> low_rank_;  // by the matrix, in order of rows
  Value adapter_rows_;
  Value prefix_ends_;
  Value head_;
  std::optional<RopeTables> own_ropes_;
  std::vector<Value> ropes_;  // by table
};

/// Forward only: log-probability, entropy, argmax and rank of each row's target (ops.h).
struct ScoreGraph {
  ScoreGraph(const ModelCfg& cfg, const ModelParams& params, i64 rows);
  ScoreGraph(const ScoreGraph&) = delete;
  ScoreGraph& operator=(const ScoreGraph&) = delete;

  Graph graph;
  GraphModel model;
  Value tokens, positions, spans, targets;
  LogprobResult result;
};

/// Rows of a packed batch: documents one after another, each row seeing its own document up to
/// itself, positions from 0 in each document. lengths: of the documents, sum <= rows; rows beyond
/// see nothing and have position 0.
struct PackedRows {
  std::vector<i32> positions;  // [rows]
  std::vector<RowSpan> spans;  // [rows], bound as i32 [rows, 6] with span_tensor
};
/// The i32 [n, 6] view of n spans.
Tensor span_tensor(std::vector<RowSpan>& spans);
PackedRows causal_rows(std::span<const i64> lengths, i64 rows);

}  // namespace lm::model
