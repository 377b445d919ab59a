#pragma once
// lm-decode generate --decoder diffusion: texts by models of masked diffusion.

#include <string>
#include <vector>

#include "cli/tool.h"
#include "decode/unmask.h"

namespace lm::decode_tool {

/// --decoder, and what it takes.
std::vector<cli::Flag> diffusion_flags();
/// What they ask for. Throws Error{kUsage} for options that do not go together, and for those of
/// generate that need a text that grows from left to right.
decode::DiffusionRule diffusion_rule(const cli::Options& options);

/// --edlm: a model's folder, and whether given tokens count nothing. Throws Error{kUsage}.
struct EdlmName {
  bool carry_over = false;
  std::string folder;
};
EdlmName edlm_name(const cli::Options& options);

void run_diffusion(cli::Tool& tool);

}  // namespace lm::decode_tool
