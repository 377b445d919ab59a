// The options of lora-extract.

#include "extract.h"

namespace lm::merge_tool {

using cli::FlagKind;

cli::Verb extract_verb() {
  const std::string g = "What to extract";
  return {.name = "lora-extract",
          .summary = "what a fine-tune changed, as a LoRA adapter for its base",
          .flags = {
              {.name = "base",
               .kind = FlagKind::kPath,
               .value_name = "FOLDER",
               .group = g,
               .help = "the model that the other was tuned from",
               .semantic = false,
               .main = true},
              {.name = "rank",
               .letter = 'r',
               .kind = FlagKind::kCount,
               .value_name = "N",
               .group = g,
               .def = "32",
               .help = "rank of the factors, at most",
               .min = 1,
               .max = 65536,
               .main = true},
              {.name = "sv-epsilon",
               .kind = FlagKind::kFloat,
               .value_name = "X",
               .group = g,
               .def = "0",
               .help = "leave out singular values of at most X",
               .min = 0},
              {.name = "include",
               .kind = FlagKind::kString,
               .value_name = "REGEX",
               .group = g,
               .help = "tensors whose names match; default: all matrices of linear layers"},
              {.name = "exclude",
               .kind = FlagKind::kString,
               .value_name = "REGEX",
               .group = g,
               .help = "not those whose names match"},
              {.name = "save-others",
               .kind = FlagKind::kSwitch,
               .group = g,
               .help = "keep other changed tensors whole (modules_to_save)"},
          }};
}

}  // namespace lm::merge_tool
