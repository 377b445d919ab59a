// lm-merge: combines checkpoints, asks means of them which data to train on, shows differences.

#include "lm_merge/ablate.h"
#include "lm_merge/extract.h"
#include "lm_merge/held_out.h"
#include "lm_merge/merge.h"

namespace {

using lm::cli::Flag;
using lm::cli::FlagKind;

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const lm::merge::Method& method : lm::merge::methods())
    names.emplace_back(method.name);
  return names;
}

std::string method_details() {
  std::string text = "The methods: ";
  for (const lm::merge::Method& method : lm::merge::methods()) {
    text += text.ends_with(": ") ? "" : "; ";
    text += std::string(method.name) + ", " + std::string(method.summary);
  }
  return text + ".";
}

// Of whatever makes a model.
std::vector<Flag> tensor_flags() {
  const std::string t = "Tensors";
  return {
      {.name = "include",
       .kind = FlagKind::kString,
       .value_name = "REGEX",
       .group = t,
       .help = "merge tensors whose names match; others are the base's, or the first model's",
       .main = true},
      {.name = "exclude",
       .kind = FlagKind::kString,
       .value_name = "REGEX",
       .group = t,
       .help = "do not merge tensors whose names match"},
      {.name = "missing",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = t,
       .def = "error",
       .help = "a tensor that a model lacks: skip that model, take the base's, take zeros",
       .choices = {"error", "skip", "base", "zero"}},
      {.name = "embed",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = t,
       .def = "error",
       .help = "embeddings of unequal size: common merges the rows and columns that all have",
       .choices = {"error", "common"}},
      {.name = "allow-nonfinite",
       .kind = FlagKind::kSwitch,
       .group = t,
       .help = "infinities and NaN are merged like numbers, not refused"},
      {.name = "out-dtype",
       .kind = FlagKind::kChoice,
       .value_name = "TYPE",
       .group = t,
       .help = "type of the output's weights; default: the recipe's, else the base's",
       .choices = {"f32", "bf16", "f16", "f64"},
       .main = true},
      {.name = "shard-size",
       .kind = FlagKind::kSize,
       .value_name = "SIZE",
       .group = t,
       .def = "5000000000",
       .help = "weights in files of at most that",
       .min = 1,
       .semantic = false},
      {.name = "tile",
       .kind = FlagKind::kSize,
       .value_name = "SIZE",
       .group = "Running",
       .def = "1M",
       .help = "output that a thread makes at once; changes speed and memory only",
       .min = 1,
       .max = 1 << 30,
       .semantic = false},
  };
}

std::vector<Flag> merge_flags() {
  const std::string g = "What to merge";
  return {
      {.name = "method",
       .kind = FlagKind::kChoice,
       .value_name = "METHOD",
       .group = g,
       .help = "how; without it the operand is a recipe",
       .details = method_details(),
       .choices = method_names(),
       .main = true},
      {.name = "base",
       .kind = FlagKind::kPath,
       .value_name = "FOLDER",
       .group = g,
       .help = "the model that the others were tuned from",
       .details = "Its config.json and tokenizer become the output's; the first model's without "
                  "it. Adapters that are named alone go on it.",
       .semantic = false,
       .main = true,
       .needs = {"method"}},
      {.name = "set",
       .kind = FlagKind::kList,
       .value_name = "NAME=VALUE",
       .group = g,
       .help = "a parameter of the whole merge, or the default of one of the models",
       .details = "VALUE,VALUE,... is a gradient over the layers. lm-merge --method METHOD "
                  "--parameters lists them.",
       .main = true,
       .needs = {"method"}},
      {.name = "tokenizer",
       .kind = FlagKind::kString,
       .value_name = "SOURCE",
       .group = g,
       .help = "match rows of embeddings by token: base, union, or the model whose tokens count",
       .details = "By the models' tokenizer.json. union: the base's ids, then what others have "
                  "more. A row that a model lacks is the base's, the only one there is, or the "
                  "mean. Without it rows are matched by number.",
       .semantic = false,
       .main = true,
       .needs = {"method"}},
      {.name = "pad-vocab",
       .kind = FlagKind::kInt,
       .value_name = "N",
       .group = g,
       .def = "1",
       .help = "with --tokenizer, rows up to a multiple of N, of the mean of the others",
       .min = 1,
       .max = 1 << 20,
       .needs = {"tokenizer"}},
      {.name = "parameters",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "print the parameters of --method, or of all methods, and exit",
       .semantic = false,
       .excludes = {"base", "set", "tokenizer", "dry-run", "include", "exclude", "missing", "embed",
                    "allow-nonfinite", "out-dtype", "shard-size", "tile"}},
      {.name = "dry-run",
       .letter = 'n',
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "print what would be done with each tensor as JSON lines; reads headers only",
       .semantic = false,
       .main = true},
  };
}

std::vector<Flag> soup_flags() {
  const std::string g = "What to average";
  constexpr const char* kGreedy = "mode=greedy";
  return {
      {.name = "mode",
       .kind = FlagKind::kChoice,
       .value_name = "MODE",
       .group = g,
       .def = "greedy",
       .help = "which candidates: those that do not make the mean worse, all, the best one",
       .details = "greedy: from the best score on, a candidate stays in the mean unless the score "
                  "becomes worse; k candidates take k + (k - 1) scores. uniform: all, without "
                  "scores. max: the best.",
       .choices = {"greedy", "uniform", "max"},
       .main = true},
      {.name = "score",
       .kind = FlagKind::kString,
       .value_name = "COMMAND",
       .group = g,
       .help = "judges a model: run by the shell with its folder as last word, prints a number",
       .main = true,
       .excludes = {"eval"}},
      {.name = "maximize",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "higher scores are better",
       .main = true,
       .needs = {"score"},
       .excludes = {"minimize"}},
      {.name = "minimize",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "lower scores are better",
       .main = true,
       .needs = {"score|eval"}},
      {.name = "strict",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "a candidate stays only if the score becomes better",
       .needs = {kGreedy}},
      {.name = "rounds",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "1",
       .help = "try those that were left out again, until nobody is taken in or N times",
       .min = 1,
       .max = 1000,
       .needs = {kGreedy}},
      {.name = "weighted",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "search the share of each candidate in steps of 0.1: ten scores each",
       .needs = {kGreedy}},
      {.name = "leave-one-out",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "score the mean without each of its members, too, for soup.json",
       .needs = {"mode=greedy,uniform"}},
      {.name = "base",
       .kind = FlagKind::kPath,
       .value_name = "FOLDER",
       .group = g,
       .help = "config.json and tokenizer are this model's, and adapters go on it",
       .semantic = false},
  };
}

std::vector<Flag> diff_flags() {
  const std::string g = "What to show";
  return {
      {.name = "json",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "JSON lines, not a table",
       .semantic = false,
       .main = true},
      {.name = "all",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "equal tensors, too",
       .semantic = false,
       .main = true},
  };
}

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-merge";
  spec.summary =
      "merge model checkpoints, tensor by tensor; find out by merging which data to train on";
  spec.operands = "RECIPE | MODEL[:WEIGHT][:NAME=VALUE]... | FILE...";
  spec.verbs = {
      {"merge", "make one model of several",
       lm::cli::joined({merge_flags(), lm::merge_tool::upcycle_flags(), tensor_flags()})},
      {"soup", "average those candidates that improve a score",
       lm::cli::joined({soup_flags(), lm::merge_tool::held_out_flags(), tensor_flags()}), false,
       true},
      {"diff", "compare two models; exit 1 if they differ", diff_flags()},
  };
  spec.verbs.push_back(lm::merge_tool::extract_verb());
  for (lm::cli::Verb& step : lm::merge_tool::ablate_verbs())
    spec.verbs.push_back(std::move(step));
  spec.examples = {
      {"lm-merge recipe.yaml -o merged", "a recipe of mergekit, unchanged"},
      {"lm-merge --method linear a:0.7 b:0.3 -o merged", "a weighted mean"},
      {"lm-merge --method ties --base base a:0.5:density=0.7 b:0.5 --set density=0.3 -o merged",
       "task vectors of two fine-tunes, trimmed"},
      {"lm-merge --method slerp --base a b --set t=0,0.5,1 -o merged",
       "from one model in the first layer to another in the last"},
      {"lm-merge --method linear base+adapter -o merged", "a LoRA adapter, merged into its base"},
      {"lm-merge soup --score ./perplexity --minimize a b c -o merged",
       "the mean of fine-tunes, as far as it helps"},
      {"lm-merge soup --eval held-out.jsonl.zst a b c -o merged", "the same by perplexity"},
      {"lm-merge diff a b", "where two models differ"},
      {"lm-merge lora-extract --base base tuned -r 32 -o adapter", "a fine-tune as an adapter"},
      {"lm-merge ablate init --by source --unit-tokens 2M -m seed corpus.jsonl.zst -o units",
       "data to units of equal size, and held-out sets"},
      {"lm-merge ablate train units --seed-model seed --steps 500 -o pool",
       "a model for each unit"},
      {"lm-merge ablate eval pool --sets pairs --eval units/valid/web.jsonl.zst -o "
       "scores.jsonl.zst",
       "the loss of the mean of each two models"},
      {"lm-merge ablate report --cost scores.jsonl.zst", "which units to train on together"},
  };
  spec.wide = true;
  spec.streams = false;
  spec.see_also = {"lm-train", "lm-decode"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "diff") return lm::merge_tool::run_diff(tool);
    if (tool.verb() == "soup") return lm::merge_tool::run_soup(tool);
    if (tool.verb() == "lora-extract") return lm::merge_tool::run_extract(tool);
    if (tool.verb() == "ablate init") return lm::merge_tool::run_ablate_init(tool);
    if (tool.verb() == "ablate train") return lm::merge_tool::run_ablate_train(tool);
    if (tool.verb() == "ablate eval") return lm::merge_tool::run_ablate_eval(tool);
    if (tool.verb() == "ablate report") return lm::merge_tool::run_ablate_report(tool);
    return lm::merge_tool::run_merge(tool);
  });
}
