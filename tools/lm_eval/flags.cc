// The tables of lm-eval.

#include "common/model_options.h"
#include "eval_tool.h"

namespace lm::eval_tool {

namespace {

using cli::Flag;
using cli::FlagKind;

std::vector<Flag> model_flags() {
  return cli::joined(
      {tool_options::folder_flags("Model"), tool_options::model_flags({.special_error = false})});
}

Flag bootstrap_flag() {
  return {.name = "bootstrap",
          .kind = FlagKind::kCount,
          .value_name = "N",
          .group = "Statistics",
          .def = "1000",
          .help = "draws of the intervals, which hold the middle 95 % of them",
          .min = 1,
          .max = 1e6};
}

std::vector<Flag> run_flags() {
  const std::string tasks = "Tasks";
  std::vector<Flag> flags = model_flags();
  for (Flag& flag : flags) {
    if (flag.name != "bos") continue;
    flag.def = "false";
    flag.help = "begin every prompt with the model's begin token, if it has one";
    flag.details = "Off, as harnesses have it: the token stands before empty contexts only.";
  }
  const std::vector<Flag> own = {
      {.name = "replay",
       .kind = FlagKind::kPath,
       .value_name = "FOLDER",
       .group = "Model",
       .help = "take the answers from the samples of an earlier run, not from a model",
       .details = "For other filters and metrics. Samples that answer other prompts are refused.",
       .semantic = false,
       .excludes = {"model", "tokenizer", "bos", "special", "dtype", "batch", "chunk"}},
      {.name = "limit",
       .kind = FlagKind::kFloat,
       .value_name = "N",
       .group = tasks,
       .help = "the first N documents of each task; below 1 a part of them",
       .min = 0,
       .main = true},
      {.name = "num-fewshot",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = tasks,
       .help = "examples before each document, instead of what the task says",
       .min = 0,
       .max = 10000,
       .main = true},
      {.name = "fewshot-seed",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = tasks,
       .def = "1234",
       .help = "which examples are drawn",
       .min = 0},
      {.name = "log-samples",
       .kind = FlagKind::kSwitch,
       .group = tasks,
       .def = "true",
       .help = "write samples_TASK.jsonl.zst beside results.json",
       .main = true},
      {.name = "check",
       .kind = FlagKind::kSwitch,
       .group = tasks,
       .help = "read the task files, say what they hold, evaluate nothing"},
      bootstrap_flag(),
  };
  return cli::joined({flags, own});
}

std::vector<Flag> item_flags() {
  const std::string records = "Records";
  return {
      {.name = "by",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = records,
       .def = "lang",
       .help = "the field with the language",
       .main = true},
      {.name = "id-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = records,
       .def = "id",
       .help = "the field that translations of one text share",
       .main = true},
      {.name = "pivot",
       .kind = FlagKind::kString,
       .value_name = "LANG",
       .group = "Statistics",
       .help = "the language that others are compared with",
       .main = true},
      {.name = "weights",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = "Statistics",
       .help = "a JSON object from languages to their weights, for a weighted mean",
       .semantic = false},
      bootstrap_flag(),
  };
}

std::vector<Flag> parity_flags() {
  std::vector<Flag> flags = {{.name = "tokenizer",
                              .kind = FlagKind::kList,
                              .value_name = "FILE",
                              .group = "Tokenizers",
                              .help = "a tokenizer; may be repeated",
                              .details = "Anything that lm-tokenize reads.",
                              .semantic = false,
                              .main = true},
                             cli::text_field_flag("Records")};
  for (Flag& flag : item_flags()) {
    if (flag.name == "pivot") flag.def = "eng";
    flags.push_back(std::move(flag));
  }
  return flags;
}

std::vector<Flag> languages_flags() {
  const std::string records = "Records";
  const std::vector<Flag> own = {
      {.name = "score-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = records,
       .def = "score",
       .help = "the field with a number, or with true or false",
       .main = true},
      {.name = "lower-is-better",
       .kind = FlagKind::kSwitch,
       .group = records,
       .help = "the worst language is that of the largest score"},
      {.name = "answer-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = records,
       .def = "answer",
       .help = "the field whose equality between languages is agreement",
       .main = true},
      {.name = "scores-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = records,
       .def = "scores",
       .help = "the field with a list of numbers, the candidates' scores, for rank consistency"},
      {.name = "answer-lang-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = records,
       .def = "answer_lang",
       .help = "the field with the language that was answered in, or a list with that of each line",
       .main = true},
  };
  return cli::joined({item_flags(), own});
}

std::vector<Flag> compare_flags() {
  return {{.name = "tasks",
           .kind = FlagKind::kString,
           .value_name = "A,B,...",
           .group = "Tasks",
           .help = "tasks of one folder that ask the same documents: each against the first",
           .details = "As the orders of doc_to_reading are: --tasks t_CQ,t_QCQ,t_CCQ.",
           .main = true},
          bootstrap_flag(),
          {.name = "flips",
           .kind = FlagKind::kCount,
           .value_name = "N",
           .group = "Statistics",
           .def = "10000",
           .help = "random signs of the test for numbers other than 0 and 1",
           .min = 1,
           .max = 1e8}};
}

}  // namespace

cli::ToolSpec make_spec() {
  cli::ToolSpec spec;
  spec.name = "lm-eval";
  spec.summary = "evaluate language models on task files and by language";
  spec.verbs = {
      {.name = "run", .summary = "evaluate a model on task files", .flags = run_flags()},
      {.name = "bpb",
       .summary = "bits per byte of a model by language",
       .flags = cli::joined({model_flags(),
                             tool_options::window_flags("Scoring"),
                             {cli::text_field_flag("Records")},
                             item_flags()}),
       .streams = true},
      {.name = "parity",
       .summary = "tokens by language: against a pivot's, per word, per byte",
       .flags = parity_flags(),
       .streams = true},
      {.name = "languages",
       .summary = "scores, agreement and fidelity by language, from records",
       .flags = languages_flags(),
       .streams = true},
      {.name = "compare",
       .summary = "say whether two runs differ, document by document",
       .flags = compare_flags()},
  };
  spec.examples = {
      {"lm-eval -m model --limit 200 -o out tasks/*.yaml", "results.json and samples in out/"},
      {"lm-eval --replay out tasks/*.yaml", "the same answers through other filters and metrics"},
      {"lm-eval bpb -m model --pivot eng parallel.jsonl.zst", "bits per byte of each language"},
      {"lm-eval parity --tokenizer a/ --tokenizer b/ parallel.jsonl.zst", "two tokenizers"},
      {"lm-eval compare out1 out2", "differences with intervals and p-values"},
      {"lm-eval compare --tasks t_CQ,t_QCQ out", "two ways to ask the same"},
  };
  spec.wide = true;
  spec.streams = false;
  spec.kernels = true;
  spec.see_also = {"lm-decode", "lm-tokenize", "lm-ppl-filter"};
  return spec;
}

}  // namespace lm::eval_tool
