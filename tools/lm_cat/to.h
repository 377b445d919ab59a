#pragma once
// lm-cat --to: outputs of other formats.

#include <vector>

#include "cli/tool.h"

namespace lm::cat_tool {

std::vector<cli::Flag> to_flags();
/// True if the output is no stream of JSON lines.
bool wants_other(const cli::Options& options);
/// Writes the input's records as rows of a Parquet file.
void run_to_parquet(cli::Tool& tool);

}  // namespace lm::cat_tool
