#pragma once
// Programs with rules over records: their options.

#include <string>
#include <vector>

#include "cli/flags.h"
#include "mix/rules.h"

namespace lm::tool_options {

/// --where --drop --on-missing --allow-missing --lax-attributes.
std::vector<cli::Flag> rule_flags();
mix::OnMissing on_missing(const cli::Options& options);
/// Whole names of --allow-missing. Throws Error{kUsage} for one that names does not have.
std::vector<std::string> allowed_names(const cli::Options& options, const mix::Names& names);

}  // namespace lm::tool_options
