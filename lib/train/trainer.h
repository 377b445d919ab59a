#pragma once
// One optimizer step: micro-batches through the graph, gradients summed in the flat slab, the mean
// over all targets of all micro-batches and ranks, clipping, AdamW. Nothing here touches files.
// The bits of a step depend on weights, moments, batch, micro-batch and seed, not on threads.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "comm/comm.h"
#include "core/context.h"
#include "graph/exec.h"
#include "model/build.h"
#include "model/checkpoint.h"
#include "train/muon.h"
#include "train/objective_table.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace lm::train {

enum class OnNonFinite : u8 { kStop, kSkip };

struct TrainOptions {
  i64 seq_len = 0;
  i64 micro_batch = 1;  // sequences that go through the graph at once
  i64 batch = 1;        // sequences per step, a multiple of micro_batch * ranks
  ObjectiveOptions objective = {};
  Schedule schedule;
  AdamWOptions adamw;
  bool muon = false;  // of the layers' matrices, with AdamW's learning rate and decay
  f64 muon_momentum = 0.95;
  f64 clip = 1.0;  // 0: off
  f32 dropout = 0;
  RouterOptions routers;
  model::MoeTraining moe;
  CheckpointPolicy recompute;
  u64 seed = 0;
  OnNonFinite on_non_finite = OnNonFinite::kStop;
  DType activation = DType::kF32;  // bf16: kernels read bf16 copies of f32 weights
  bool check_nan = false;
  bool profile = false;
  std::string dump_node;  // a value's name: it is written at the first micro-batch
  std::string dump_path;  // ... to this safetensors file
};

/// After so many skipped steps in a row the run ends under OnNonFinite::kSkip too.
inline constexpr i64 kMostSkips = 10;

struct StepResult {
  bool stopped = false;  // a stop was asked for; nothing has changed
  bool skipped = false;  // loss or gradient was not finite; nothing has changed
  f64 loss = 0;          // nats per target, with z-loss and smoothing where asked for; per pair or
                         // sequence, as the objective says
  f64 loss_sum = 0;
  i64 targets = 0;                                   // or pairs, or sequences
  std::vector<std::pair<std::string, f64>> metrics;  // of the objective; NaN where nothing counts
  std::vector<std::pair<std::string, std::vector<f64>>> layers;  // of each mixture of experts
  f64 grad_norm = 0;                                             // before clipping
  f64 lr = 0;
};

/// Counters that a checkpoint keeps.
struct TrainCounters {
  i64 step = 0;     // steps done, skipped ones included
  i64 updates = 0;  // updates of the weights: AdamW's t
  i64 tokens = 0;   // input tokens seen
  i64 skipped = 0;
  i64 skipped_in_row = 0;
};

/// The graph of a training step. Throws Error{kUsage} for sequences longer than a learned position
/// table.
TrainGraph::Options graph_options(const model::ModelCfg& cfg, const TrainOptions& options);
/// The same without gradients: of Objective::before(), and of evaluation.
TrainGraph::Options forward_options(const model::ModelCfg& cfg, const TrainOptions& options);

/// The parameters that AdamW leaves to Muon.
std::vector<i32> muon_params(const model::ModelCfg& cfg, const ParamSet& set,
                             const TrainOptions& options);

/// FLOPs per token of forward and backward that count as useful: 6 P + 6 L (q size) T, P the
/// parameters of matrix products (a tied embedding once, as the head); a window sees fewer keys.
/// Beside adapters the model's own P count 4 P, since they have no gradient, and the adapters' 6.
f64 useful_flops_per_token(const model::ModelCfg& cfg, i64 seq_len);
/// The same of an objective: T is Objective::seen_rows, and a token may stand in several rows.
f64 useful_flops_per_token(const model::ModelCfg& cfg, const Objective& objective, i64 seq_len);

class Trainer {
 public:
  /// model, comm, ctx and backend outlive this. Plans and allocates (Error{kOs} when memory is
  /// short). On the CPU the model's own slab is trained; on a device a copy of it, which fetch()
  /// brings back. Several ranks need host memory (LM_CHECK).
  Trainer(model::Model& model, const TrainOptions& options, comm::Comm& comm, const Context& ctx,
          const Backend& backend);

  /// Takes options.batch examples. Throws Error{kData} naming the step when loss or gradient norm
  /// is not finite and the policy says stop, or after kMostSkips skips; weights and moments are
  /// then as before the step.
  StepResult step(std::span<const Example> batch);
  /// Several updates as one step, a batch each, with a learning rate for all; loss and metrics are
  /// their means. A stop request drops the step before its first update and waits for its end
  /// behind. Throws as step(); weights are then as the updates before left them.
  StepResult step_of(std::span<const Examples> updates);

  /// Brings all moments to rank 0, for a checkpoint. A collective call.
  void gather_moments();
  /// Gives every rank the weights and its part of the moments that rank 0 has. A collective call.
  void share_state();

  /// What is trained lies in the model's weights and the optimizer's moments.
  bool on_host() const { return backend_.device == Device{}; }
  /// Copies weights and moments into host slabs of the same parameters.
  void fetch(ParamSlab& weights, ParamSlab& m, ParamSlab& v) const;
  /// Takes the model's weights, where they were changed.
  void take_weights();
  /// Takes the slab of activations. Throws Error{kOs} with what would need less.
  std::unique_ptr<Executor> make_executor(const Graph& graph, const ExecOptions& exec) const;
  /// What kernels read: f32 weights, or their bf16 copy.
  const ParamSlab& compute_weights() const;
  const Backend& backend() const { return backend_; }

  TrainCounters counters;
  AdamW& optimizer() { return optimizer_; }
  const AdamW& optimizer() const { return optimizer_; }
  const model::Model& model() const { return model_; }
  const TrainOptions& options() const { return options_; }
  const Objective& objective() const { return *objective_; }
  /// Tokens of a step, padding included.
  i64 step_tokens() const;
  comm::Comm& comm() const { return comm_; }
  Log& log() const { return *ctx_.log; }
  const Executor& executor() const { return *executor_; }
  i64 slab_bytes() const { return executor_->plan().slab_bytes; }

 private:
  ParamSlab& master() { return on_host() ? model_.weights : master_; }
  const ParamSlab& master() const { return on_host() ? model_.weights : master_; }
  void run_graph(const RunCtx& run);
  /// Of a step whose `before_micro` first micro-batches other updates had; heeded: stop requests
  /// are.
  StepResult update(std::span<const Example> batch, i64 before_micro = 0, bool heeded = true);
  /// The part of a step's batch that micro-batch `round` of this rank is.
  std::span<const Example> part(std::span<const Example> batch, i64 round) const;
  i64 number(i64 round) const { return round * comm_.size() + comm_.rank(); }
  /// The mean of Objective::before(); nothing when a stop was asked for. A collective call.
  std::optional<f64> mean_before(std::span<const Example> batch);
  [[noreturn]] void fail_step(const StepResult& result) const;

  model::Model& model_;
  TrainOptions options_;
  comm::Comm& comm_;
  const Context& ctx_;
  const Backend& backend_;
  ParamSlab master_;  // f32 weights, unless they are the model's
  ParamSlab half_;    // their bf16 copy, with bf16 activations
  ParamSlab grads_;
  AdamW optimizer_;
  std::unique_ptr<Muon> muon_;
  std::unique_ptr<Objective> objective_;
  std::unique_ptr<TrainGraph> graph_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<TrainGraph> before_;  // of Objective::before(), or null
  std::unique_ptr<Executor> before_executor_;
  Executor::Hook dump_;  // until it has run
};

}  // namespace lm::train
