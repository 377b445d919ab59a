#pragma once
// The verbs of lm-merge. Each reads its options from the tool and runs to the end.

#include <string_view>

#include "cli/tool.h"
#include "merge/recipe.h"

namespace lm::merge_tool {

void run_merge(cli::Tool& tool);
void run_diff(cli::Tool& tool);

/// What a verb prints: to --output, which the tool completes, or to standard output.
void print(cli::Tool& tool, std::string_view text);

}  // namespace lm::merge_tool
