#pragma once
// The verbs of lm-merge. Each reads its options from the tool and runs to the end.

#include "cli/tool.h"
#include "merge/folder.h"

namespace lm::merge_tool {

void run_merge(cli::Tool& tool);
/// Of merge, where --upcycle is given; its options.
void run_upcycle(cli::Tool& tool);
std::vector<cli::Flag> upcycle_flags();
void run_soup(cli::Tool& tool);
void run_diff(cli::Tool& tool);

/// What the options of both merge and soup say.
merge::PlanOptions plan_options(const cli::Options& options);
merge::FolderOptions folder_options(const cli::Tool& tool);
merge::EngineOptions engine_options(const cli::Options& options);
/// Of what is read, all that no output may be: a model with its adapter, those of a plan.
/// By its name, before it is opened: what fails then must not write a report over it.
void add_named_input(cli::Tool& tool, const std::string& path);
void add_input_model(cli::Tool& tool, const merge::InputModel& model);
void add_inputs(cli::Tool& tool, const merge::Plan& plan, const merge::Recipe& recipe);

}  // namespace lm::merge_tool
