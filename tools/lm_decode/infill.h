#pragma once
// lm-decode infill.

#include <vector>

#include "cli/tool.h"

namespace lm::decode_tool {

std::vector<cli::Flag> infill_flags();
void run_infill(cli::Tool& tool);

}  // namespace lm::decode_tool
