// The options of the steps of lm-merge ablate.

#include "ablate.h"
#include "held_out.h"

namespace lm::merge_tool {

namespace {

using cli::Flag;
using cli::FlagKind;

std::vector<Flag> init_flags() {
  const std::string g = "Units";
  return {
      {.name = "by",
       .kind = FlagKind::kString,
       .value_name = "PATH,...",
       .group = g,
       .help = "fields whose values part the records; without it all are one key",
       .main = true},
      {.name = "unit-tokens",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .help = "cut each key into equal units of about N tokens; default: a unit for each key",
       .min = 1,
       .main = true},
      {.name = "tokenizer",
       .letter = 'm',
       .kind = FlagKind::kPath,
       .value_name = "FOLDER",
       .group = g,
       .help = "of the model that training will start from",
       .semantic = false,
       .main = true},
      cli::text_field_flag(g, false),
      {.name = "valid",
       .kind = FlagKind::kFloat,
       .value_name = "SHARE",
       .group = g,
       .def = "0.05",
       .help = "share of records that is held out to choose by; copies of a text stay together",
       .min = 0,
       .max = 1,
       .main = true},
      {.name = "test",
       .kind = FlagKind::kFloat,
       .value_name = "SHARE",
       .group = g,
       .def = "0.05",
       .help = "share that is held out to report on",
       .min = 0,
       .max = 1},
      {.name = "overlap",
       .kind = FlagKind::kFloat,
       .value_name = "SHARE",
       .group = g,
       .def = "0.5",
       .help = "leave out records of which more than that stands in held-out ones; 1: none",
       .min = 0,
       .max = 1},
      {.name = "overlap-tokens",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "13",
       .help = "tokens of the stretches that --overlap looks for",
       .min = 1,
       .max = 4096},
  };
}

std::vector<Flag> train_flags() {
  const std::string g = "Training";
  return {
      {.name = "seed-model",
       .kind = FlagKind::kPath,
       .value_name = "FOLDER",
       .group = g,
       .help = "the model that all start from",
       .semantic = false,
       .main = true},
      {.name = "steps",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .help = "optimizer steps for a unit; a set of k units takes k times as many",
       .min = 1,
       .main = true},
      {.name = "lr",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .def = "6e-5",
       .help = "constant learning rate: that at which the seed model's training ended",
       .min = 0,
       .max = 100,
       .main = true},
      {.name = "batch",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .help = "sequences per step; default: lm-train's",
       .min = 1},
      {.name = "seq-len",
       .kind = FlagKind::kCount,
       .value_name = "T",
       .group = g,
       .help = "tokens per sequence; default: the model's context",
       .min = 1},
      {.name = "sets",
       .kind = FlagKind::kString,
       .value_name = "pairs|all|FILE",
       .group = g,
       .help = "train on unions of units instead: what ablate saves, to check it",
       .details = "FILE: a JSON array of names of units or keys a line.",
       .main = true},
      {.name = "train-option",
       .kind = FlagKind::kList,
       .value_name = "WORD",
       .group = g,
       .help = "a further word for lm-train; may be repeated"},
      {.name = "jobs",
       .letter = 'j',
       .kind = FlagKind::kInt,
       .value_name = "N",
       .group = g,
       .def = "1",
       .help = "models trained at once, which share --threads",
       .min = 1,
       .max = 1024,
       .semantic = false,
       .main = true},
      {.name = "replace",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "train models anew that were made of other data or with other settings",
       .semantic = false},
  };
}

std::vector<Flag> eval_flags() {
  const std::string g = "Candidates";
  std::vector<Flag> flags = {
      {.name = "sets",
       .kind = FlagKind::kString,
       .value_name = "pairs|all|FILE",
       .group = g,
       .def = "pairs",
       .help = "which sets of units are candidates",
       .details = "FILE: a JSON array of names of units or keys a line; a key is all its units.",
       .main = true},
      {.name = "weights",
       .kind = FlagKind::kChoice,
       .value_name = "WHICH",
       .group = g,
       .def = "tokens",
       .help = "of the models in a mean: their units' token counts, or equal ones",
       .choices = {"tokens", "equal"}},
  };
  return cli::joined({std::move(flags), held_out_flags()});
}

std::vector<Flag> report_flags() {
  const std::string g = "Report";
  return {
      {.name = "truth",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = g,
       .help = "scores of models trained on the sets, where they are not among the scores",
       .main = true},
      {.name = "cost",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "what the answer cost, beside a model for each set",
       .main = true},
      {.name = "allow-mixed-sizes",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "rank sets of different size, by what a line over the size leaves",
       .main = true},
      {.name = "json",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "one JSON object, not tables",
       .main = true},
      {.name = "top",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "20",
       .help = "sets in the table; 0: all",
       .min = 0,
       .excludes = {"json"}},
  };
}

}  // namespace

std::vector<cli::Verb> ablate_verbs() {
  return {
      {.name = "ablate init",
       .summary = "cut records into units to train on, and held-out sets",
       .flags = init_flags(),
       .streams = true},
      {.name = "ablate train",
       .summary = "train a model on each unit (with lm-train)",
       .flags = train_flags(),
       .kernels = true,
       .stateful = true},
      {.name = "ablate eval",
       .summary = "score means of these models on held-out records",
       .flags = eval_flags(),
       .streams = true,
       .kernels = true},
      {.name = "ablate report",
       .summary = "rank sets of units by the scores",
       .flags = report_flags(),
       .streams = true},
  };
}

}  // namespace lm::merge_tool
