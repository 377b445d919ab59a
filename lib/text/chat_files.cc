#include "text/chat_files.h"

#include <algorithm>
#include <filesystem>

#include "core/str.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/json_node.h"
#include "text/tokenizer_files.h"

namespace lm::text {

namespace {

namespace fs = std::filesystem;

using io::Json;
using io::JsonNode;

void add(ChatFiles& out, std::string_view name, std::string_view source, const std::string& where) {
  if (out.find(name) == nullptr)
    out.templates.push_back({std::string(name), std::string(source), where});
}

/// The value of "chat_template": a text, {name: text}, or [{name, template}].
void add_templates(const JsonNode& value, const std::string& where, ChatFiles& out) {
  if (const std::optional<std::string_view> text = value.as_string()) {
    add(out, "default", *text, where);
  } else if (value.is_object()) {
    value.each_field([&](std::string_view name, const JsonNode& one) {
      add(out, name, one.str(), cat(where, " (", name, ")"));
    });
  } else {
    value.each_item([&](const JsonNode& one) {
      const std::string name = one.text("name");
      add(out, name, one.text("template"), cat(where, " (", name, ")"));
    });
  }
}

/// "bos_token": a text, or {"content": text}.
void add_tokens(const JsonNode& config, ChatFiles& out) {
  config.each_field([&](std::string_view key, const JsonNode& value) {
    if (!key.ends_with("_token")) return;
    std::optional<std::string_view> text = value.as_string();
    if (!text && value.is_object() && value.has("content")) text = value.at("content").as_string();
    if (!text) return;  // add_bos_token and its like
    const auto known = std::find_if(out.tokens.begin(), out.tokens.end(),
                                    [&](const auto& token) { return token.first == key; });
    if (known != out.tokens.end()) {
      known->second = *text;
    } else {
      out.tokens.emplace_back(key, *text);
    }
  });
}

void add_template_files(const std::string& folder, ChatFiles& out) {
  const fs::path root(folder);
  const std::string one = (root / "chat_template.jinja").string();
  if (io::path_exists(one)) add(out, "default", io::read_file(one, kMostChatBytes), one);
  const fs::path more = root / "additional_chat_templates";
  std::error_code code;
  if (!fs::is_directory(more, code)) return;
  for (const std::string& name : io::list_folder(more.string())) {
    if (!name.ends_with(".jinja")) continue;
    const std::string path = (more / name).string();
    add(out, name.substr(0, name.size() - 6), io::read_file(path, kMostChatBytes), path);
  }
}

}  // namespace

const ChatFiles::Named* ChatFiles::find(std::string_view name) const {
  const auto found = std::find_if(templates.begin(), templates.end(),
                                  [&](const Named& each) { return each.name == name; });
  return found == templates.end() ? nullptr : &*found;
}

ChatFiles read_chat_files(const std::string& folder) {
  ChatFiles out;
  add_template_files(folder, out);
  const bool own_files = !out.templates.empty();
  for (const char* const name :
       {"special_tokens_map.json", "tokenizer_config.json", "chat_template.json"}) {
    const std::optional<FileText> file = read_in_folder(folder, name);
    if (!file) continue;
    const Json json = io::parse_object(file->text, file->path);
    const JsonNode config(json, file->path);
    add_tokens(config, out);
    const std::optional<JsonNode> value = config.maybe("chat_template");
    // A file of its own stands above all that configurations say, and each of them above the next.
    if (value && !own_files && out.templates.empty()) add_templates(*value, file->path, out);
  }
  return out;
}

}  // namespace lm::text
