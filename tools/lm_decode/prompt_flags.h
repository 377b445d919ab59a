#pragma once
// Options that say how records become prompts.

#include <vector>

#include "cli/flags.h"
#include "decode/session.h"

namespace lm::decode_tool {

/// --chat --chat-var --date: of both verbs.
std::vector<cli::Flag> chat_flags();
/// --continue-final-message --reply --echo, those of --jrt, --model-defaults: of generate.
std::vector<cli::Flag> prompt_flags();
/// --prefix-mask: of generate and infill.
cli::Flag prefix_mask_flag();
/// --prefix-mode: of generate, and of score, which repeats nothing.
cli::Flag prefix_mode_flag(bool repeats);
/// Whether models that read prefixes have prompts as such. Throws Error{kUsage} where --prefix-mode
/// is of another model, or --prompt-logprobs would see what is behind.
bool reads_prompts(const cli::Options& o, const decode::Session& session);
/// --no-model-defaults.
std::vector<cli::Flag> model_defaults_flags();

}  // namespace lm::decode_tool
