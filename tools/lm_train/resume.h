#pragma once
// Where a run goes on, and how many steps one of a compute class has.

#include <optional>
#include <string>

#include "ranks.h"
#include "train.h"

namespace lm::train_tool {

/// Where a run goes on: what rank 0 found in the folder, on every rank.
struct Resume {
  std::string from;  // a step folder, empty for a new run
  std::optional<train::TrainState> state;
  bool complete = false;
};

/// Looks into the folder; setup takes over what a continuation keeps. Throws as check_same_run.
Resume find_resume(cli::Tool& tool, Ranks& ranks, const train::RunFolder& folder, Setup& setup);

/// Of a run of a compute class whose throughput is to be measured: takes the steps of the
/// checkpoint in the folder, or measures. folder: null without one. A collective call.
void settle_steps(cli::Tool& tool, Ranks& ranks, const train::RunFolder* folder, Setup& setup);

/// Steps of --compute-class at the throughput that is measured here. A collective call.
i64 measured_steps(cli::Tool& tool, Ranks& ranks, const Setup& setup);

/// Prints the throughput of the setup, and trains nothing. A collective call.
void show_throughput(cli::Tool& tool, Ranks& ranks, const Setup& setup);

}  // namespace lm::train_tool
