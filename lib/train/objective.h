#pragma once
// What is learnt: an objective turns examples into rows of a graph, and the graph's hidden states
// into a loss. Trainer, evaluation and plans know nothing else of it.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/build.h"
#include "train/example.h"
#include "train/router_loss.h"

namespace lm::train {

/// The inputs of a micro-batch: `slots` examples of up to slot_rows rows, as values of a graph and
/// as the host memory that they are set from. Row r of slot s is number s * slot_rows + r.
class RowInputs {
 public:
  RowInputs(i64 slots, i64 slot_rows);

  /// Adds the inputs to a graph: tokens, positions, targets i32 [N], spans i32 [N, 6].
  void declare(Graph& graph);
  /// Adds where the prefix of each row's text ends, i32 [N], for models that read prefixes: it is
  /// these that prefix() then sets, and rows see what is before them as ever.
  Value declare_prefixes(Graph& graph);
  /// Adds f32 [N] weights of rows, for objectives that want them.
  Value declare_weights(Graph& graph);
  /// Adds f32 [count] numbers, or i32 [count] indices, of an objective's own.
  Value declare_numbers(Graph& graph, std::string_view name, i64 count);
  Value declare_indices(Graph& graph, std::string_view name, i64 count);
  /// Adds an f32 [rows, cols] matrix that stays as it is; data outlives the runs.
  Value declare_table(Graph& graph, std::string_view name, i64 rows, i64 cols, const f32* data);

  i64 slots() const { return slots_; }
  i64 slot_rows() const { return slot_rows_; }
  i64 rows() const { return slots_ * slot_rows_; }
  /// The memory of what was declared under that name; empty where nothing was.
  std::span<f32> numbers(std::string_view name);
  std::span<i32> indices(std::string_view name);
  /// Rows without token, target or anything to see; weights 1, numbers 0, indices -1.
  void clear();
  /// Rows [first, first + count) are a document: each sees those before it and itself.
  void document(i64 first, i64 count);
  /// The first `count` rows of a document at row `first` are its prefix: they see each other.
  void prefix(i64 first, i64 count);
  /// A document for block diffusion: `count` noisy rows from `noisy` on and as many clean ones from
  /// `clean` on, in blocks of `block` (noisy_span, clean_span in ops/rows.h).
  void blocks(i64 noisy, i64 clean, i64 count, i64 block);
  /// Hands the memory to a graph that declared these inputs. The memory stays in place.
  void set(Executor& executor);

  Value token_value, position_value, span_value, target_value, weight_value, prefix_value;
  std::vector<i32> tokens, positions, targets;  // [N]
  std::vector<RowSpan> spans;                   // [N]
  std::vector<f32> weights;                     // [N], or empty
  std::vector<i32> prefix_ends;                 // [N], or empty

 private:
  template <typename T>
  struct Own {
    std::string name;
    Value value;
    std::vector<T> data;
  };
  i64 slots_;
  i64 slot_rows_;
  std::vector<Own<f32>> numbers_;
  std::vector<Own<i32>> indices_;
  struct Table {
    Value value;
    Tensor data;
  };
  std::vector<Table> tables_;
  bool tables_set_ = false;
};

/// A figure of the metrics log: the sum over a step, divided by the sum of weights.
struct LossMetric {
  std::string name;
  Value sum;     // [1]
  Value weight;  // [1]; absent: the normaliser
};

/// What a graph's loss consists of.
struct LossValues {
  Value sum;   // [1], nats: what is minimised, times the normaliser
  Value rows;  // [N], nats; absent where the loss is not made of them
  std::vector<LossMetric> metrics;
  std::vector<Value> measures = {};  // [N] each, of objectives that only measure
};

/// Keys of random choices. A draw is a function of these, an example's number and a purpose, so
/// that it depends neither on threads nor on how a batch is divided.
struct FillCtx {
  u64 seed = 0;
  u32 step = 0;
  u32 micro_step = 0;
  f64 before = 0;  // the mean that Objective::before() gives for this step
};

class Objective {
 public:
  virtual ~Objective() = default;
  /// The most tokens a sequence may have.
  virtual i64 tokens_per_sequence(i64 seq_len) const = 0;
  /// Rows of a slot.
  virtual i64 slot_rows(i64 seq_len) const { return seq_len; }
  /// Tokens of text that they are, which steps and plans count.
  virtual i64 slot_tokens(i64 seq_len) const { return slot_rows(seq_len); }
  /// Twice the rows that a row sees on average, for plans: of causal rows those of their sequence.
  virtual i64 seen_rows(i64 seq_len) const { return seq_len; }
  /// How much of a slot's room a record takes, whose sequences have so many tokens; records that
  /// fit together share a slot; more than a slot has: all of it.
  virtual i64 room_of(std::span<const i64> lengths) const;
  virtual i64 slot_room(i64 seq_len) const { return tokens_per_sequence(seq_len); }
  /// Tokens of an example that are read.
  virtual i64 tokens_read(const Example& example) const;
  /// Whether the loss is the cross entropy of RowInputs::targets, whose bytes bits divide by.
  virtual bool is_cross_entropy() const { return false; }
  /// Bytes of tables that it holds beside the model and the step, of so many slots.
  virtual i64 table_bytes(i64 /*slots*/) const { return 0; }
  /// What runs forward over all micro-batches of a step before the step itself, or null: the mean
  /// over its normaliser is FillCtx::before.
  virtual const Objective* before() const { return nullptr; }
  /// Adds the loss to a graph whose inputs are declared.
  virtual LossValues build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const = 0;
  /// Fills all rows from up to inputs.slots() examples; slots without one stay clear. Returns what
  /// these add to the normaliser of the step's loss: targets, pairs, sequences.
  virtual f64 fill(std::span<const Example> examples, const FillCtx& ctx,
                   RowInputs& inputs) const = 0;
};

/// The graph of a step; not movable (executors point into it). The objective outlives it.
struct TrainGraph {
  struct Options {
    i64 slots = 0;
    i64 seq_len = 0;  // rows of a sequence at most
    /// Parameter gradients accumulate into the bound gradient slab.
    bool backward = true;
    model::BuildOptions build;
    RouterOptions routers;  // of mixtures of experts, where there are gradients
  };
  TrainGraph(const model::ModelCfg& cfg, const model::ModelParams& params,
             const Objective& objective, const Options& options);
  TrainGraph(const TrainGraph&) = delete;
  TrainGraph& operator=(const TrainGraph&) = delete;

  /// Says what the rows that were filled add to the normaliser, before they are set.
  void weigh(f64 share);

  Graph graph;
  model::GraphModel model;
  RowInputs inputs;
  LossValues loss;
  RouterTerms routers;
};

}  // namespace lm::train
