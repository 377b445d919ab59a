#pragma once
// The verbs of lm-transform and what they share.

#include <memory>
#include <string>
#include <vector>

#include "cli/tool.h"
#include "text/tokenizer.h"

namespace lm::transform_tool {

std::vector<cli::Verb> verbs();
/// Those of noise (noise_flags.cc).
std::vector<cli::Flag> noise_flags();

void run_permute(cli::Tool& tool);
void run_infill(cli::Tool& tool);
void run_noise(cli::Tool& tool);

/// The tokenizer of -m, null without; its digest goes into the stream's parameters. What it makes
/// of a text has no special tokens: those that are spelt in it are text.
std::unique_ptr<text::Tokenizer> open_tokenizer(cli::Tool& tool);

/// --meta-field. Throws Error{kUsage} for a path into an object, since --inverse removes the field.
std::string meta_field(const cli::Options& options);

void append_list(std::string& out, std::span<const i32> values);

}  // namespace lm::transform_tool
