#pragma once
// What a sentence-transformers folder says of the vectors it was trained for: modules.json, the
// pooling's config.json, sentence_bert_config.json. A folder without modules.json says nothing but,
// for an encoder, how long its tokenizer lets texts be.

#include <optional>
#include <string>

#include "core/types.h"
#include "embed/pooling.h"

namespace lm::embed {

struct FolderSettings {
  std::string folder;     // where config.json, weights and tokenizer are
  bool sentence = false;  // it is a sentence-transformers folder
  std::optional<Pooling> pool;
  bool normalize = false;
  i64 max_tokens = 0;  // of a text with its specials; 0: not said
};

/// Throws Error{kData} naming the file for a module or a pooling that is not supported, or a value
/// that is not as expected.
FolderSettings read_folder_settings(const std::string& folder);

}  // namespace lm::embed
