#pragma once
// Prompts that a policy answers.

#include <vector>

#include "align/rollout.h"
#include "cli/tool.h"
#include "model/config.h"

namespace lm::train_tool {

/// The tool's records, read to their end and tokenised. Throws Error{kData} without any, Error{kOs}
/// beyond --memory, kTemporary for a stop.
std::vector<align::Prompt> read_prompts(cli::Tool& tool, const text::Tokenizer& tokenizer,
                                        const model::ModelCfg& cfg);

}  // namespace lm::train_tool
