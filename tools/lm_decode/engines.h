#pragma once
// generate by whoever answers (lib/answer): --engine script:, replay: and ngram:, and models whose
// answers --record keeps.

#include <vector>

#include "cli/tool.h"

namespace lm::decode_tool {

/// --engine --record --script-coverage --strict-script.
std::vector<cli::Flag> engine_flags();

/// Whether generate is theirs: false for a model folder alone. Throws Error{kUsage} for an --engine
/// of no known form.
bool by_engine(const cli::Options& options);
/// Throws Error{kUsage} for options that ask for what only a model inside has, by name.
void run_engine(cli::Tool& tool);

}  // namespace lm::decode_tool
