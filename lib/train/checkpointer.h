#pragma once
// When checkpoints are written: at once, or by a thread of its own from a copy of weights and
// moments while training goes on. Either way they appear in order, each complete before `latest`
// names it.

#include <atomic>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "train/run_folder.h"
#include "train/state.h"

namespace lm::train {

/// A checkpoint and what becomes of the others behind it.
struct CheckpointJob {
  TrainState state;
  StateFiles files;
  bool best = false;  // `best` names it
  i64 keep = 0;       // newest checkpoints that stay, this one included; 0: all
  i64 keep_every = 0;
  std::vector<i64> protect;
};

/// Bytes of the copy that background writing takes.
i64 checkpoint_copy_bytes(const model::ModelParams& params);

class Checkpointer {
 public:
  /// folder and trainer outlive this.
  Checkpointer(const RunFolder& folder, const Trainer& trainer, bool background);
  /// Waits for the one under way; what it fails with is a warning in the log.
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  /// Takes the trainer's weights and moments as they are now. In the background unless `now` is
  /// set, no thread can be made, or the constructor said so. Throws what save_checkpoint throws, of
  /// this one or of the one before.
  void save(const CheckpointJob& job, bool now);
  /// Throws what a finished background write failed with; waits for nothing.
  void check();
  /// The same for the one under way, and waits for it.
  void wait();

 private:
  struct Copy {
    model::Model model;
    ParamSlab m;
    ParamSlab v;
  };
  void write(const CheckpointJob& job, const model::Model& model, const ParamSlab& m,
             const ParamSlab& v) const;
  void copy_state();
  bool start(const CheckpointJob& job);

  const RunFolder& folder_;
  const Trainer& trainer_;
  const bool background_;
  std::unique_ptr<Copy> copy_;
  std::exception_ptr failure_;  // set by the thread before done_
  std::atomic<bool> done_{false};
  std::jthread thread_;
};

}  // namespace lm::train
