#pragma once
// A small program's table, shared by the tests of the cli room.

#include <cstring>
#include <string>
#include <vector>

#include "cli/flags.h"
#include "cli/parse.h"

namespace lm::test {

inline cli::ToolSpec two_verbs() {
  using cli::FlagKind;
  cli::ToolSpec spec;
  spec.name = "lm-probe";
  spec.summary = "Probes";
  spec.verbs = {
      {"look",
       "looks",
       {{.name = "depth",
         .letter = 'k',
         .kind = FlagKind::kInt,
         .value_name = "N",
         .group = "Looking",
         .def = "3",
         .help = "how deep",
         .min = 1,
         .max = 9,
         .main = true},
        {.name = "keep",
         .kind = FlagKind::kString,
         .value_name = "RANGE",
         .group = "Looking",
         .help = "what stays",
         .may_be_empty = true},
        {.name = "field",
         .kind = FlagKind::kList,
         .value_name = "PATH",
         .group = "Looking",
         .help = "fields; may be repeated",
         .may_be_empty = true},
        {.name = "note",
         .kind = FlagKind::kOptional,
         .value_name = "TEXT",
         .group = "Looking",
         .help = "notes",
         .bare = "yes",
         .may_be_empty = true},
        {.name = "tidy",
         .kind = FlagKind::kSwitch,
         .group = "Looking",
         .def = "true",
         .help = "tidy up"}}},
      {"leap",
       "leaps",
       {{.name = "height",
         .kind = FlagKind::kFloat,
         .value_name = "M",
         .group = "Leaping",
         .def = "0.5",
         .help = "how high",
         .min = 0}}},
  };
  return spec;
}

inline const char* no_environment(const char*) {
  return nullptr;
}
inline const char* six_threads(const char* name) {
  return std::strcmp(name, "LM_THREADS") == 0 ? "6" : nullptr;
}

inline cli::CommandLine parse(const std::vector<std::string>& args,
                              const char* (*environment)(const char*) = no_environment) {
  static const cli::ToolSpec spec = two_verbs();
  return cli::parse_command_line(spec, args, environment);
}

}  // namespace lm::test
