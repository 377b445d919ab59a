#pragma once
// The parts of lm-train: the option table (flags.cc), from options to a model and its training
// options (setup.cc), what identifies a run (params.cc), from there to a run (run.cc).

#include <optional>
#include <string>
#include <vector>

#include "cli/tool.h"
#include "model/checkpoint.h"
#include "train/data.h"
#include "train/run.h"

namespace lm::train_tool {

/// The options of the program.
std::vector<cli::Flag> all_flags();

void run(cli::Tool& tool);

/// Everything the options and the data's manifests say, before any weight exists.
struct Setup {
  bool stream = false;  // documents come as records
  std::optional<train::ShardSource> shards;
  std::optional<model::Model> initial;               // --init-from
  std::optional<text::TokenizerIdentity> tokenizer;  // of the shards, else of --tokenizer
  model::ModelCfg cfg;
  train::TrainOptions train;
  train::RunOptions run;
};

/// Reads options, opens shards, decides shape and steps. Throws Error naming options and files.
Setup make_setup(cli::Tool& tool);

/// PREFIX or PREFIX.json as the name of the manifest.
std::string shard_name(const std::string& given);
/// What must agree between a run and its continuation: options that shape weights, and digests.
train::RunParams run_params(const cli::Tool& tool, const Setup& setup);
/// The beginning of training.json: params and data, as an object that is left open.
std::string training_head(const train::RunParams& params, const Setup& setup);

}  // namespace lm::train_tool
