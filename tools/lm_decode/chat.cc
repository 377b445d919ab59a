#include "chat.h"

#include <algorithm>
#include <filesystem>

#include "common/model_options.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json.h"
#include "text/chat_builtin.h"

namespace lm::decode_tool {

namespace {

constexpr const char* kAuto = "auto";

/// Where a tokenizer's configuration is: its folder.
std::string folder_of(const std::string& path) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) return path;
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

std::string names_of(const text::ChatFiles& files) {
  std::string out;
  for (const text::ChatFiles::Named& each : files.templates)
    append(out, out.empty() ? "" : ", ", each.name);
  return out;
}

void set_var(text::ValueMap& vars, const std::string& name, text::Value value) {
  const auto known = std::find_if(vars.begin(), vars.end(),
                                  [&](const auto& var) { return var.first.str() == name; });
  if (known != vars.end()) {
    known->second = std::move(value);
  } else {
    vars.emplace_back(name, std::move(value));
  }
}

}  // namespace

Chat::Chat(cli::Tool& tool, const text::Tokenizer& tokenizer)
    : options_(tool.options()),
      folder_(model::model_parts(tool_options::model_folder(options_)).base) {
  const std::string& own = options_.text("tokenizer");
  files_ = text::read_chat_files(own.empty() ? folder_ : folder_of(own));
  if (!own.empty() && files_.templates.empty())
    files_.templates = text::read_chat_files(folder_).templates;
  if (options_.given("date")) {
    today_ = text::parse_date(options_.text("date"));
    if (!today_)
      throw Error(ErrorKind::kUsage,
                  cat("--date: ", quote(options_.text("date")), " is no day, expected YYYY-MM-DD"));
  }
  add_vars(tokenizer);
  special_ = tool_options::special_policy(options_);
  if (special_ != text::SpecialPolicy::kParse) marks_.emplace(tokenizer);
  const std::string& name = options_.text("chat");
  if (name != kAuto && files_.find(name) == nullptr) {
    const std::string_view builtin = text::builtin_chat_template(name);
    if (builtin.empty() && !io::path_exists(name))
      throw Error(
          ErrorKind::kUsage,
          cat("--chat: ", quote(name), " is no template of the model, none of ours, no file"),
          cat(files_.templates.empty() ? std::string()
                                       : cat("the model has ", names_of(files_), "; "),
              "ours are ", join(text::builtin_chat_names(), ", ")));
    if (builtin.empty()) tool.add_input(name);
    files_.templates.push_back(
        {name, builtin.empty() ? io::read_file(name, text::kMostChatBytes) : std::string(builtin),
         builtin.empty() ? name : cat("--chat ", name)});
  }
  if (files_.templates.empty()) return;
  std::string shaping = name;
  for (const text::ChatFiles::Named& each : files_.templates)
    append(shaping, "\n", each.name, "\n", each.source);
  for (const auto& [var, value] : vars_)
    append(shaping, "\n", var.str(), "=", text::to_json(value));
  append(shaping, "\n", options_.text("date"));
  key_ = xxh3_64(shaping);
  tool.set_param("chat_template", io::json_string(cat("xxh3:", hex64(*key_))));
}

/// Special tokens by their names, then what the user sets.
void Chat::add_vars(const text::Tokenizer& tokenizer) {
  vars_ = text::chat_vars(files_, tokenizer);
  for (const std::string& given : options_.list("chat-var")) {
    const std::size_t equals = given.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Error(ErrorKind::kUsage, cat("--chat-var: ", quote(given), " is not NAME=VALUE"));
    const std::string text = given.substr(equals + 1);
    const Result<text::Value> value = text::parse_json_value(text);
    set_var(vars_, given.substr(0, equals), value ? *value : text::Value(text));
  }
}

const text::ChatFiles::Named& Chat::source_of(bool tools) const {
  const std::string& name = options_.text("chat");
  if (name != kAuto) return *files_.find(name);
  if (const text::ChatFiles::Named* own = tools ? files_.find("tool_use") : nullptr) return *own;
  if (const text::ChatFiles::Named* own = files_.find("default")) return *own;
  if (files_.templates.empty())
    throw Error(ErrorKind::kUsage,
                cat(folder_, ": a record has messages and the model has no chat template"),
                "--chat chatml, or another format that it was trained on, makes prompts of them");
  throw Error(ErrorKind::kUsage,
              cat(folder_, ": the model has several chat templates and none is the default"),
              cat("--chat NAME picks one of ", names_of(files_)));
}

const text::ChatTemplate& Chat::template_of(const text::ChatInput& input) {
  const text::ChatFiles::Named& source = source_of(!input.tools.is_none());
  const auto known = templates_.find(source.name);
  if (known != templates_.end()) return known->second;
  return templates_.emplace(source.name, text::ChatTemplate(source, vars_, today_)).first->second;
}

std::optional<Fault> Chat::refusal(const std::string& text, const text::ByteRanges& ranges,
                                   text::EncodeState& state) const {
  if (special_ != text::SpecialPolicy::kError || !marks_->touched(text, ranges, state))
    return std::nullopt;
  return Fault{"special", "the messages contain a special token of the tokenizer", -1};
}

Result<decode::PromptText> Chat::prompt(const text::ChatInput& input, text::EncodeState& state) {
  const text::ChatTemplate& chat = template_of(input);
  Result<std::string> text = chat.render(input);
  if (!text) return text.fault();
  decode::PromptText out;
  out.text = std::move(*text);
  out.whole = true;
  if (!marks_) return out;
  Result<text::ByteRanges> foreign = marks_->foreign(chat, input, out.text, state);
  if (!foreign) return foreign.fault();
  if (std::optional<Fault> fault = refusal(out.text, *foreign, state)) return *fault;
  out.literal = std::move(*foreign);
  return out;
}

}  // namespace lm::decode_tool
