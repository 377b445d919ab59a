#pragma once
// The command line of lm-train for one model of a pool.

#include <string>
#include <vector>

#include "cli/tool.h"

namespace lm::merge_tool {

struct TrainRun {
  std::string program;
  std::string start;                // model folder
  std::vector<std::string> shards;  // manifests
  i64 steps = 0;
  i64 jobs = 1;  // such runs at once, which share threads and memory
  std::string folder, report;
};

/// Throws Error{kUsage} for options that are missing, and for a --train-option that names what
/// ablate train says of every model: it would give other models than those that the pool's names
/// stand for.
void check_train_options(const cli::Options& options);
/// Program and words; rates, sizes and how to run are ablate train's own options.
std::vector<std::string> train_words(const cli::Tool& tool, const TrainRun& run);

}  // namespace lm::merge_tool
