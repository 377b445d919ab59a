#pragma once
// The chat templates that a model folder holds, and the special tokens that they name.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/types.h"

namespace lm::text {

/// A template is read up to this size.
inline constexpr i64 kMostChatBytes = i64{16} << 20;

/// What a folder says of chats.
struct ChatFiles {
  struct Named {
    std::string name;  // "default" for the one without a name
    std::string source;
    std::string where;  // the file, for messages
  };
  std::vector<Named> templates;
  /// bos_token, eos_token, ...: texts of special tokens by the names that templates have for them.
  std::vector<std::pair<std::string, std::string>> tokens;

  const Named* find(std::string_view name) const;
};

/// Reads chat_template.jinja and additional_chat_templates/NAME.jinja, else the chat_template of
/// tokenizer_config.json (a text, or a list or object of named ones), else that of
/// chat_template.json; and the tokens of special_tokens_map.json and tokenizer_config.json, perhaps
/// zstd-compressed. A folder without any gives nothing. Throws Error{kData} naming file and key.
ChatFiles read_chat_files(const std::string& folder);

}  // namespace lm::text
