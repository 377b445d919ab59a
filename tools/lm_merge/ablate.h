#pragma once
// The steps of lm-merge ablate: data to units, units to models, means of models to scores, scores
// to an order of sets.

#include <vector>

#include "cli/tool.h"

namespace lm::merge_tool {

/// The verbs "ablate init", "ablate train", "ablate eval" and "ablate report".
std::vector<cli::Verb> ablate_verbs();

void run_ablate_init(cli::Tool& tool);
void run_ablate_train(cli::Tool& tool);
void run_ablate_eval(cli::Tool& tool);
void run_ablate_report(cli::Tool& tool);

}  // namespace lm::merge_tool
