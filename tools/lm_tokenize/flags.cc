// The option tables of lm-tokenize.

#include "tokenize.h"

namespace lm::tokenize_tool {

namespace {

using cli::Flag;
using cli::FlagKind;

const std::string kTokens = "Tokens";

std::vector<Flag> model_flags() {
  return {
      {.name = "model",
       .letter = 'm',
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = kTokens,
       .help = "the tokenizer: tokenizer.json, .tiktoken, SentencePiece .model, or a model folder",
       .main = true},
      cli::text_field_flag(kTokens),
      {.name = "ids-field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = kTokens,
       .def = "input_ids",
       .help = "the field that holds the ids"},
  };
}

std::vector<Flag> encoding_flags(const std::string& eos_help) {
  return {
      {.name = "special",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = kTokens,
       .def = "hf",
       .help = "special tokens written in the text of a document",
       .details =
           "hf: they become special ids, as transformers does. text: they are ordinary text. "
           "error: a bad record. Of a SentencePiece model they are its control pieces.",
       .choices = {"hf", "text", "error"}},
      {.name = "strip",
       .kind = FlagKind::kSwitch,
       .group = kTokens,
       .help = "leave out white space at both ends of a text, as Dolma's tokenizer does"},
      {.name = "template",
       .kind = FlagKind::kSwitch,
       .group = kTokens,
       .def = "true",
       .help = "add what the tokenizer's own template adds around a text"},
      {.name = "pattern",
       .kind = FlagKind::kString,
       .value_name = "NAME",
       .group = kTokens,
       .help = "split pattern of a .tiktoken file: r50k, cl100k, o200k, llama3, qwen2"},
      {.name = "bos",
       .kind = FlagKind::kSwitch,
       .group = kTokens,
       .help = "put the beginning-of-text token before documents that lack it"},
      {.name = "eos", .kind = FlagKind::kSwitch, .group = kTokens, .help = eos_help, .main = true},
      {.name = "bos-token",
       .kind = FlagKind::kString,
       .value_name = "TEXT",
       .group = kTokens,
       .help = "the beginning-of-text token, instead of the tokenizer's own"},
      {.name = "eos-token",
       .kind = FlagKind::kString,
       .value_name = "TEXT",
       .group = kTokens,
       .help = "the end-of-text token, instead of the tokenizer's own"},
  };
}

std::vector<Flag> encode_flags() {
  return {
      {.name = "count",
       .kind = FlagKind::kSwitch,
       .group = kTokens,
       .help = "add only n_tokens",
       .main = true},
      {.name = "n-tokens",
       .kind = FlagKind::kSwitch,
       .group = kTokens,
       .help = "add n_tokens beside the ids"},
      {.name = "offsets",
       .kind = FlagKind::kSwitch,
       .group = kTokens,
       .help = "add the byte range of every token as offsets",
       .excludes = {"count"}},
      {.name = "drop-text",
       .kind = FlagKind::kSwitch,
       .group = kTokens,
       .help = "remove the text",
       .main = true},
  };
}

std::vector<Flag> decode_flags() {
  return {
      {.name = "skip-specials",
       .kind = FlagKind::kSwitch,
       .group = kTokens,
       .help = "leave special tokens out"},
      {.name = "drop-ids", .kind = FlagKind::kSwitch, .group = kTokens, .help = "remove the ids"},
  };
}

std::vector<Flag> pack_flags() {
  const std::string g = "Shards";
  return {
      {.name = "format",
       .kind = FlagKind::kChoice,
       .value_name = "LAYOUT",
       .group = g,
       .def = "lm",
       .help = "layout of the files; jsonl writes rows as records",
       .choices = {"lm", "dolma", "megatron", "npy", "datatrove", "jsonl"},
       .main = true},
      {.name = "from-ids",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "take --ids-field instead of encoding the text",
       .excludes = {"field", "special", "strip", "pattern"}},
      {.name = "shard-tokens",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "536870912",
       .help = "start a new file before it would exceed N tokens",
       .min = 1},
      {.name = "dtype",
       .kind = FlagKind::kChoice,
       .value_name = "TYPE",
       .group = g,
       .def = "auto",
       .help = "bytes per token; auto is u16 when every id fits",
       .choices = {"auto", "u16", "u32"}},
      {.name = "keep-empty",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "keep documents without tokens",
       .excludes = {"seq-len"}},
      {.name = "seq-len",
       .kind = FlagKind::kCount,
       .value_name = "L",
       .group = g,
       .help = "pack documents into rows of L tokens",
       .min = 2,
       .max = 1e8,
       .main = true},
      {.name = "mode",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = g,
       .def = "concat",
       .help = "how rows are filled",
       .details =
           "concat: one stream cut every L. bestfit: whole documents, longest first, padded. "
           "bos-bestfit: every row starts with a document; what does not fit is lost and counted.",
       .choices = {"concat", "bestfit", "bos-bestfit"},
       .needs = {"seq-len"}},
      {.name = "overlap",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "rows of L+1 tokens that overlap by one",
       .needs = {"seq-len"}},
      {.name = "drop-last",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "drop an incomplete last row",
       .needs = {"seq-len"}},
  };
}

}  // namespace

std::vector<cli::Verb> verbs() {
  return {
      {"encode", "add the ids of the text to each record",
       cli::joined({model_flags(),
                    encoding_flags("put the end-of-text token after documents that lack it"),
                    encode_flags()})},
      {"decode", "add the text of the ids to each record",
       cli::joined({model_flags(), decode_flags()})},
      {"train", "make a vocabulary from the text of the records", train_flags()},
      {"pack", "write token shards for training",
       cli::joined(
           {model_flags(),
            encoding_flags("put the end-of-text token after documents that lack it (default: if "
                           "the tokenizer has one)"),
            pack_flags()})},
  };
}

}  // namespace lm::tokenize_tool
