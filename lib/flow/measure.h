#pragma once
// Calibration and its proof: single calls over sizes of pieces on one half of the instances
// (those of even numbers), whole runs on the other half, predictions beside them. Calls run one
// after the other, so that each has a time of its own.

#include <functional>
#include <vector>

#include "answer/answer.h"
#include "flow/predict.h"

namespace lm::flow {

struct MeasureOptions {
  Problem problem = Problem::kCount;
  std::function<Graph(i64 m)> graph;  // with pieces of this size
  i64 trials = 20;                    // instances of each kind and size
  u64 seed = 0;
  bool target = true;  // check: instances have what is asked for
  /// Seconds of a call by its tokens, or by the clock if there is no such model.
  std::optional<CostModel> call_time;
  std::function<f64()> clock;
  MemoryBudget* memory = nullptr;                   // values are charged there; null: nowhere
  std::function<void(i64 done, i64 all)> progress;  // instances
};

/// Throws Error{kData} when a call fails, naming the instance, and Error{kUsage} for sizes without
/// room for a target.
Calibration calibrate(answer::Answerer& answerer, const std::vector<i64>& sizes,
                      const MeasureOptions& options);

/// Instances of even numbers calibrate, those of odd numbers check.
inline i64 calibration_number(i64 trial) {
  return 2 * trial;
}
inline i64 check_number(i64 trial) {
  return 2 * trial + 1;
}

/// What instances of a length came to: means.
struct Measured {
  f64 calls = 0;
  f64 prefill = 0;
  f64 decode = 0;
  f64 latency = 0;
  f64 latency_p = 0;
  f64 error = 0;
};

struct CheckCell {
  i64 n = 0;
  i64 m = 0;
  i64 p = 1;
  Prediction predicted = {};
  Measured measured = {};
  bool calls_exact = false;
  bool prefill_exact = false;  // of the calls whose prompts no reply shapes: of each alone
  bool decode_inside = false;
  bool latency_near = false;  // within 10 % of both latencies
  bool error_inside = false;
};

struct CheckOptions {
  std::vector<i64> lengths = {};
  std::vector<i64> sizes = {};
  std::vector<i64> workers = {};
  PredictOptions predict = {};
  f64 latency_tolerance = 0.1;
  f64 error_share = 0.9;  // of cells, whose error must lie in its interval
};

struct CheckResult {
  std::vector<CheckCell> cells;
  bool calls = true;  // exact in all cells
  bool prefill = true;
  bool latency = true;  // near in all cells
  f64 error_share = 0;  // of (n, m) inside the interval
  f64 decode_share = 0;
  bool error = true;
  bool all() const { return calls && prefill && latency && error; }
};

/// Runs the instances of every length with pieces of every size, and predicts the same.
CheckResult check(answer::Answerer& answerer, const Calibration& calibration,
                  const CheckOptions& cells, const MeasureOptions& options);

/// Both of them: calibrating calls and runs take turns, so that times of both are of the same
/// machine, whatever its speed does meanwhile. options.trials: of each cell. What was calibrated is
/// what calibrate() with calibrating_trials gives, but for the clock.
CheckResult calibrate_and_check(answer::Answerer& answerer, const std::vector<i64>& sizes,
                                i64 calibrating_trials, const CheckOptions& cells,
                                const MeasureOptions& options, Calibration& calibration);

/// The planned records of check()'s instances.
std::vector<PlannedRecord> plan_instances(const Graph& graph, i64 length,
                                          const MeasureOptions& options, const CountTokens& count);

}  // namespace lm::flow
