// What is learnt, and the numbers of objectives. Not semantic: params.cc adds what an objective
// reads.

#include "lm_train/flags.h"

namespace lm::train_tool {

using cli::Flag;
using cli::FlagKind;

std::vector<Flag> objective_flags() {
  const std::string g = "Objective";
  using train::ObjectiveDef;
  const std::string beta = of_objectives([](const ObjectiveDef& d) { return d.beta > 0; });
  const std::string gamma = of_objectives([](const ObjectiveDef& d) { return d.gamma > 0; });
  const std::string lambda = of_objectives([](const ObjectiveDef& d) { return d.lambda > 0; });
  return {
      {.name = "objective",
       .kind = FlagKind::kChoice,
       .value_name = "NAME",
       .group = g,
       .def = "next-token",
       .help = "what is learnt: documents, completions, preferences",
       .details =
           "next-token: documents; prefix-lm: behind a prefix of drawn length that sees all of "
           "itself. mdlm, llada, bd3: hidden tokens of documents, by a model that sees what is "
           "behind "
           "them too, bd3 in blocks; llada-sft: of completions, padded with end tokens. "
           "sft: completions of prompts. dpo, ipo, hinge: a chosen before a "
           "rejected completion, measured from a reference model; simpo, orpo: without one. kto: "
           "good and bad completions, measured from a reference; unlikelihood: without one. "
           "reward: "
           "a head that scores the chosen completion above the rejected one. classify: a head with "
           "a score for each kind of text.",
       .choices = train::objective_names(),
       .semantic = false,
       .main = true},
      {.name = "loss",
       .kind = FlagKind::kChoice,
       .value_name = "NAME",
       .group = g,
       .def = "ce",
       .help = "of each target: ce, emo, mixce, tvd",
       .details =
           "ce: cross entropy. emo: with the cost of moving the model's distribution to the "
           "target, by "
           "cosines of embeddings. mixce, tvd: cross entropy weighed by the target's probability.",
       .choices = train::token_loss_names(),
       .semantic = false,
       .needs = {"objective=next-token,sft"}},
      {.name = "loss-mix",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .def = "0.5",
       .help = "mixce, tvd: share of cross entropy that is not weighed",
       .min = 0,
       .max = 1,
       .semantic = false,
       .needs = {"loss=mixce,tvd"}},
      {.name = "emo-mode",
       .kind = FlagKind::kChoice,
       .value_name = "N",
       .group = g,
       .def = "1",
       .help = "emo: 1, both at the size of cross entropy; 2, both at the size of the cost",
       .choices = {"1", "2"},
       .semantic = false,
       .needs = {"loss=emo"}},
      {.name = "emo-cost",
       .kind = FlagKind::kString,
       .value_name = "head|fixed:PATH",
       .group = g,
       .def = "head",
       .help = "emo: embeddings of the cost: the head as it is, a file's, or a model's head",
       .details =
           "PATH is a model folder, or a safetensors file with one matrix that has a row for "
           "each id.",
       .semantic = false,
       .needs = {"loss=emo"}},
      {.name = "emo-cap",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .def = "0",
       .help = "emo: the largest ratio that brings the two to one size; 0: none",
       .min = 0,
       .max = 1e6,
       .semantic = false,
       .needs = {"loss=emo"}},
      {.name = "emo-detach-gt",
       .kind = FlagKind::kSwitch,
       .group = g,
       .def = "true",
       .help = "emo: the target's own probability counts in the size of the cost, not in its slope",
       .semantic = false,
       .needs = {"loss=emo"}},
      {.name = "beta",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .help = "weight of log-probabilities; default: 2 of simpo, else 0.1",
       .min = 1e-6,
       .max = 1e6,
       .semantic = false,
       .needs = {beta}},
      {.name = "gamma",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .help = "simpo: the margin that the chosen completion shall have; default 1",
       .min = 0,
       .max = 1e6,
       .semantic = false,
       .needs = {gamma}},
      {.name = "lambda",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .help = "orpo: weight of the odds, default 0.1; reward: of centring, default 0.01",
       .min = 0,
       .max = 1e6,
       .semantic = false,
       .needs = {lambda}},
      {.name = "robust",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "dpo: unbiased where --label-smoothing is the share of wrong pairs",
       .semantic = false,
       .needs = {"objective=dpo", "label-smoothing"}},
      {.name = "desirable-weight",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .def = "1",
       .help = "kto: weight of good completions",
       .min = 0,
       .max = 1e6,
       .semantic = false,
       .needs = {"objective=kto"}},
      {.name = "undesirable-weight",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .def = "1",
       .help = "kto: weight of bad completions",
       .min = 0,
       .max = 1e6,
       .semantic = false,
       .needs = {"objective=kto"}},
      {.name = "alpha",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .def = "1",
       .help = "unlikelihood: weight of bad completions",
       .min = 0,
       .max = 1e6,
       .semantic = false,
       .needs = {"objective=unlikelihood"}},
  };
}

}  // namespace lm::train_tool
