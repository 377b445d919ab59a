#pragma once
// The options of sampling, the same in every program that generates.

#include <vector>

#include "cli/tool.h"
#include "decode/model_defaults.h"
#include "decode/params.h"

namespace lm::tool_options {

/// From the parameter table (decode/params.h) and what it does not hold.
std::vector<cli::Flag> sampling_flags();
/// What --model says of sampling, unless --no-model-defaults: noted in the stream's header, said
/// with -v; what is not followed, and options that have no effect beside it, are said once. Throws
/// what read_model_defaults throws.
decode::ModelDefaults model_defaults(cli::Tool& tool);
/// The parameters that a run's options and its seed give. vocab: of the model. defaults: what the
/// model has for options that are not asked for. Throws Error{kUsage}.
decode::SampleParams params_of(const cli::Options& options, u64 seed, i64 vocab,
                               const decode::ModelDefaults& defaults = {});

}  // namespace lm::tool_options
