// Options of lm-uq sample.

#include <algorithm>

#include "common/held_run.h"
#include "common/model_options.h"
#include "common/sampling_options.h"
#include "uq.h"
#include "uq/similarity.h"

namespace lm::uq_tool {

namespace {

using cli::Flag;
using cli::FlagKind;

/// The options of every program that generates, but for --greedy: samples that are all alike say
/// nothing. There are ten of them if not said otherwise.
std::vector<Flag> drawing_flags() {
  std::vector<Flag> out = tool_options::sampling_flags();
  std::erase_if(out, [](const Flag& flag) { return flag.name == "greedy"; });
  for (Flag& flag : out) {
    if (flag.name == "samples") flag.def = "10";
    if (flag.name == "temperature") flag.help = "divides logits; above 0";
  }
  return out;
}

}  // namespace

std::vector<Flag> sample_flags() {
  const std::string asked = "Questions";
  const std::string truth = "Own judgement";
  const std::string measures = "Further measures";
  const std::vector<std::string> sims(uq::sim_names().begin(),
                                      uq::sim_names().begin() + uq::kTextSims);
  const std::vector<Flag> own = {
      {.name = "answers",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = asked,
       .def = "5",
       .help = "answers to each rewording in perturb",
       .min = 1,
       .max = 65536,
       .main = true},
      {.name = "temperatures",
       .kind = FlagKind::kString,
       .value_name = "T,T,...",
       .group = asked,
       .help = "sample at each of these, one line per record and temperature",
       .details = "What is drawn at one does not depend on the others. eval compares them (tsu).",
       .main = true,
       .excludes = {"temperature", "resume"}},
      {.name = "top-logprobs",
       .kind = FlagKind::kCount,
       .value_name = "K",
       .group = asked,
       .def = "5",
       .help = "keep the K likeliest tokens at each position of the greedy answer",
       .min = 0,
       .max = 1e6},
      {.name = "without-prompt",
       .kind = FlagKind::kSwitch,
       .group = asked,
       .def = "true",
       .help = "also measure how probable the greedy answer is without the prompt (pmi, cpmi)"},
      {.name = "p-true",
       .kind = FlagKind::kSwitch,
       .group = truth,
       .help = "ask the model how probable it is that its greedy answer is true",
       .main = true},
      {.name = "p-true-votes",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = truth,
       .def = "0",
       .help = "sample N answers to that question",
       .min = 0,
       .max = 65536},
      {.name = "p-true-prompt",
       .kind = FlagKind::kString,
       .value_name = "TEXT",
       .group = truth,
       .help = "ask it so; {prompt} and {answer} are put in, True is what is measured",
       .details = "Default: the prompt, the proposed answer, and whether that is true or false, in "
                  "four short lines.",
       .needs = {"p-true|p-true-votes"}},
      {.name = "emb",
       .kind = FlagKind::kString,
       .value_name = "LAYER",
       .group = measures,
       .help = "add the model's state at the last token of the prompt, alone and with each answer",
       .details = "After this layer: a number, last, or middle. For eigenscore, mahalanobis and "
                  "--sim embed. The model is held twice."},
      {.name = "attention",
       .kind = FlagKind::kString,
       .value_name = "NAME,...",
       .group = measures,
       .help =
           "add the attention weights that these scores read: attention_score, rauq, focus, csl",
       .details =
           "Of the greedy answer: on itself at the middle layer, on the token before in the "
           "middle third, on the answer's earlier tokens, and of a question about the answer. "
           "One more pass over prompt and answer, and one over that question. The model is "
           "held once more, with all queries and keys of a text."},
      {.name = "csl-prompt",
       .kind = FlagKind::kString,
       .value_name = "TEXT",
       .group = measures,
       .help = "the question about the answer; {prompt} and {answer} are put in",
       .details = "Default: two examples of right and wrong answers, then this one. What its last "
                  "token looks at in the answer is what csl weighs by.",
       .needs = {"attention"}},
      {.name = "idf",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = measures,
       .help = "texts whose rare tokens weigh more in focus",
       .details = "Records with the text in the field text. Without it all tokens weigh the same.",
       .semantic = false,
       .needs = {"attention"}},
      {.name = "boosted",
       .kind = FlagKind::kSwitch,
       .group = measures,
       .help = "add what boostedprob reads; costs no pass"},
      {.name = "member",
       .kind = FlagKind::kList,
       .value_name = "FOLDER",
       .group = measures,
       .help = "a further model of an ensemble with --model; may be repeated",
       .details = "What all of them hold of the greedy answer's tokens becomes the measures that "
                  "ensemble_... read. All have one tokenizer. One pass of each over prompt and "
                  "answer; --model is held once more."},
      {.name = "relevance",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = measures,
       .help = "add how little an answer without one of its tokens resembles it, by token",
       .details = "For sar and token_sar; compared as --sim of score does.",
       .choices = sims},
  };
  return cli::joined({tool_options::folder_flags("Model"), tool_options::model_flags({}), own,
                      drawing_flags(), tool_options::held_flags()});
}

}  // namespace lm::uq_tool
