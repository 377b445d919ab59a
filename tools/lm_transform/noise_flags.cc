// The options of noise.

#include "common/wordnet_option.h"
#include "transform.h"

namespace lm::transform_tool {

std::vector<cli::Flag> noise_flags() {
  using cli::FlagKind;
  const std::string noise = "Noise";
  const std::string records = "Records";
  return {
      {.name = "noise",
       .kind = FlagKind::kList,
       .value_name = "NAME[:P]",
       .group = noise,
       .help = "what is done, joined by + from left to right; may be repeated: one after the other",
       .details = "typo, keyboard, ocr, case, space, ent_typo, spelling, synonym, swap, drop, "
                  "insert, speech, append_irr, simplify, verbose. P replaces the rate of a name.",
       .main = true},
      {.name = "mark-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = noise,
       .help = "only write the utterance into this field, with <s1>, <s2>, ... for its slots",
       .details = "What a model is to reword, marks and all; --paraphrase-field reads it.",
       .excludes = {"noise", "paraphrase-field"}},
      {.name = "paraphrase-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = noise,
       .help = "before any noise, take the rewording that a model wrote into this field",
       .details = "Its marks become the words of their slots; one that has not every mark once is "
                  "not taken and counted."},
      {.name = "strength",
       .kind = FlagKind::kFloat,
       .value_name = "S",
       .group = noise,
       .def = "1",
       .help = "factor of all rates; 0 changes nothing",
       .min = 0,
       .max = 1000,
       .main = true},
      {.name = "spelling-table",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = noise,
       .help = "more misspellings: lines of a word and, behind tabs, its misspellings",
       .semantic = false},
      tool_options::wordnet_flag(noise),
      {.name = "words-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = records,
       .def = "words",
       .help = "the list of words",
       .main = true},
      {.name = "labels-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = records,
       .def = "labels",
       .help = "the list of their labels: O, B-NAME, I-NAME",
       .main = true},
      cli::text_field_flag(records),
      {.name = "epoch",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = records,
       .def = "0",
       .help = "other numbers draw anew",
       .min = 0,
       .max = 1e9},
      {.name = "log",
       .kind = FlagKind::kSwitch,
       .group = records,
       .def = "true",
       .help = "list the edits in the record, behind those that are there"},
      {.name = "log-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = records,
       .def = "noise",
       .help = "the field that lists them"},
  };
}

}  // namespace lm::transform_tool
