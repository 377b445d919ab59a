#pragma once
// What a run would take, without running: parameters, memory, arithmetic, steps, time.

#include <string>

#include "model/config.h"
#include "train/trainer.h"

namespace lm::train {

struct PlanInputs {
  i64 steps = 0;
  i64 data_tokens = 0;   // of the training shards, 0: a stream
  i64 samples = 0;       // sequences in them
  f64 epochs = 0;        // passes over them
  i64 ranks = 1;         // processes that share a step
  f64 peak_flops = 0;    // calibrated, of all ranks
  i64 memory_bytes = 0;  // what the machine grants a rank, 0: unknown
};

/// A text table; builds and plans the graph, allocates no slab. Throws as graph_options.
std::string plan_text(const model::ModelCfg& cfg, const TrainOptions& options,
                      const Backend& backend, const PlanInputs& inputs);

/// What limit_bytes leave of the backend's memory, for one of `ranks` processes beside weights,
/// gradients, moments and the step slab. Throws Error{kOs} if these exceed it: names the largest
/// values and, found by planning again, the least change of micro-batch or recompute policy that
/// fits. Builds and plans graphs, allocates no slab.
i64 check_memory(const model::ModelCfg& cfg, const TrainOptions& options, const Backend& backend,
                 i64 limit_bytes, i64 ranks = 1);

/// Per operator: calls, seconds, share of the time, GFLOP/s, percent of peak, GB/s.
std::string profile_text(const std::vector<OpTime>& times, f64 peak_flops);

}  // namespace lm::train
