// Options of align: its own, and those of train that mean the same here.

#include <algorithm>

#include "align.h"
#include "core/error.h"
#include "lm_train/flags.h"

namespace lm::train_tool {

using cli::Flag;
using cli::FlagKind;

namespace {

/// The named ones of a table, with the groups they have there.
std::vector<Flag> some(const std::vector<Flag>& of, const std::vector<std::string>& names) {
  std::vector<Flag> out;
  for (const std::string& name : names) {
    const auto at =
        std::find_if(of.begin(), of.end(), [&](const Flag& flag) { return flag.name == name; });
    LM_CHECK(at != of.end(), "an option of train");
    out.push_back(*at);
  }
  return out;
}

std::vector<Flag> method_flags() {
  const std::string g = "Method";
  return {
      {.name = "method",
       .kind = FlagKind::kChoice,
       .value_name = "NAME",
       .group = g,
       .def = "grpo",
       .help = "what updates are made of: grpo, rloo, reinforce or ppo",
       .details = "ppo: clipped ratios of tokens, advantages by a value head. reinforce: rewards "
                  "less the mean of the step's others. rloo: less the mean of the same prompt's "
                  "others. grpo: over the spread of the same prompt's.",
       .choices = train::policy_names(),
       .main = true},
      {.name = "batch",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "16",
       .help = "prompts of a step",
       .min = 1,
       .max = 1e6,
       .main = true},
      {.name = "samples",
       .kind = FlagKind::kCount,
       .value_name = "K",
       .group = g,
       .def = "4",
       .help = "completions of a prompt, drawn from the policy as it is",
       .min = 1,
       .max = 1e6,
       .main = true},
      {.name = "max-tokens",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "256",
       .help = "tokens of a completion at most",
       .min = 1,
       .max = 1e6,
       .main = true},
      {.name = "epochs-per-batch",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .help = "passes over a step's completions; default: 4 of ppo, else 1",
       .min = 1,
       .max = 1000},
      {.name = "minibatches",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "1",
       .help = "updates of a pass, each with its part of the completions",
       .min = 1,
       .max = 1e6},
      {.name = "micro-batch",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .help = "sequences that go through the model at once; default: 8, or all",
       .min = 1,
       .max = 1e6,
       .semantic = false},
      {.name = "kl",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .def = "0.05",
       .help = "weight of the divergence from the policy of --init-from",
       .details = "ppo, reinforce and rloo take it off the rewards, grpo adds it to the loss.",
       .min = 0,
       .max = 1e6,
       .main = true},
      {.name = "clip-ratio",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .def = "0.2",
       .help = "how far ratios to the policy that wrote count, and new values from old ones",
       .min = 1e-6,
       .max = 1e6},
      {.name = "value-weight",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .def = "0.1",
       .help = "ppo: weight of the value head's loss",
       .min = 0,
       .max = 1e6,
       .needs = {"method=ppo"}},
      {.name = "gae-lambda",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .def = "0.95",
       .help = "ppo: how much later tokens' surprises count in an advantage",
       .min = 0,
       .max = 1,
       .needs = {"method=ppo"}},
  };
}

std::vector<Flag> reward_flags() {
  const std::string g = "Rewards";
  return {
      {.name = "reward-model",
       .kind = FlagKind::kPath,
       .value_name = "FOLDER",
       .group = g,
       .help = "a model with a head of one score, as --objective reward makes it",
       .semantic = false,
       .main = true},
      {.name = "reward-command",
       .kind = FlagKind::kString,
       .value_name = "COMMAND",
       .group = g,
       .help = "instead: a command that answers each completion with its reward",
       .details = "It runs for the whole run, by sh. For each completion it reads a line, the "
                  "prompt's record with \"completion\" and \"truncated\", and answers with a line, "
                  "a number or an object with \"reward\", without waiting for more; what it "
                  "answers depends on that line alone.",
       .main = true,
       .excludes = {"reward-model"}},
      {.name = "reward-timeout",
       .kind = FlagKind::kCount,
       .value_name = "SECS",
       .group = g,
       .def = "60",
       .help = "seconds that the command has for an answer",
       .min = 1,
       .max = 1e6,
       .semantic = false,
       .needs = {"reward-command"}},
      {.name = "truncation-penalty",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .def = "0",
       .help = "taken off the reward of a completion that came to no end",
       .min = -1e6,
       .max = 1e6},
      {.name = "prompt-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = "Records",
       .def = "prompt",
       .help = "the field with the prompt; PATH_ids has its ids instead"},
  };
}

}  // namespace

std::vector<Flag> align_flags() {
  std::vector<Flag> steps =
      some(optimisation_flags(),
           {"steps", "lr", "schedule", "warmup", "decay-share", "lr-floor", "beta1", "beta2", "eps",
            "weight-decay", "clip", "recompute", "on-nan"});
  for (Flag& flag : steps) {
    if (flag.name == "steps") flag.help = "steps, each of completions and the updates from them";
    if (flag.name == "lr") flag.def = "1e-5";
    if (flag.name == "weight-decay") flag.def = "0";
    if (flag.name == "schedule") flag.def = "constant";
  }
  std::vector<Flag> runs = some(run_flags(), {"save-every", "keep", "keep-every", "resume",
                                              "extend", "metrics", "log-every", "comm"});
  return cli::joined({some(model_flags(), {"init-from", "lora", "tokenizer"}), method_flags(),
                      reward_flags(), steps, runs});
}

}  // namespace lm::train_tool
