#pragma once
// The options of sampling, the same in every program that generates.

#include <vector>

#include "cli/flags.h"
#include "decode/params.h"

namespace lm::tool_options {

/// From the parameter table (decode/params.h) and what it does not hold.
std::vector<cli::Flag> sampling_flags();
/// The parameters that a run's options and its seed give. vocab: of the model. Throws
/// Error{kUsage}.
decode::SampleParams params_of(const cli::Options& options, u64 seed, i64 vocab);

}  // namespace lm::tool_options
