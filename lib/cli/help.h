#pragma once
// Everything that is printed about a program, generated from its flag table.

#include <string>

#include "cli/flags.h"

namespace lm::cli {

/// One screen: synopsis, one sentence, examples, the main options.
std::string short_help(const ToolSpec& spec, const std::string& verb);
/// Everything, grouped, with exit status.
std::string long_help(const ToolSpec& spec, const std::string& verb);
/// man: SYNOPSIS, COMMANDS, OPTIONS and EXIT STATUS in mdoc-free roff; bash, zsh, fish completions;
/// json: the flag table.
std::string generate(const ToolSpec& spec, const std::string& what);

}  // namespace lm::cli
