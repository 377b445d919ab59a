// lm-ngram: estimates, asks, converts and describes Kneser-Ney n-gram models.

#include "lm_ngram/ngram.h"

namespace {

using lm::cli::Flag;
using lm::cli::FlagKind;

/// How a record becomes words. unit: the default, or empty when the model decides.
std::vector<Flag> text_flags(const std::string& unit, const std::string& normalise) {
  const std::string g = "Text";
  return {
      {.name = "field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .def = "text",
       .help = "the field that holds the text",
       .main = true,
       .excludes = {"ids-field"}},
      {.name = "unit",
       .kind = FlagKind::kChoice,
       .value_name = "UNIT",
       .group = g,
       .def = unit,
       .help = "a sentence is a line, or the whole text",
       .details = unit.empty()
                      ? "Default: as the model was trained; line for a model that does not say."
                      : "",
       .choices = {"line", "doc"},
       .main = true},
      {.name = "tokenizer",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = g,
       .help = "words are the pieces of this tokenizer, not what stands between blanks",
       .details = "Any tokenizer that lm-tokenize reads. LMNG models remember its digest.",
       .semantic = false,
       .main = true},
      {.name = "ids-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .help = "words are the token ids in this field; a record is one sentence",
       .details = "With --tokenizer the ids are spelt as its pieces, else as decimal numbers.",
       .excludes = {"unit"}},
      {.name = "normalise",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = g,
       .def = normalise,
       .help = "what is done to the text first",
       .details =
           "ccnet: lower case, no accents, digits 0, plain punctuation, as CCNet's models expect.",
       .choices = {"none", "ccnet"}},
  };
}

Flag format_flag() {
  return {.name = "format",
          .kind = FlagKind::kChoice,
          .value_name = "FORM",
          .group = "Model",
          .def = "auto",
          .help = "the form of --output; auto: by suffix, .lmng or else ARPA",
          .choices = {"auto", "arpa", "lmng"}};
}

std::vector<Flag> train_flags() {
  const std::string g = "Model";
  std::vector<Flag> flags = {
      {.name = "order",
       .letter = 'k',
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "5",
       .help = "longest n-gram",
       .min = 1,
       .max = 10,
       .main = true},
      {.name = "prune",
       .kind = FlagKind::kString,
       .value_name = "N,N,...",
       .group = g,
       .help = "leave out n-grams seen at most N times, one N per order from 1; the last serves "
               "the rest",
       .details = "0,0,1 drops trigrams and longer that occur once.",
       .main = true},
      {.name = "discount-fallback",
       .kind = FlagKind::kOptional,
       .value_name = "D1,D2,D3",
       .group = g,
       .help = "discounts for orders whose counts give none",
       .bare = "0.5,1,1.5"},
      {.name = "vocab-limit",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = g,
       .help = "keep n-grams of these words only"},
      {.name = "interpolate-unigrams",
       .kind = FlagKind::kSwitch,
       .group = g,
       .def = "true",
       .help = "mix unigrams with the uniform distribution; off: <unk> gets that mass"},
      {.name = "compat",
       .kind = FlagKind::kChoice,
       .value_name = "PROGRAM",
       .group = g,
       .def = "none",
       .help = "reproduce the statistics of another program",
       .choices = {"none", "kenlm"}},
      {.name = "skip-symbols",
       .kind = FlagKind::kSwitch,
       .group = "Text",
       .help = "leave <s>, </s> and <unk> in the text out; else such records are bad"},
      format_flag(),
  };
  const std::vector<Flag> text = text_flags("line", "none");
  flags.insert(flags.end(), text.begin(), text.end());
  return flags;
}

std::vector<Flag> score_flags() {
  const std::string g = "Scores";
  std::vector<Flag> flags = {
      {.name = "model",
       .letter = 'm',
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = g,
       .help = "ARPA or LMNG model",
       .semantic = false,
       .main = true},
      {.name = "name",
       .kind = FlagKind::kString,
       .value_name = "NAME",
       .group = g,
       .help = "attributes are lm_ppl__NAME__ppl and so on; default: the model's file name",
       .main = true},
      {.name = "per-token",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "add lm_ppl__NAME__token_nll: a span with -log p in nats per word",
       .details = "An empty span after the words of a sentence holds that of its end.",
       .main = true},
  };
  const std::vector<Flag> text = text_flags("", "");
  flags.insert(flags.end(), text.begin(), text.end());
  return flags;
}

std::vector<Flag> convert_flags() {
  std::vector<Flag> flags = {format_flag()};
  for (const Flag& flag : text_flags("", "")) {
    if (flag.name != "field") flags.push_back(flag);
  }
  return flags;
}

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-ngram";
  spec.summary = "estimate, query and convert n-gram language models";
  spec.verbs = {
      {"train", "estimate a model from the text of the records", train_flags()},
      {"score", "add log-likelihood and perplexity to each record", score_flags()},
      {"convert", "write a model in the other form: ARPA or LMNG", convert_flags()},
      {"info", "describe model files as JSON", {}},
  };
  spec.examples = {
      {"lm-ngram train --prune 0,0,1 docs.jsonl.zst -o model.lmng", "a 5-gram model of the words"},
      {"lm-ngram train --tokenizer spm.model --unit doc docs.jsonl.zst -o pieces.lmng",
       "of the pieces of a tokenizer"},
      {"lm-ngram score -m model.lmng new.jsonl.zst -o scored.jsonl.zst",
       "perplexity of each document"},
      {"lm-ngram convert model.lmng -o model.arpa", "for other programs"},
  };
  spec.see_also = {"lm-ppl-filter", "lm-tokenize"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "score") return lm::ngram_tool::run_score(tool);
    if (tool.verb() == "convert") return lm::ngram_tool::run_convert(tool);
    if (tool.verb() == "info") return lm::ngram_tool::run_info(tool);
    return lm::ngram_tool::run_train(tool);
  });
}
