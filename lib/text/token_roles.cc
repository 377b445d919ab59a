#include "text/token_roles.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/str.h"
#include "io/json.h"

namespace lm::text {
namespace {

std::vector<std::string_view> names_of(TokenRole role) {
  switch (role) {
    case TokenRole::kBos:
      return {"<|begin_of_text|>", "<s>", "<bos>"};
    case TokenRole::kEos:
      return {"<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>"};
    case TokenRole::kPad:
      return {"<|pad|>", "<pad>", "[PAD]"};
    case TokenRole::kMask:
      return {"<|mask|>", "<mask>", "[MASK]", "<|mdm_mask|>"};
  }
  return {};
}

/// "key": "text", for every role that a special has, in the order of the keys.
std::vector<std::string> role_lines(std::span<const std::string> specials) {
  std::vector<std::string> lines;
  const std::pair<const char*, TokenRole> keys[] = {{"bos_token", TokenRole::kBos},
                                                    {"eos_token", TokenRole::kEos},
                                                    {"pad_token", TokenRole::kPad}};
  for (const auto& [key, role] : keys) {
    const std::optional<std::string> token = conventional_token(specials, role);
    if (token) lines.push_back(cat("\"", key, "\": ", io::json_string(*token)));
  }
  return lines;
}

std::string json_object(std::span<const std::string> lines) {
  std::string out = "{";
  for (const std::string& line : lines)
    append(out, out.size() > 1 ? ",\n " : "\n ", line);
  return out + "\n}\n";
}

}  // namespace

std::optional<std::string> conventional_token(std::span<const std::string> specials,
                                              TokenRole role) {
  const std::vector<std::string_view> names = names_of(role);
  std::optional<std::string> found;
  for (const std::string& special : specials) {
    if (std::find(names.begin(), names.end(), special) == names.end()) continue;
    if (found && *found != special) return std::nullopt;
    found = special;
  }
  return found;
}

std::string tokenizer_config_json(std::span<const std::string> specials) {
  std::vector<std::string> lines = {"\"tokenizer_class\": \"PreTrainedTokenizerFast\"",
                                    "\"clean_up_tokenization_spaces\": false",
                                    // What transformers itself writes for "no limit": int(1e30).
                                    "\"model_max_length\": 1000000000000000019884624838656"};
  for (std::string& line : role_lines(specials))
    lines.push_back(std::move(line));
  return json_object(lines);
}

std::string special_tokens_map_json(std::span<const std::string> specials) {
  return json_object(role_lines(specials));
}

}  // namespace lm::text
