// Options of lm-synth.

#include "synth.h"

namespace lm::synth_tool {

using cli::Flag;
using cli::FlagKind;

std::vector<Flag> task_flags() {
  return {
      {.name = "task",
       .kind = FlagKind::kString,
       .value_name = "NAME",
       .group = "Task",
       .help = "the task, instead of the first operand; chooses this verb where none is named",
       .semantic = false,
       .main = true},
      {.name = "list",
       .kind = FlagKind::kSwitch,
       .group = "Task",
       .help = "print all tasks, or the one that is named, with their parameters",
       .semantic = false,
       .main = true},
      {.name = "records",
       .letter = 'n',
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = "Task",
       .help = "records; default 1000, or as many as there are if those are fewer",
       .min = 0,
       .max = 1e9,
       .main = true},
      {.name = "set",
       .kind = FlagKind::kList,
       .value_name = "NAME=VALUE",
       .group = "Task",
       .help = "a parameter of the task; may be repeated",
       .semantic = false,
       .main = true},
      {.name = "split",
       .kind = FlagKind::kChoice,
       .value_name = "SPLIT",
       .group = "Task",
       .def = "train",
       .help = "which part of all instances; parts have none in common, whatever the seed",
       .choices = {"train", "valid", "test"},
       .main = true},
      {.name = "shares",
       .kind = FlagKind::kString,
       .value_name = "TRAIN,VALID,TEST",
       .group = "Task",
       .def = "0.8,0.1,0.1",
       .help = "how large the parts are; the same in all runs that belong together"},
      {.name = "form",
       .kind = FlagKind::kString,
       .value_name = "FORM",
       .group = "Task",
       .help = "how records say it; default the task's first",
       .semantic = false,
       .main = true},
      {.name = "distinct",
       .kind = FlagKind::kSwitch,
       .group = "Task",
       .def = "true",
       .help = "no record repeats an earlier one"},
      {.name = "text",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = "Task",
       .help = "cipher: passages of this text instead of a drawn chain's",
       .semantic = false},
  };
}

std::vector<Flag> check_flags() {
  return {
      {.name = "field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = "Check",
       .help = "where solutions are: a text, texts, or objects with text; default completions, "
               "where that is missing completion",
       .main = true},
      {.name = "form",
       .kind = FlagKind::kChoice,
       .value_name = "FORM",
       .group = "Check",
       .def = "any",
       .help = "which form is meant; any: the one that a text has",
       .choices = {"any", "accord", "lists"},
       .main = true},
      {.name = "oracle-stop",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = "Check",
       .help = "beside the rest: take solutions until one is within the share X of opt",
       .details = "The protocol of published figures, which looks at the optimum to stop.",
       .min = 0,
       .max = 100},
  };
}

}  // namespace lm::synth_tool
