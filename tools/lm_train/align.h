#pragma once
// The verb of lm-train that learns from rewards (lib/align).

#include <vector>

#include "cli/tool.h"

namespace lm::train_tool {

std::vector<cli::Flag> align_flags();

/// align: prompts, a policy and where its rewards come from become a run.
void run_align(cli::Tool& tool);

}  // namespace lm::train_tool
