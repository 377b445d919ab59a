// lm-ppl-filter: scores documents by perplexity and its kin, selects and sorts them by score.

#include "common/model_options.h"
#include "lm_ppl_filter/filter.h"

namespace {

using lm::cli::Flag;
using lm::cli::FlagKind;
using Flags = std::vector<Flag>;

/// How a model folder scores; named as lm-decode score names them.
Flags folder_flags() {
  const std::string g = "Model folders";
  const Flags own = {
      {.name = "max-tokens",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "8192",
       .help = "score at most N tokens of a text; 0: all of them",
       .min = 0},
      {.name = "probe",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "1",
       .help = "take --max-tokens from N places of a longer text, evenly from its head to its end",
       .min = 1,
       .max = 64},
  };
  return lm::cli::joined(
      {lm::tool_options::window_flags(g), own,
       lm::tool_options::model_flags({.group = g, .batch = "windows", .special_error = false})});
}

Flags scorer_flags() {
  const std::string g = "Scorer";
  return {
      {.name = "model",
       .letter = 'm',
       .kind = FlagKind::kPath,
       .value_name = "MODEL",
       .group = g,
       .help = "perplexity under this model: an ARPA or LMNG file, or a model folder",
       .details = "A folder holds config.json, safetensors and tokenizer files, as lm-train and "
                  "transformers write "
                  "them.",
       .semantic = false,
       .main = true},
      {.name = "zlib",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "deflated size divided by size: low for repetition, high for noise",
       .main = true},
      {.name = "zlib-min-bytes",
       .kind = FlagKind::kSize,
       .value_name = "SIZE",
       .group = g,
       .def = "200",
       .help = "shorter texts have no ratio",
       .min = 1,
       .needs = {"zlib"}},
      {.name = "contrast",
       .kind = FlagKind::kString,
       .value_name = "GOOD,BAD",
       .group = g,
       .help = "mean log-likelihood per token under one model less that under another",
       .details = "Both are what -m takes; files and folders may mix.",
       .semantic = false,
       .main = true},
      {.name = "name",
       .kind = FlagKind::kString,
       .value_name = "NAME",
       .group = g,
       .help = "attributes are lm_ppl__NAME__ppl and so on; default: the name of the model's file "
               "or folder",
       .main = true},
      {.name = "field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .def = "text",
       .help = "the field that holds the text"},
      {.name = "condition",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .help = "model folders: score the text behind the prompt in this field, which is not scored",
       .details = "Both are tokenised as one text, blanks at the prompt's end with what follows. "
                  "Attributes are lm_ppl__NAME_given_PATH__ppl and so on.",
       .main = true,
       .excludes = {"zlib"}},
      {.name = "unit",
       .kind = FlagKind::kChoice,
       .value_name = "UNIT",
       .group = g,
       .help = "n-gram models: a sentence is a line, or the whole document",
       .details = "Default: as the model was trained; doc for a model that does not say.",
       .choices = {"line", "doc"}},
      {.name = "tokenizer",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = g,
       .help = "n-gram models: words are the pieces of this tokenizer",
       .semantic = false},
      {.name = "norm",
       .kind = FlagKind::kChoice,
       .value_name = "UNIT",
       .group = g,
       .def = "tokens",
       .help = "perplexity per token, or per character or byte of the text that they stand for",
       .details = "Per character or byte, models with different tokenizers compare. Attributes are "
                  "then lm_ppl__NAME__ppl_char or __ppl_byte. The report of score has all three of "
                  "the whole stream.",
       .choices = {"tokens", "chars", "bytes"},
       .excludes = {"zlib", "contrast", "ccnet"}},
      {.name = "ccnet",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "n-gram models: normalise text as CCNet does and round perplexities to one decimal"},
  };
}

Flags stored_flags() {
  const std::string g = "Scorer";
  return {
      {.name = "from-attr",
       .kind = FlagKind::kString,
       .value_name = "NAME",
       .group = g,
       .help = "take the score from this attribute instead of computing it",
       .main = true},
      {.name = "group",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = "Selection",
       .help = "judge records with different values of this field apart",
       .details = "Records without the field are the group \"none\".",
       .main = true},
  };
}

Flags table_flags() {
  const std::string g = "Selection";
  return {
      {.name = "cutoffs",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = g,
       .help = "take percentiles from this CSV instead of the data: one pass, no ranking",
       .details = "Rows are percentiles 0 to 100, columns are groups (\"all\" without --group).",
       .semantic = false},
      {.name = "cutoffs-out",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = g,
       .help = "write the percentiles of the data as such a CSV",
       .semantic = false,
       .writes = true},
      {.name = "annotate",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "add the scores to the records as well"},
  };
}

Flags select_flags() {
  const std::string g = "Selection";
  return {
      {.name = "min",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .help = "keep scores of at least X",
       .main = true},
      {.name = "max",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .help = "keep scores of at most X",
       .main = true},
      {.name = "keep-lowest",
       .kind = FlagKind::kFloat,
       .value_name = "F",
       .group = g,
       .help = "keep the fraction F with the lowest scores",
       .min = 0,
       .max = 1,
       .main = true},
      {.name = "keep-highest",
       .kind = FlagKind::kFloat,
       .value_name = "F",
       .group = g,
       .help = "keep the fraction F with the highest scores",
       .min = 0,
       .max = 1,
       .main = true},
      {.name = "percentile",
       .kind = FlagKind::kString,
       .value_name = "LOW,HIGH",
       .group = g,
       .help = "keep scores from one percentile to another, both included",
       .main = true},
  };
}

Flags bucket_flags() {
  const std::string g = "Selection";
  return {
      {.name = "buckets",
       .kind = FlagKind::kString,
       .value_name = "NAME:P,...",
       .group = g,
       .def = "head:30,middle:60,tail:100",
       .help = "buckets and the percentiles at which they end",
       .main = true},
      {.name = "split-output",
       .kind = FlagKind::kString,
       .value_name = "PATTERN",
       .group = g,
       .help = "write one file per bucket; %s in the name stands for it",
       .semantic = false,
       .main = true,
       .excludes = {"output"}},
  };
}

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-ppl-filter";
  spec.summary = "score documents by perplexity, select and sort them by score";
  spec.verbs = {
      {"score", "add scores to each record", lm::cli::joined({scorer_flags(), folder_flags()})},
      {"select", "keep records by limits, fractions or percentiles of their scores",
       lm::cli::joined(
           {scorer_flags(), stored_flags(), folder_flags(), select_flags(), table_flags()})},
      {"bucket", "name each record's bucket in metadata.lm_ppl.bucket",
       lm::cli::joined(
           {scorer_flags(), stored_flags(), folder_flags(), bucket_flags(), table_flags()})},
      {"cutoffs", "write the percentiles of the scores as CSV",
       lm::cli::joined({scorer_flags(), stored_flags(), folder_flags()})},
      {"responses", "rank ways of making answers by how likely a model holds them",
       lm::filter_tool::responses_flags()},
      {"eval", "compare such rankings with what training on each way gave",
       lm::filter_tool::eval_flags()},
  };
  spec.examples = {
      {"lm-ppl-filter -m wiki.lmng docs.jsonl.zst -o scored.jsonl.zst",
       "perplexity of each document"},
      {"lm-ppl-filter select -m wiki.lmng --max 1200 docs.jsonl.zst -o kept.jsonl.zst",
       "a fixed limit, in one pass"},
      {"lm-ppl-filter select --from-attr lm_ppl__wiki__ppl --keep-lowest 0.2 scored.jsonl.zst",
       "the best fifth"},
      {"lm-ppl-filter select -m run/final --max 40 docs.jsonl.zst -o kept.jsonl.zst",
       "under a trained language model"},
      {"lm-ppl-filter select -m run/final --condition prompt --field answer --keep-lowest 0.2 "
       "pairs.jsonl.zst -o kept.jsonl.zst",
       "the fifth of the answers that are likeliest after their prompts"},
      {"lm-ppl-filter bucket -m en.lmng --ccnet --tokenizer en.model --split-output '%s.jsonl.zst' "
       "en.jsonl.zst",
       "head, middle and tail as CCNet has them"},
  };
  for (lm::cli::Verb& verb : spec.verbs)
    verb.kernels = verb.name != "eval";
  spec.see_also = {"lm-ngram", "lm-train", "lm-decode"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "select") return lm::filter_tool::run_select(tool);
    if (tool.verb() == "bucket") return lm::filter_tool::run_bucket(tool);
    if (tool.verb() == "responses") return lm::filter_tool::run_responses(tool);
    if (tool.verb() == "eval") return lm::filter_tool::run_eval(tool);
    if (tool.verb() == "cutoffs") return lm::filter_tool::run_cutoffs(tool);
    lm::filter_tool::run_score(tool);
  });
}
