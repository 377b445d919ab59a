// How records of prompts and completions are read. Not semantic: params.cc adds what an objective
// reads.

#include "lm_train/flags.h"

namespace lm::train_tool {

using cli::Flag;
using cli::FlagKind;

std::vector<Flag> record_flags() {
  const std::string g = "Records";
  using train::ObjectiveDef;
  using train::RecordForm;
  const std::string all =
      of_objectives([](const ObjectiveDef& d) { return d.form != RecordForm::kDocuments; });
  const std::string single = of_objectives([](const ObjectiveDef& d) {
    return d.form == RecordForm::kCompletion || d.form == RecordForm::kLabelled;
  });
  const std::string pairs =
      of_objectives([](const ObjectiveDef& d) { return d.form == RecordForm::kPair; });
  const std::string labels = of_objectives([](const ObjectiveDef& d) {
    return d.form == RecordForm::kLabelled || d.form == RecordForm::kClass;
  });
  const std::string referenced = of_objectives([](const ObjectiveDef& d) { return d.reference; });
  const std::string unreferenced = of_objectives(
      [](const ObjectiveDef& d) { return d.form != RecordForm::kDocuments && !d.reference; });
  return {
      {.name = "loss-on",
       .kind = FlagKind::kChoice,
       .value_name = "WHAT",
       .group = g,
       .def = "completion",
       .help = "sft: targets are the completions, or all tokens",
       .choices = {"completion", "all"},
       .semantic = false,
       .needs = {"objective=sft"}},
      {.name = "prefix-mask",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "sft: tokens of a prompt see all of it, and are no targets",
       .details = "In models with pla layers through these alone (--mixers). "
                  "Of records with ids and a loss mask, prefix_len says how many tokens that are, "
                  "as lm-transform infill writes it.",
       .semantic = false,
       .needs = {"objective=sft"}},
      {.name = "too-long",
       .kind = FlagKind::kChoice,
       .value_name = "WHAT",
       .group = g,
       .def = "fail",
       .help = "a record of more than --seq-len + 1 tokens is a bad one, or cut at its end",
       .choices = {"fail", "truncate"},
       .semantic = false,
       .needs = {unreferenced}},
      {.name = "eos",
       .kind = FlagKind::kSwitch,
       .group = g,
       .def = "true",
       .help = "completions end with the end token, added where it is missing",
       .semantic = false,
       .needs = {all}},
      {.name = "pack",
       .kind = FlagKind::kSwitch,
       .group = g,
       .def = "true",
       .help = "a sequence of a step takes as many records as fit, without seeing each other",
       .details = "--no-pack: one, so that a step has --batch of them.",
       .semantic = false,
       .needs = {all}},
      {.name = "prompt-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .def = "prompt",
       .help = "the field with the prompt; PATH_ids has its ids instead",
       .semantic = false,
       .needs = {all}},
      {.name = "completion-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .def = "completion",
       .help = "the same for the completion",
       .semantic = false,
       .needs = {single}},
      {.name = "chosen-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .def = "chosen",
       .help = "the field with the better completion; PATH_ids has its ids instead",
       .semantic = false,
       .needs = {pairs}},
      {.name = "rejected-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .def = "rejected",
       .help = "the same for the worse one",
       .semantic = false,
       .needs = {pairs}},
      {.name = "margin-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .help = "reward: the field with the margin by which the chosen one is better; without, 0",
       .semantic = false,
       .needs = {"objective=reward"}},
      {.name = "label-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .def = "label",
       .help = "whether the completion is good: true or false, 1 or 0; classify: the kind's name",
       .semantic = false,
       .needs = {labels}},
      {.name = "labels",
       .kind = FlagKind::kString,
       .value_name = "NAME,NAME...",
       .group = g,
       .help = "classify: the kinds that texts are of, in the order of the head's scores",
       .semantic = false,
       .needs = {"objective=classify"}},
      {.name = "mismatched-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .help = "kto: the field with a completion of another prompt, for the divergence from the "
               "reference",
       .details = "PATH_ids has its ids instead. Without it the divergence counts as 0.",
       .semantic = false,
       .needs = {"objective=kto"}},
      {.name = "ref-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .def = "scores",
       .help = "the field with the log-probabilities of the completions in the reference model",
       .details = "A list in the order of the completions: numbers, or what lm-decode score "
                  "writes, whose numbers of tokens are compared.",
       .semantic = false,
       .needs = {referenced}},
  };
}

}  // namespace lm::train_tool
