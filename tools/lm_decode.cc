// lm-decode: generates text from a language model, and scores text with it.

#include <string_view>

#include "common/held_run.h"
#include "common/model_options.h"
#include "common/sampling_options.h"
#include "lm_decode/constraining.h"
#include "lm_decode/decode.h"
#include "lm_decode/diffusion.h"
#include "lm_decode/drafting.h"
#include "lm_decode/draws.h"
#include "lm_decode/engines.h"
#include "lm_decode/feasible.h"
#include "lm_decode/infill.h"
#include "lm_decode/prompt_flags.h"
#include "lm_decode/router.h"
#include "lm_decode/switching.h"

namespace {

using lm::cli::Flag;
using lm::cli::FlagKind;
using lm::cli::ToolSpec;

std::vector<Flag> adapter_flags() {
  return {{.name = "adapter",
           .kind = FlagKind::kList,
           .value_name = "NAME=FOLDER",
           .group = "Model",
           .help = "an adapter beside the model, which records choose by name; may be repeated",
           .details = "A record's field names an adapter, or several with their weights in an "
                      "object; without it the model is as it is. Records of a batch may differ.",
           .needs = {"model"}},
          {.name = "adapter-field",
           .kind = FlagKind::kString,
           .value_name = "PATH",
           .group = "Model",
           .def = "adapter",
           .help = "the field of records that chooses an adapter",
           .needs = {"adapter"}}};
}

std::vector<Flag> embed_flags() {
  return {{.name = "embed-seed",
           .kind = FlagKind::kCount,
           .value_name = "N",
           .group = "Model",
           .help = "which vectors a model with drawn embeddings runs with",
           .details = "Without it a gaussian model runs with those of 0, a semi one with its "
                      "learned table.",
           .min = 0,
           .needs = {"model"}}};
}

std::vector<Flag> model_flags() {
  return lm::cli::joined({lm::tool_options::folder_flags("Model"), adapter_flags(), embed_flags(),
                          lm::tool_options::model_flags({}), lm::tool_options::held_flags()});
}

std::vector<Flag> generate_flags() {
  const std::string records = "Records";
  const std::vector<Flag> flags = lm::tool_options::sampling_flags();
  const std::vector<Flag> own = {
      {.name = "prompt-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = records,
       .def = "prompt",
       .help = "the field that holds the prompt"},
      {.name = "tokens",
       .kind = FlagKind::kSwitch,
       .group = records,
       .help = "add the tokens' ids"},
      {.name = "logprobs",
       .kind = FlagKind::kSwitch,
       .group = records,
       .help = "add log-probabilities of the tokens"},
      {.name = "top-logprobs",
       .kind = FlagKind::kCount,
       .value_name = "K",
       .group = records,
       .def = "0",
       .help = "add the K likeliest tokens at each position",
       .min = 0,
       .max = 1e6},
      {.name = "logprobs-from",
       .kind = FlagKind::kChoice,
       .value_name = "WHAT",
       .group = records,
       .def = "raw",
       .help = "log-probabilities of the model, or of what was drawn from",
       .choices = {"raw", "processed"},
       .needs = {"logprobs|top-logprobs|prompt-logprobs"}},
      {.name = "prompt-logprobs",
       .kind = FlagKind::kSwitch,
       .group = records,
       .help = "add log-probabilities of the prompt's tokens from the second on"},
      {.name = "flat", .kind = FlagKind::kSwitch, .group = records, .help = "one line per sample"},
      {.name = "dump-prompt",
       .kind = FlagKind::kSwitch,
       .group = records,
       .help = "write prompts and their token ids, generate nothing; weights are not read"},
  };
  using namespace lm::decode_tool;
  return lm::cli::joined({flags, own, router_flags(), chat_flags(), prompt_flags(),
                          model_defaults_flags(), constraint_flags(), feasible_flags(),
                          draft_flags(), switching_flags(), engine_flags(), diffusion_flags()});
}

std::vector<Flag> score_flags() {
  const std::string records = "Records";
  const std::string scoring = "Scoring";
  const std::vector<Flag> text = {{.name = "field",
                                   .kind = FlagKind::kString,
                                   .value_name = "PATH",
                                   .group = records,
                                   .def = "text",
                                   .help = "the field that holds the text",
                                   .main = true}};
  const std::vector<Flag> own = {
      {.name = "boundary",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = scoring,
       .def = "joint",
       .help = "tokenise prompt and completion together or apart",
       .details =
           "joint: the prompt's trailing blanks count as the completion's, then both are one text.",
       .choices = {"joint", "separate"}},
      {.name = "bound",
       .kind = FlagKind::kString,
       .value_name = "HOW",
       .group = scoring,
       .help = "of a model of masked diffusion: nelbo[:DRAWS], tstep:T[:DRAWS] or chain",
       .details =
           "nelbo: the bound of training, by 128 draws; tstep: that of a sampler of T steps, by "
           "8; chain: filling from left to right, a pass for each token, no bound."},
      {.name = "completion-field",
       .kind = FlagKind::kList,
       .value_name = "PATH",
       .group = records,
       .help = "score this field behind the prompt; may be repeated, and gives a list"},
      {.name = "eos",
       .kind = FlagKind::kSwitch,
       .group = scoring,
       .help = "completions end with the end token, added where it is missing"},
      {.name = "per-token",
       .kind = FlagKind::kSwitch,
       .group = records,
       .help = "add ids and log-probabilities of the scored tokens",
       .main = true},
      {.name = "top-logprobs",
       .kind = FlagKind::kCount,
       .value_name = "K",
       .group = records,
       .def = "0",
       .help = "add the K likeliest tokens at each position",
       .min = 0,
       .max = 1e6},
      {.name = "group",
       .kind = FlagKind::kList,
       .value_name = "PATH",
       .group = "Report",
       .help = "sum nats, tokens and bytes by this field in the report; may be repeated",
       .details = "Records without the field are the group \"none\".",
       .semantic = false,
       .needs = {"report"}},
  };
  return lm::cli::joined({text,
                          lm::tool_options::window_flags(scoring),
                          lm::decode_tool::draws_flags(),
                          own,
                          lm::decode_tool::chat_flags(),
                          {lm::decode_tool::prefix_mode_flag(false)}});
}

ToolSpec make_spec() {
  ToolSpec spec;
  spec.name = "lm-decode";
  spec.summary = "generate text from a language model, and score text with it";
  spec.verbs = {{"generate", "continue each record's prompt", generate_flags()},
                {"score", "log-probability of texts, completions or choices", score_flags()},
                {"infill", "fill the holes of documents", lm::decode_tool::infill_flags()}};
  spec.flags = model_flags();
  spec.examples = {
      {"lm-decode -m model --max-tokens 100 prompts.jsonl", "continue each prompt, sampled"},
      {"lm-decode -m model --greedy --stop '\\n\\n' -o out.jsonl.zst prompts.jsonl",
       "the likeliest tokens"},
      {"lm-decode -m model -n 8 --temperature 0.8 --top-p 0.95 --flat in.jsonl",
       "eight samples, one a line"},
      {"lm-decode -m model --reply messages chats.jsonl", "answer messages in the model's format"},
      {"lm-decode --decoder diffusion -m mdlm --steps 32 --length 128 prompts.jsonl",
       "fill 128 places in 32 steps"},
      {"lm-decode infill -m model --format qwen holes.jsonl", "what stands between two texts"},
      {"lm-decode score -m mdlm --bound nelbo docs.jsonl", "a bound of log-probabilities"},
      {"lm-decode score -m model --group source --report r.json docs.jsonl.zst",
       "bits per byte by source"},
  };
  spec.wide = true;
  spec.kernels = true;
  spec.latency = true;
  spec.annotate = true;
  // State goes into --resume FILE; without it a stop signal ends the program at once.
  spec.stateful = true;
  spec.stateful_with = "resume";
  spec.see_also = {"lm-tokenize", "lm-ppl-filter"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "score") return lm::decode_tool::run_score(tool);
    if (tool.verb() == "infill") return lm::decode_tool::run_infill(tool);
    lm::decode_tool::run_generate(tool);
  });
}
