#pragma once
// The metrics file of a run: one JSON object a line, appended whole with one write. A resumed run
// drops the lines beyond its checkpoint first, so that no step appears twice.

#include <optional>
#include <string>

#include "io/atomic_file.h"
#include "io/file.h"
#include "train/evaluate.h"
#include "train/trainer.h"

namespace lm::train {

class MetricsLog {
 public:
  /// path: a file, or "-" for standard output. Lines of steps > resumed_step (0: all) and a cut
  /// last line are removed from an existing file by rewriting it. Throws kCannotCreate, kIo.
  MetricsLog(const std::string& path, i64 resumed_step, const io::OutputOptions& options);
  /// line: JSON without newline. Throws Error{kIo}.
  void append(const std::string& line);

 private:
  std::string path_;
  io::Fd file_;
  int fd_ = 1;
};

/// Speed of one step; of_peak is the share of the calibrated peak that useful FLOPs reached.
struct StepSpeed {
  f64 seconds = 0;
  f64 tokens_per_s = 0;
  f64 of_peak = 0;
};

/// {"step":..,"tokens":..,"loss":..,"bpb":..,"grad_norm":..,"lr":..,"ms":..,"tokens_per_s":..,
/// "mfu":..,"skipped":..}; bpb only when known, the objective's metrics behind it, and lists with
/// a number for each mixture of experts (router_loss.h).
std::string step_line(const TrainCounters& counters, const StepResult& result,
                      const StepSpeed& speed, std::optional<f64> bpb);
/// {"step":..,"tokens":..,"eval_loss":..,"eval_perplexity":..,"eval_bpb":..,"eval_bound":"nelbo",
/// "eval_targets":..}; the bound only where the loss is one.
std::string eval_line(const TrainCounters& counters, const EvalResult& result);

}  // namespace lm::train
