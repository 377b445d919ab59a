#pragma once
// Options that say how records become prompts.

#include <vector>

#include "cli/flags.h"

namespace lm::decode_tool {

/// --chat --chat-var --date: of both verbs.
std::vector<cli::Flag> chat_flags();
/// --continue-final-message --reply --echo, those of --jrt, --model-defaults: of generate.
std::vector<cli::Flag> prompt_flags();
/// --prefix-mask: of generate and infill.
cli::Flag prefix_mask_flag();
/// --no-model-defaults.
std::vector<cli::Flag> model_defaults_flags();

}  // namespace lm::decode_tool
