// Options of infill.

#include "common/sampling_options.h"
#include "infill.h"
#include "prompt_flags.h"
#include "text/infill_format.h"

namespace lm::decode_tool {

using cli::Flag;
using cli::FlagKind;

std::vector<Flag> infill_flags() {
  const std::string g = "Holes";
  std::string names;
  for (const std::string_view name : text::infill_format_names())
    names += (names.empty() ? "" : ", ") + std::string(name);
  const std::vector<Flag> own = {
      {.name = "format",
       .kind = FlagKind::kString,
       .value_name = "NAME|FILE",
       .group = g,
       .def = "codegen2",
       .help = "how documents with holes are laid out: " + names + ", or a JSON file",
       .main = true},
      {.name = "prefix-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .def = "prefix",
       .help = "the field with what stands before the hole"},
      {.name = "suffix-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .def = "suffix",
       .help = "the field with what stands behind it"},
      {.name = "prompt-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .def = "prompt",
       .help = "the field with a document that has <|fill|> in its holes, instead of both"},
      prefix_mask_flag(),
      {.name = "lines",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "0",
       .help = "lines that go into a hole at most; 0: as many as come",
       .min = 0,
       .max = 1e6},
      {.name = "trim-suffix",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "drop an end of a filling that repeats the beginning of what follows",
       .details = "The completion then tells how many bytes, as trimmed."},
      {.name = "truncate-before",
       .kind = FlagKind::kList,
       .value_name = "REGEX",
       .group = g,
       .help = "cut a filling before the first match; may be repeated"},
      {.name = "tokens",
       .kind = FlagKind::kSwitch,
       .group = "Records",
       .help = "add the tokens' ids"},
      {.name = "logprobs",
       .kind = FlagKind::kSwitch,
       .group = "Records",
       .help = "add log-probabilities of the tokens"},
  };
  return cli::joined({tool_options::sampling_flags(), own, model_defaults_flags()});
}

}  // namespace lm::decode_tool
