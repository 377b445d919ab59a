#pragma once
// lora-extract: what a fine-tune changed, as a LoRA adapter for its base.

#include "cli/tool.h"

namespace lm::merge_tool {

cli::Verb extract_verb();
void run_extract(cli::Tool& tool);

}  // namespace lm::merge_tool
