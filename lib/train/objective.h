#pragma once
// What is learnt: an objective turns examples into rows of a graph, and the graph's hidden states
// into a loss. Trainer, evaluation and plans know nothing else of it.

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/build.h"
#include "train/example.h"

namespace lm::train {

/// The inputs of a micro-batch: `slots` examples of up to seq_len rows, as values of a graph and as
/// the host memory that they are set from. Row r of slot s is number s * seq_len + r.
class RowInputs {
 public:
  RowInputs(i64 slots, i64 seq_len);

  /// Adds the inputs to a graph: tokens, positions, targets i32 [N], spans i32 [N, 6].
  void declare(Graph& graph);
  /// Adds f32 [N] weights of rows, for objectives that want them.
  Value declare_weights(Graph& graph);

  i64 slots() const { return slots_; }
  i64 seq_len() const { return seq_len_; }
  i64 rows() const { return slots_ * seq_len_; }
  /// Rows without token, target or anything to see; weights 1.
  void clear();
  /// Rows [first, first + count) are a document: each sees those before it and itself.
  void document(i64 first, i64 count);
  /// Hands the memory to a graph that declared these inputs. The memory stays in place.
  void set(Executor& executor);

  Value token_value, position_value, span_value, target_value, weight_value;
  std::vector<i32> tokens, positions, targets;  // [N]
  std::vector<RowSpan> spans;                   // [N]
  std::vector<f32> weights;                     // [N], or empty

 private:
  i64 slots_;
  i64 seq_len_;
};

/// What a graph's loss consists of.
struct LossValues {
  Value sum;   // [1], nats: what is minimised, times the normaliser
  Value rows;  // [N], nats
  std::vector<std::pair<std::string, Value>> metrics;  // further sums [1], by name
};

/// Keys of random choices. A draw is a function of these, an example's number and a purpose, so
/// that it depends neither on threads nor on how a batch is divided.
struct FillCtx {
  u64 seed = 0;
  u32 step = 0;
  u32 micro_step = 0;
};

class Objective {
 public:
  virtual ~Objective() = default;
  /// The most tokens an example may have.
  virtual i64 tokens_per_example(i64 seq_len) const = 0;
  /// Adds the loss to a graph whose inputs are declared.
  virtual LossValues build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const = 0;
  /// Fills all rows from up to inputs.slots() examples; slots without one stay clear. Returns what
  /// these add to the normaliser of the step's loss: targets, pairs, sequences.
  virtual f64 fill(std::span<const Example> examples, const FillCtx& ctx,
                   RowInputs& inputs) const = 0;
};

/// Cross entropy of the next token over the targets of examples; the normaliser is their number.
/// With a loss mask this is supervised fine-tuning.
class NextToken final : public Objective {
 public:
  struct Options {
    /// A row sees its own document only, positions begin at 0 in each, and the first token of a
    /// document is no target.
    bool documents = false;
    f32 z_loss = 0;
    f32 label_smoothing = 0;
  };
  explicit NextToken(const Options& options) : options_(options) {}
  i64 tokens_per_example(i64 seq_len) const override { return seq_len + 1; }
  LossValues build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const override;
  f64 fill(std::span<const Example> examples, const FillCtx& ctx, RowInputs& inputs) const override;

 private:
  i64 fill_slot(const Example& example, i64 first, RowInputs& inputs) const;
  Options options_;
};

/// The graph of a step; not movable (executors point into it). The objective outlives it.
struct TrainGraph {
  struct Options {
    i64 slots = 0;
    i64 seq_len = 0;
    /// Parameter gradients accumulate into the bound gradient slab.
    bool backward = true;
    model::BuildOptions build;
  };
  TrainGraph(const model::ModelCfg& cfg, const model::ModelParams& params,
             const Objective& objective, const Options& options);
  TrainGraph(const TrainGraph&) = delete;
  TrainGraph& operator=(const TrainGraph&) = delete;

  Graph graph;
  model::GraphModel model;
  RowInputs inputs;
  LossValues loss;
};

}  // namespace lm::train
