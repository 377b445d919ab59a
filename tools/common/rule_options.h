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
/// The whole name of an attribute that may be missing; where says who allows it. Throws Error{kind}
/// for one that names does not have.
std::string allowed_name(const std::string& given, const mix::Names& names,
                         const std::string& where, ErrorKind kind);
/// Those of --allow-missing.
std::vector<std::string> allowed_names(const cli::Options& options, const mix::Names& names);

}  // namespace lm::tool_options
