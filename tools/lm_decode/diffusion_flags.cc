// Options of generate --decoder diffusion.

#include <algorithm>

#include "common/engine_options.h"
#include "constraining.h"
#include "core/str.h"
#include "diffusion.h"
#include "drafting.h"
#include "engines.h"
#include "feasible.h"
#include "router.h"
#include "switching.h"

namespace lm::decode_tool {

using cli::Flag;
using cli::FlagKind;
using decode::DiffusionSampler;

namespace {

constexpr const char* kWords = "--decoder diffusion";

/// Beside those of drafts, constraints and the like, which are refused as a whole.
constexpr const char* kLeftToRight[] = {
    "logprobs",          "top-logprobs",     "prompt-logprobs", "logprobs-from",
    "dump-prompt",       "prefix-mask",      "prefix-mode",     "prefix-len",
    "pause-tokens",      "sets-order",       "sets-parallel",   "sets-apart",
    "adapter",           "adapter-field",    "embed-seed",      "repetition-penalty",
    "frequency-penalty", "presence-penalty", "penalty-last-n",  "penalty-scope",
    "no-repeat-ngram",   "dry-multiplier",   "dry-base",        "dry-allowed",
    "dry-breaker"};

}  // namespace

std::vector<Flag> diffusion_flags() {
  const std::string group = "Diffusion";
  const std::string on = "decoder=diffusion";
  const std::string timed = "sampler=ancestral,cached";
  return {
      {.name = "decoder",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = group,
       .def = "next",
       .help =
           "next: token by token, from left to right; diffusion: places are filled in any order",
       .details = "For a model of masked diffusion (lm-train --objective mdlm, llada or bd3).",
       .choices = {"next", "diffusion"}},
      {.name = "sampler",
       .kind = FlagKind::kChoice,
       .value_name = "NAME",
       .group = group,
       .def = "cached",
       .help = "which masked places a step fills",
       .details = "ancestral: each by chance, so that the share of masks falls evenly; cached: the "
                  "same texts, without passes for steps that fill none; confidence: those whose "
                  "token is likeliest; random: as many, by chance; threshold: all whose token has "
                  "the probability of --threshold, at least one.",
       .choices = {"ancestral", "cached", "confidence", "random", "threshold"},
       .needs = {on}},
      {.name = "steps",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = group,
       .help = "steps in which all places are filled; default: one a place",
       .min = 1,
       .max = static_cast<f64>(decode::kMostDiffusionSteps),
       .needs = {on}},
      {.name = "length",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = group,
       .help = "places that are filled, the same as --max-tokens",
       .details = "A text that ends before them is cut there.",
       .min = 0,
       .max = 1e9,
       .needs = {on},
       .excludes = {"max-tokens"}},
      {.name = "block",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = group,
       .def = "0",
       .help = "fill blocks of N places from left to right, sharing the steps; 0: all are one",
       .details = "A model of block diffusion has its own.",
       .min = 0,
       .max = 1e9,
       .needs = {on}},
      {.name = "block-cache",
       .kind = FlagKind::kSwitch,
       .group = group,
       .def = "true",
       .help = "keep what a model of block diffusion has read; does not change results",
       .semantic = false,
       .needs = {on}},
      {.name = "remask",
       .kind = FlagKind::kFloat,
       .value_name = "SIGMA",
       .group = group,
       .def = "0",
       .help = "probability that a step masks a filled place again",
       .details = "As many more are filled, and no step masks more than that allows.",
       .min = 0,
       .max = 1,
       .needs = {on, timed}},
      {.name = "threshold",
       .kind = FlagKind::kFloat,
       .value_name = "TAU",
       .group = group,
       .def = "0.9",
       .help = "probability of a token that fills its place",
       .min = 0,
       .max = 1,
       .needs = {on, "sampler=threshold"}},
      {.name = "final",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = group,
       .def = "argmax",
       .help = "what the last masks become, if steps leave some: the likeliest token or a draw",
       .choices = {"argmax", "sample"},
       .needs = {on, timed}},
      {.name = "guidance",
       .kind = FlagKind::kFloat,
       .value_name = "S",
       .group = group,
       .def = "0",
       .help = "follow the prompt more closely: logits are u + (S + 1)(c - u)",
       .details = "c with the prompt, u with masks in its place: twice the work.",
       .min = 0,
       .max = 1e6,
       .needs = {on}},
      {.name = "edlm",
       .kind = FlagKind::kString,
       .value_name = "KIND:MODEL",
       .group = group,
       .help = "draw several texts and take one by what a left-to-right model says of it",
       .details = "ar:FOLDER: of all of it; coar:FOLDER: of the tokens that are drawn. The weights "
                  "are those that turn the draws into the model's own.",
       .needs = {on, timed}},
      {.name = "edlm-k",
       .kind = FlagKind::kCount,
       .value_name = "K",
       .group = group,
       .def = "8",
       .help = "how many texts",
       .min = 1,
       .max = 65536,
       .needs = {"edlm"}},
      {.name = "edlm-window",
       .kind = FlagKind::kString,
       .value_name = "A:B",
       .group = group,
       .def = "1:0.4",
       .help = "at which shares of masks, from A down to B",
       .needs = {"edlm"}},
      {.name = "edlm-tau",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = group,
       .def = "1",
       .help = "divides the logs of the weights",
       .min = 1e-6,
       .max = 1e6,
       .needs = {"edlm"}},
      {.name = "suffix-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = group,
       .def = "suffix",
       .help = "the field with what stands behind the places, if a record has it",
       .needs = {on}},
  };
}

decode::DiffusionRule diffusion_rule(const cli::Options& options) {
  for (const std::vector<Flag>& flags : {constraint_flags(), feasible_flags(), draft_flags(),
                                         switching_flags(), engine_flags(), router_flags()})
    for (const Flag& flag : flags)
      tool_options::refuse_option(options, flag.name.c_str(), kWords);
  for (const char* const name : kLeftToRight)
    tool_options::refuse_option(options, name, kWords);
  decode::DiffusionRule out;
  const std::string& sampler = options.text("sampler");
  if (sampler == "ancestral") out.sampler = DiffusionSampler::kAncestral;
  if (sampler == "confidence") out.sampler = DiffusionSampler::kConfidence;
  if (sampler == "random") out.sampler = DiffusionSampler::kRandom;
  if (sampler == "threshold") {
    out.sampler = DiffusionSampler::kThreshold;
    tool_options::refuse_option(options, "steps", "--sampler threshold");
  }
  out.steps = options.maybe_integer("steps").value_or(0);
  out.block = options.integer("block");
  out.remask = options.real("remask");
  out.threshold = options.real("threshold");
  out.final_draw = options.text("final") == "sample";
  out.guidance = options.real("guidance");
  if (options.text("edlm").empty()) return out;
  out.candidates = options.integer("edlm-k");
  out.tau = options.real("edlm-tau");
  const std::string& window = options.text("edlm-window");
  const std::size_t colon = std::min(window.find(':'), window.size());
  const std::optional<f64> from = parse_float(window.substr(0, colon));
  const std::optional<f64> to =
      parse_float(std::string_view(window).substr(std::min(colon + 1, window.size())));
  if (!from || !to || *from > 1 || *to < 0 || *from < *to)
    throw Error(ErrorKind::kUsage, cat("--edlm-window ", quote(window),
                                       ": expected A:B with 1 >= A >= B >= 0, as 1:0.4"));
  out.window_begin = *from;
  out.window_end = *to;
  return out;
}

EdlmName edlm_name(const cli::Options& options) {
  const std::string& text = options.text("edlm");
  for (const bool carried : {true, false}) {
    const std::string kind = carried ? "coar:" : "ar:";
    if (text.starts_with(kind) && text.size() > kind.size())
      return {carried, text.substr(kind.size())};
  }
  throw Error(ErrorKind::kUsage,
              cat("--edlm ", quote(text), ": expected ar:FOLDER or coar:FOLDER"));
}

}  // namespace lm::decode_tool
