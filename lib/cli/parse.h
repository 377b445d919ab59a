#pragma once
// Command line, settings file and environment to Options. Words, verbs and what belongs together
// go through CLI11; messages, exit statuses, help and settings files are ours, since those of CLI11
// 2.1.2 are not what the contract asks for. Only parse.cc includes it (12 s to compile).

#include <string>
#include <vector>

#include "cli/flags.h"

namespace lm::cli {

struct CommandLine {
  std::string verb;
  Options options;
  std::vector<std::string> operands;
  bool short_help = false;  // -h
};

/// Throws Error{kUsage} or Error{kConfig}. environment(name) returns nullptr when unset.
CommandLine parse_command_line(const ToolSpec& spec, const std::vector<std::string>& args,
                               const char* (*environment)(const char*));

/// The resolved settings as a [lm-tool] section with the origin of each value as a comment.
std::string print_config(const ToolSpec& spec, const Options& options);

}  // namespace lm::cli
