#pragma once
// The verbs of lm-merge. Each reads its options from the tool and runs to the end.

#include <string_view>

#include "cli/tool.h"
#include "merge/folder.h"

namespace lm::merge_tool {

void run_merge(cli::Tool& tool);
void run_soup(cli::Tool& tool);
void run_diff(cli::Tool& tool);

/// What the options of both merge and soup say.
merge::PlanOptions plan_options(const cli::Options& options);
merge::FolderOptions folder_options(const cli::Tool& tool);
merge::EngineOptions engine_options(const cli::Options& options);
void refuse_output_that_is_input(cli::Tool& tool, const std::string& output,
                                 const merge::Plan& plan);

/// What a verb prints: to --output, which the tool completes, or to standard output.
void print(cli::Tool& tool, std::string_view text);

}  // namespace lm::merge_tool
