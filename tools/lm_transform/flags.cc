// The option tables of lm-transform.

#include "common/infill_options.h"
#include "transform.h"

namespace lm::transform_tool {

namespace {

using cli::Flag;
using cli::FlagKind;

const std::string kRecord = "Records";

std::vector<Flag> shared_flags(const std::string& meta, const std::string& what) {
  return {
      cli::text_field_flag(kRecord),
      {.name = "epoch",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = kRecord,
       .def = "0",
       .help = "other numbers draw anew",
       .min = 0,
       .max = 1e9},
      {.name = "meta",
       .kind = FlagKind::kSwitch,
       .group = kRecord,
       .def = "true",
       .help = "say in the record " + what},
      {.name = "meta-field",
       .kind = FlagKind::kString,
       .value_name = "NAME",
       .group = kRecord,
       .def = meta,
       .help = "the field that says it"},
  };
}

Flag inverse_flag(const std::string& help) {
  return {
      .name = "inverse", .kind = FlagKind::kSwitch, .group = kRecord, .help = help, .main = true};
}

Flag ids_flag() {
  return {.name = "ids-field",
          .kind = FlagKind::kString,
          .value_name = "PATH",
          .group = kRecord,
          .def = "input_ids",
          .help = "the field that holds token ids"};
}

Flag tokenizer_flag(const std::string& help, const std::string& details) {
  return {.name = "tokenizer",
          .letter = 'm',
          .kind = FlagKind::kPath,
          .value_name = "FILE",
          .group = kRecord,
          .help = help,
          .details = details,
          .semantic = false,
          .main = true};
}

std::vector<Flag> permute_flags() {
  const std::string units = "Units";
  return {
      {.name = "permute",
       .kind = FlagKind::kString,
       .value_name = "HOW",
       .group = units,
       .def = "chunk",
       .help = "what changes places: chunk, chunk-reverse, ngram:K, token, token-reverse, none",
       .details = "chunk: semantic units. ngram:K: runs of 1 to K tokens of drawn lengths. token: "
                  "single tokens. The -reverse forms have one order, the last first.",
       .main = true},
      {.name = "permute-probs",
       .kind = FlagKind::kString,
       .value_name = "P,P,P",
       .group = units,
       .def = "1,1,1",
       .help = "how often the units of a sentence stay, are reversed, stand in any order",
       .main = true},
      {.name = "orders",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = units,
       .def = "1",
       .help = "write every record so many times, in orders of epochs --epoch, --epoch + 1, ...",
       .min = 1,
       .max = 1e6,
       .main = true,
       .excludes = {"inverse"}},
      {.name = "unique-ids",
       .kind = FlagKind::kSwitch,
       .group = units,
       .help = "copies get ids of their own: ID#1, ID#2, ...",
       .needs = {"orders"}},
      {.name = "chunk-rules",
       .kind = FlagKind::kChoice,
       .value_name = "LANGUAGE",
       .group = units,
       .def = "en",
       .help = "rules that find semantic units where the record says nothing of them",
       .choices = {"en"},
       .excludes = {"chunks-field", "chunk-lm"}},
      {.name = "chunks-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = units,
       .help = "units as the record has them: [[begin,end],...], bytes of the text",
       .main = true},
      {.name = "chunk-lm",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = units,
       .help = "cut where a model was surprised: the field with its surprisals",
       .details =
           "Spans [[begin,end,nats],...] as lm-ngram score --per-token writes them, or the "
           "object with token_ids and logprobs of lm-decode score --per-token, which needs -m. "
           "A unit begins with each word that has a token above mean plus one standard "
           "deviation of the document.",
       .main = true,
       .excludes = {"chunks-field"}},
      {.name = "max-unit",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = units,
       .def = "24",
       .help = "longer units are cut, in tokens: words, or those of -m",
       .min = 1,
       .max = 1e6},
      {.name = "level",
       .kind = FlagKind::kChoice,
       .value_name = "WHAT",
       .group = kRecord,
       .def = "text",
       .help = "permute the text, or the token ids",
       .details = "text: units are joined anew, so that the text tokenises as text does. token: "
                  "ids change places as they are; needs -m.",
       .choices = {"text", "token"}},
      tokenizer_flag("count tokens by this tokenizer; with --level token the one of the ids", ""),
      ids_flag(),
      inverse_flag("undo a permutation by what --meta-field says"),
  };
}

std::vector<Flag> infill_flags() {
  const std::string rows = "Rows";
  return {
      {.name = "format",
       .kind = FlagKind::kString,
       .value_name = "NAME|FILE",
       .group = rows,
       .def = "codegen2",
       .help = "layout and tokens: codegen2, psm, spm, codellama, qwen, deepseek, or a JSON file",
       .details = "codegen2 masks spans of tokens; the others move a middle, cut at any character, "
                  "behind prefix and suffix.",
       .semantic = false,
       .main = true},
      {.name = "infill-rate",
       .kind = FlagKind::kFloat,
       .value_name = "P",
       .group = rows,
       .def = "0.5",
       .help = "share of documents that get holes; the others stay causal",
       .min = 0,
       .max = 1,
       .main = true},
      {.name = "prefix-rate",
       .kind = FlagKind::kFloat,
       .value_name = "P",
       .group = rows,
       .def = "0",
       .help = "share of documents that become prefix rows, with loss on what follows the prefix",
       .min = 0,
       .max = 1},
      tool_options::span_ratio_flag(rows),
      tool_options::span_length_flag(rows),
      {.name = "variant",
       .kind = FlagKind::kChoice,
       .value_name = "V",
       .group = rows,
       .def = "a",
       .help = "a: loss on all tokens; b: on what fills the holes",
       .choices = {"a", "b"},
       .main = true,
       .needs = {"tokenizer"}},
      {.name = "min-tokens",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = rows,
       .def = "32",
       .help = "shorter documents stay causal",
       .min = 0,
       .max = 1e9},
      {.name = "max-tokens",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = rows,
       .help = "cut documents at a line end until their rows have so many tokens at most",
       .min = 1,
       .max = 1e9,
       .main = true},
      tokenizer_flag("write rows of token ids; without it, texts with the tokens' names",
                     "Special tokens become ids by name, and what is spelt like one in a document "
                     "stays text."),
      {.name = "eos-token",
       .kind = FlagKind::kString,
       .value_name = "TEXT",
       .group = rows,
       .help = "the end-of-text token, instead of the tokenizer's own",
       .needs = {"tokenizer"}},
      {.name = "loss-mask",
       .kind = FlagKind::kSwitch,
       .group = rows,
       .def = "true",
       .help = "write loss_mask beside the ids"},
      {.name = "drop-text",
       .kind = FlagKind::kSwitch,
       .group = rows,
       .help = "remove the text",
       .needs = {"tokenizer"}},
      ids_flag(),
      inverse_flag("make documents of rows again, and check them by --meta-field"),
  };
}

}  // namespace

std::vector<cli::Verb> verbs() {
  return {
      {"permute", "put the units of every sentence in a drawn order",
       cli::joined({permute_flags(), shared_flags("permute", "what was moved")})},
      {"infill", "make rows with holes and what fills them",
       cli::joined({infill_flags(), shared_flags("infill", "what was drawn")})},
      {"noise", "perturb utterances and keep their labels aligned", noise_flags()},
  };
}

}  // namespace lm::transform_tool
