#pragma once
// The verbs of lm-decode.

#include "cli/tool.h"

namespace lm::decode_tool {

void run_generate(cli::Tool& tool);
void run_dump(cli::Tool& tool);  // generate --dump-prompt
void run_score(cli::Tool& tool);
/// score, where the model has a head for scores.
bool by_reward(const cli::Options& options);
void run_rewards(cli::Tool& tool);
void run_bounds(cli::Tool& tool);  // score --bound

}  // namespace lm::decode_tool
