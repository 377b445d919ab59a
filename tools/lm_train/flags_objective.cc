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
           "next-token: documents. sft: completions of prompts. dpo, ipo, hinge: a chosen before a "
           "rejected completion, measured from a reference model; simpo, orpo: without one. kto: "
           "good and bad completions, measured from a reference; unlikelihood: without one. "
           "reward: "
           "a head that scores the chosen completion above the rejected one.",
       .choices = train::objective_names(),
       .semantic = false,
       .main = true},
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
