#pragma once
// The verbs of lm-synth.

#include <vector>

#include "cli/tool.h"

namespace lm::synth_tool {

std::vector<cli::Flag> task_flags();
std::vector<cli::Flag> check_flags();

void run_task(cli::Tool& tool);
void run_check(cli::Tool& tool);

}  // namespace lm::synth_tool
