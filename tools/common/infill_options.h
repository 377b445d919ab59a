#pragma once
// The lengths of masked spans, of every program that makes rows for infilling.

#include "cli/flags.h"
#include "transform/infill.h"

namespace lm::tool_options {

/// --span-ratio and --span-len.
cli::Flag span_ratio_flag(const std::string& group);
cli::Flag span_length_flag(const std::string& group);

/// What they say. Throws Error{kUsage}.
void read_spans(const cli::Options& options, transform::InfillRules& rules);

}  // namespace lm::tool_options
