#pragma once
// The file formats behind load_tokenizer, each turned into TokenizerParts. name stands in messages.
// Every function throws Error{kData} naming the file and the component that is wrong or not
// understood; hostile input costs at most memory proportional to its size. Private to the loaders.

#include <optional>
#include <string>
#include <string_view>

#include "io/json_node.h"
#include "text/piece_tokenizer.h"

namespace lm::text {

using io::JsonNode;

/// A file beside a tokenizer, as text.
struct FileText {
  std::string path;
  std::string text;
};
/// NAME or NAME.zst of a folder; nothing if there is neither.
std::optional<FileText> read_in_folder(const std::string& folder, const char* name);

/// A Hugging Face tokenizer.json whose model is BPE, WordPiece or unigram. root: of the document of
/// bytes.
TokenizerParts parse_tokenizer_json(const JsonNode& root, std::string_view bytes,
                                    const std::string& name);

/// Lines of "base64 rank" (tiktoken, Llama 3's tokenizer.model). pattern: r50k | cl100k | o200k |
/// llama3 | qwen2, or empty to guess by the number of ranks.
TokenizerParts parse_tiktoken(std::string_view bytes, const std::string& name,
                              std::string_view pattern);
/// Standard base64 with padding; nullopt if it is none.
std::optional<std::string> base64_decode(std::string_view text);
/// True if the first line looks like one of those.
bool looks_like_tiktoken(std::string_view bytes);

/// GPT-2's pair: a JSON object token -> id, and the merges as lines.
TokenizerParts parse_gpt2(std::string_view vocab, const std::string& vocab_name,
                          std::string_view merges, const std::string& merges_name);

/// BERT's vocabulary, a token a line. config: tokenizer_config.json beside it as text, empty: its
/// defaults. Throws also where [UNK], [CLS] or [SEP] (or what the config has instead) is no token.
TokenizerParts parse_vocab_txt(std::string_view bytes, const std::string& name,
                               const std::string& config, const std::string& config_name);
/// True if some line is [UNK].
bool looks_like_vocab_txt(std::string_view bytes);

/// Reads the "normalizer", "pre_tokenizer", "post_processor" and "decoder" objects of a file.
void parse_normalizer(const JsonNode& node, Normalizer& out);
/// byte_level becomes true if a ByteLevel step is there.
void parse_pre_tokenizer(const JsonNode& node, PreTokenizer& out, bool& byte_level);
void parse_post_processor(const JsonNode& node, TokenizerParts& out);
void parse_decoder(const JsonNode& node, TokenDecoder& out);

/// Adds a vocabulary entry as the file writes it; refuses ids out of range and duplicates.
void add_vocab_entry(std::string_view token, i64 id, const std::string& where, TokenizerParts& out);
/// Adds the entries of an object from tokens to ids.
void parse_vocab(const JsonNode& vocab, TokenizerParts& out);
/// Resolves a merge of two written tokens; false if one of them or the result is missing.
bool add_merge(std::string_view left, std::string_view right, TokenizerParts& out);

}  // namespace lm::text
