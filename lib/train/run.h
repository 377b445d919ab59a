#pragma once
// A run: steps until the last one, metrics, evaluation, checkpoints, stop requests. The caller
// feeds batches (from shards or from a stream) and says where the data stands.

#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/checkpointer.h"
#include "train/evaluate.h"
#include "train/metrics.h"
#include "train/run_folder.h"
#include "train/state.h"
#include "train/trainer.h"

namespace lm::train {

struct RunOptions {
  i64 steps = 1;
  i64 save_every = 0;  // steps; 0: only at the end and on a stop
  i64 keep = 3;        // newest checkpoints that stay; 0: all
  i64 keep_every = 0;  // and those divisible by this
  bool keep_best = false;
  bool save_in_background = false;  // takes checkpoint_copy_bytes
  i64 eval_every = 0;               // steps; 0: only at the end
  i64 log_every = 1;
  std::string metrics_path;  // "-": standard output
  RunParams params;
  std::string training_head;    // start of training.json: "{..." without the closing brace
  std::vector<i32> byte_table;  // bytes per token id, for bits per byte; may be empty
  f64 peak_flops = 0;           // calibrated, of all ranks, 0: unknown
  StateFiles files;
};

class Run {
 public:
  /// All references outlive the run. evaluator may be null. from: the state to go on from, already
  /// loaded into the trainer (load_checkpoint). Every rank has a Run and makes the same calls; rank
  /// 0 writes the files.
  Run(const RunFolder& folder, Trainer& trainer, Evaluator* evaluator, RunOptions options,
      const std::optional<TrainState>& from, const Context& ctx);

  i64 step() const { return trainer_.counters.step; }
  bool finished() const { return trainer_.counters.step >= options_.steps; }
  /// One step with a batch; `after` is the data's position behind it. Logs, evaluates and saves as
  /// due. Throws CommonError{kTemporary} after saving when a stop was asked for; a step that was
  /// under way is dropped and done again by the resumed run.
  void take(std::span<const Example> batch, const DataState& after);
  /// The same with a step of the caller's own, by the trainer. One that says it was stopped has
  /// changed nothing.
  void take(const std::function<StepResult()>& step, const DataState& after);
  /// Last evaluation and checkpoint, `final`. Also after a stream that ended early.
  void finish();
  /// Saves where the run stands and throws CommonError{kTemporary}; for a stop request that finds
  /// no step under way.
  [[noreturn]] void stop();

  const DataState& data() const { return data_; }
  std::optional<f64> last_loss() const { return last_loss_; }
  const std::optional<HeldOutLoss>& last_eval() const { return eval_; }
  /// One line for people; any thread may ask.
  std::string status() const;

 private:
  void take(const std::function<StepResult()>& step, std::span<const Example> batch,
            const DataState& after);
  void log_step(std::span<const Example> batch, const StepResult& result, i64 rows, f64 seconds);
  void evaluate();
  void save(bool best, bool now);
  /// Checkpoints that must not go when the one of `step` is there.
  std::vector<i64> needed(i64 step) const;
  bool writes() const { return trainer_.comm().rank() == 0; }
  /// Whether any rank says so. A collective call.
  bool agreed(bool mine) const;
  bool evaluated() const;  // nothing is to be evaluated at this step any more
  bool evaluation_due() const;
  std::string training_json() const;

  const RunFolder& folder_;
  Trainer& trainer_;
  Evaluator* evaluator_;
  RunOptions options_;
  const Context& ctx_;
  std::optional<MetricsLog> metrics_;  // of the rank that writes
  DataState data_;
  std::optional<HeldOutLoss> eval_;
  std::optional<HeldOutLoss> best_;
  std::optional<f64> last_loss_;
  Checkpointer checkpointer_;
  i64 saved_step_ = -1;
  f64 flops_per_token_ = 0;
  mutable std::mutex status_mutex_;
  std::string status_;
};

}  // namespace lm::train
