// lm-tokenize: text to tokens and back, vocabularies, token shards.

#include "lm_tokenize/tokenize.h"

namespace {

using lm::cli::Flag;
using lm::cli::FlagKind;

const std::string kTokens = "Tokens";

std::vector<Flag> model_flags() {
  return {
      {.name = "model", .letter = 'm', .kind = FlagKind::kPath, .value_name = "FILE", .group = kTokens,
       .help = "the tokenizer: tokenizer.json, .tiktoken, SentencePiece .model, or a model folder", .main = true},
      {.name = "field", .kind = FlagKind::kString, .value_name = "PATH", .group = kTokens, .def = "text",
       .help = "the field that holds the text", .main = true},
      {.name = "ids-field", .kind = FlagKind::kString, .value_name = "PATH", .group = kTokens,
       .def = "input_ids", .help = "the field that holds the ids"},
  };
}

std::vector<Flag> encoding_flags(const std::string& eos_help) {
  return {
      {.name = "special", .kind = FlagKind::kChoice, .value_name = "HOW", .group = kTokens, .def = "hf",
       .help = "special tokens written in the text of a document",
       .details = "hf: they become special ids, as transformers does. text: they are ordinary text. "
                  "error: a bad record.",
       .choices = {"hf", "text", "error"}},
      {.name = "strip", .kind = FlagKind::kSwitch, .group = kTokens,
       .help = "leave out white space at both ends of a text, as Dolma's tokenizer does"},
      {.name = "template", .kind = FlagKind::kSwitch, .group = kTokens, .def = "true",
       .help = "add what the tokenizer's own template adds around a text"},
      {.name = "pattern", .kind = FlagKind::kString, .value_name = "NAME", .group = kTokens,
       .help = "split pattern of a .tiktoken file: r50k, cl100k, o200k, llama3, qwen2"},
      {.name = "bos", .kind = FlagKind::kSwitch, .group = kTokens,
       .help = "put the beginning-of-text token before documents that lack it"},
      {.name = "eos", .kind = FlagKind::kSwitch, .group = kTokens, .help = eos_help, .main = true},
      {.name = "bos-token", .kind = FlagKind::kString, .value_name = "TEXT", .group = kTokens,
       .help = "the beginning-of-text token, instead of the tokenizer's own"},
      {.name = "eos-token", .kind = FlagKind::kString, .value_name = "TEXT", .group = kTokens,
       .help = "the end-of-text token, instead of the tokenizer's own"},
  };
}

std::vector<Flag> encode_flags() {
  return {
      {.name = "count", .kind = FlagKind::kSwitch, .group = kTokens, .help = "add only n_tokens", .main = true},
      {.name = "n-tokens", .kind = FlagKind::kSwitch, .group = kTokens, .help = "add n_tokens beside the ids"},
      {.name = "offsets", .kind = FlagKind::kSwitch, .group = kTokens,
       .help = "add the byte range of every token as offsets"},
      {.name = "drop-text", .kind = FlagKind::kSwitch, .group = kTokens, .help = "remove the text", .main = true},
  };
}

std::vector<Flag> decode_flags() {
  return {
      {.name = "skip-specials", .kind = FlagKind::kSwitch, .group = kTokens, .help = "leave special tokens out"},
      {.name = "drop-ids", .kind = FlagKind::kSwitch, .group = kTokens, .help = "remove the ids"},
  };
}

std::vector<Flag> pack_flags() {
  const std::string g = "Shards";
  return {
      {.name = "format", .kind = FlagKind::kChoice, .value_name = "LAYOUT", .group = g, .def = "lm",
       .help = "layout of the files; jsonl writes rows as records",
       .choices = {"lm", "dolma", "megatron", "npy", "datatrove", "jsonl"}, .main = true},
      {.name = "from-ids", .kind = FlagKind::kSwitch, .group = g, .help = "take --ids-field instead of encoding the text"},
      {.name = "shard-tokens", .kind = FlagKind::kCount, .value_name = "N", .group = g, .def = "536870912",
       .help = "start a new file before it would exceed N tokens", .min = 1},
      {.name = "dtype", .kind = FlagKind::kChoice, .value_name = "TYPE", .group = g, .def = "auto",
       .help = "bytes per token; auto is u16 when every id fits", .choices = {"auto", "u16", "u32"}},
      {.name = "keep-empty", .kind = FlagKind::kSwitch, .group = g, .help = "keep documents without tokens"},
      {.name = "seq-len", .kind = FlagKind::kCount, .value_name = "L", .group = g,
       .help = "pack documents into rows of L tokens", .min = 2, .max = 1e8, .main = true},
      {.name = "mode", .kind = FlagKind::kChoice, .value_name = "HOW", .group = g, .def = "concat",
       .help = "how rows are filled",
       .details = "concat: one stream cut every L. bestfit: whole documents, longest first, padded. "
                  "bos-bestfit: every row starts with a document; what does not fit is lost and counted.",
       .choices = {"concat", "bestfit", "bos-bestfit"}},
      {.name = "overlap", .kind = FlagKind::kSwitch, .group = g, .help = "rows of L+1 tokens that overlap by one"},
      {.name = "drop-last", .kind = FlagKind::kSwitch, .group = g, .help = "drop an incomplete last row"},
  };
}

std::vector<Flag> train_flags() {
  const std::string g = "Vocabulary";
  return {
      {.name = "type", .kind = FlagKind::kChoice, .value_name = "KIND", .group = g, .def = "bpe",
       .help = "byte-level BPE, or SentencePiece BPE or unigram", .choices = {"bpe", "sp-bpe", "sp-unigram"}, .main = true},
      {.name = "vocab-size", .letter = 'n', .kind = FlagKind::kCount, .value_name = "N", .group = g, .def = "32000",
       .help = "tokens, specials and bytes included", .min = 2, .max = 16e6, .main = true},
      {.name = "field", .kind = FlagKind::kString, .value_name = "PATH", .group = g, .def = "text",
       .help = "the field that holds the text", .main = true},
      {.name = "weight-field", .kind = FlagKind::kString, .value_name = "PATH", .group = g,
       .help = "count a document that many times (bpe)"},
      {.name = "doc-cap", .kind = FlagKind::kSize, .value_name = "SIZE", .group = g,
       .help = "use the first bytes of a document only", .min = 1},
      {.name = "special-token", .kind = FlagKind::kList, .value_name = "TEXT", .group = g,
       .help = "a special token; may be repeated", .main = true},
      {.name = "pattern", .kind = FlagKind::kChoice, .value_name = "NAME", .group = g, .def = "cl100k",
       .help = "what splits text before BPE", .choices = {"r50k", "cl100k", "qwen2", "o200k", "none"}},
      {.name = "ties", .kind = FlagKind::kChoice, .value_name = "RULE", .group = g, .def = "hf",
       .help = "which of equally frequent pairs is merged first", .choices = {"hf", "bytes", "sp"}},
      {.name = "min-frequency", .kind = FlagKind::kCount, .value_name = "N", .group = g, .def = "2",
       .help = "a rarer pair is never merged", .min = 1},
      {.name = "min-word-count", .kind = FlagKind::kCount, .value_name = "N", .group = g, .def = "1",
       .help = "rarer words are left out", .min = 1},
      {.name = "max-token-bytes", .kind = FlagKind::kCount, .value_name = "N", .group = g, .def = "0",
       .help = "longest token; 0 is no limit", .min = 0},
      {.name = "max-word-bytes", .kind = FlagKind::kCount, .value_name = "N", .group = g, .def = "4096",
       .help = "longer pieces are cut", .min = 1},
      {.name = "preset", .kind = FlagKind::kChoice, .value_name = "NAME", .group = g,
       .help = "settings of a published SentencePiece vocabulary", .choices = {"languini"}},
      {.name = "character-coverage", .kind = FlagKind::kFloat, .value_name = "X", .group = g, .def = "0.9995",
       .help = "share of characters that get a piece (SentencePiece)", .min = 0.98, .max = 1},
      {.name = "byte-fallback", .kind = FlagKind::kSwitch, .group = g, .help = "unknown characters become bytes (SentencePiece)"},
      {.name = "split-digits", .kind = FlagKind::kSwitch, .group = g, .help = "every digit is its own piece (SentencePiece)"},
      {.name = "normalization", .kind = FlagKind::kChoice, .value_name = "RULE", .group = g, .def = "nmt_nfkc",
       .help = "normalisation (SentencePiece)", .choices = {"nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf", "identity"}},
      {.name = "dummy-prefix", .kind = FlagKind::kSwitch, .group = g, .def = "true", .help = "put a blank before the text (SentencePiece)"},
      {.name = "remove-extra-whitespaces", .kind = FlagKind::kSwitch, .group = g, .def = "true", .help = "collapse blanks (SentencePiece)"},
      {.name = "max-sentence-bytes", .kind = FlagKind::kSize, .value_name = "SIZE", .group = g, .def = "4192",
       .help = "longer lines are left out and counted (SentencePiece)", .min = 10},
      {.name = "sample-sentences", .kind = FlagKind::kCount, .value_name = "N", .group = g,
       .help = "train on a sample of N lines (SentencePiece)", .min = 1},
  };
}

std::vector<Flag> joined(std::initializer_list<std::vector<Flag>> parts) {
  std::vector<Flag> all;
  for (const std::vector<Flag>& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-tokenize";
  spec.summary = "Turns text into tokens and back, trains vocabularies, writes token shards";
  spec.verbs = {
      {"encode", "add the ids of the text to each record", joined({model_flags(), encoding_flags("put the end-of-text token after documents that lack it"), encode_flags()})},
      {"decode", "add the text of the ids to each record", joined({model_flags(), decode_flags()})},
      {"train", "make a vocabulary from the text of the records", train_flags()},
      {"pack", "write token shards for training", joined({model_flags(), encoding_flags("put the end-of-text token after documents that lack it (default: if the tokenizer has one)"), pack_flags()})},
  };
  spec.examples = {
      {"lm-tokenize train -n 8192 --special-token '<|endoftext|>' docs.jsonl.zst -o vocabulary/", "a byte-level BPE vocabulary"},
      {"lm-tokenize -m vocabulary docs.jsonl.zst -o ids.jsonl.zst", "ids into every record"},
      {"lm-tokenize pack -m vocabulary docs.jsonl.zst -o shards/train", "token shards with document borders"},
  };
  spec.see_also = {"lm-train", "lm-decode"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "decode") return lm::tokenize_tool::run_decode(tool);
    if (tool.verb() == "train") return lm::tokenize_tool::run_train(tool);
    if (tool.verb() == "pack") return lm::tokenize_tool::run_pack(tool);
    return lm::tokenize_tool::run_encode(tool);
  });
}
