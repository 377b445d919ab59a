#include "text/chat_template.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "text/segment.h"

namespace lm::text {

namespace {

// Put behind the last message to find where it ends. The blank shows whether the template trims.
constexpr std::string_view kEnd = "LM_THE_LAST_MESSAGE_ENDS_HERE ";
constexpr const char* kReasoning[] = {"reasoning_content", "thinking", "reasoning"};

Fault unfit(std::string what) {
  return Fault{"messages", std::move(what), -1};
}

/// A message's reasoning under the names that templates have for it: the first name that is there
/// counts, and stands under "thinking" too unless that is there.
Value with_reasoning(const Value& message) {
  const Value* found = nullptr;
  for (const char* const name : kReasoning)
    if (found == nullptr) found = message.find(name);
  if (found == nullptr) return message;
  ValueMap out;
  if (message.find("thinking") == nullptr) out.emplace_back("thinking", *found);
  out.insert(out.end(), message.map().begin(), message.map().end());
  const Value reasoning = *found;
  Value made(std::move(out));
  made.set("reasoning_content", reasoning);
  return made;
}

/// The messages with kEnd behind the last one's text: its content, or the last of its parts that
/// has one.
Result<Value> marked(const Value& messages) {
  ValueList list = messages.list();
  Value last{ValueMap(list.back().map())};
  const Value* const content = last.find("content");
  const std::optional<std::string> text = last_text(messages);
  if (!text) return unfit("the last message has no text to go on from");
  const Value ended = *text + std::string(kEnd);
  if (content->is_string()) {
    last.set("content", ended);
  } else {
    ValueList parts = content->list();
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      if (!part->is_map() || part->find("text") == nullptr) continue;
      Value copy{ValueMap(part->map())};
      copy.set("text", ended);
      *part = copy;
      break;
    }
    last.set("content", Value(std::move(parts)));
  }
  list.back() = last;
  return Value(std::move(list));
}

std::string without_end_blanks(const std::string& text) {
  const std::string guarded = "x" + text;
  return std::string(strip(guarded).substr(1));
}

/// The prompt up to the mark, or nothing if the template lets it go or writes it twice.
std::optional<std::string> up_to_mark(const std::string& prompt, const std::string& text) {
  const std::string_view mark = kEnd.substr(0, kEnd.size() - 1);
  const std::size_t at = prompt.rfind(mark);
  if (at == std::string::npos || prompt.find(mark) != at ||
      prompt.find(strip(text)) == std::string::npos)
    return std::nullopt;
  const std::string head = prompt.substr(0, at);
  if (std::string_view(prompt).substr(at).starts_with(kEnd)) return head;
  return without_end_blanks(head);  // it trims messages
}

Value strftime_now(const Date& today, CallArgs& args) {
  if (args.list.size() != 1 || !args.list[0].is_string() || !args.named.empty())
    throw Error(ErrorKind::kData, "strftime_now takes a format");
  const Result<std::string> text = format_date(today, args.list[0].str());
  if (!text) throw Error(ErrorKind::kData, text.fault().detail);
  return *text;
}

}  // namespace

ChatTemplate::ChatTemplate(const ChatFiles::Named& source, ValueMap vars, std::optional<Date> today)
    : where_(source.where),
      has_content_(source.source.find("content") != std::string::npos),
      vars_(std::move(vars)),
      template_(source.source, source.where, TemplateOptions::chat()) {
  std::string shaping = source.source;
  for (const auto& [name, value] : vars_)
    append(shaping, "\n", name.str(), "=", to_json(value));
  if (today) {
    append(shaping, "\ndate=", *format_date(*today, "%F"));
    vars_.emplace_back("strftime_now", Function([day = *today](CallArgs& args) {
                         return strftime_now(day, args);
                       }));
  }
  key_ = xxh3_64(shaping);
}

Result<std::string> ChatTemplate::render(const ChatInput& input) const {
  ValueList messages;
  for (const Value& message : input.messages.list())
    messages.push_back(with_reasoning(message));
  Value seen(std::move(messages));
  if (input.continued && !has_content_)
    return Fault{"template", cat(where_, ": does not ask for the content of messages"), -1};
  if (input.continued) {
    Result<Value> ended = marked(seen);
    if (!ended) return ended.fault();
    seen = *ended;
  }
  Value vars{ValueMap(vars_)};
  vars.set("messages", seen);
  vars.set("tools", input.tools);
  vars.set("documents", input.documents);
  vars.set("add_generation_prompt", input.generation && !input.continued);
  std::string prompt;
  try {
    prompt = template_.render(vars);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kData) throw;
    const bool day = e.message().find("\"strftime_now\" is not understood") != std::string::npos;
    return Fault{"template",
                 cat(e.message(), day ? "; the template prints the day, which --date gives" : ""),
                 -1};
  }
  if (!input.continued) return prompt;
  std::optional<std::string> cut = up_to_mark(prompt, *last_text(input.messages));
  if (!cut)
    return Fault{"template", cat(where_, ": the last message is not in the prompt once, as it is"),
                 -1};
  return std::move(*cut);
}

ValueMap chat_vars(const ChatFiles& files, const Tokenizer& tokenizer) {
  ValueMap out;
  for (const auto& [name, value] : files.tokens)
    out.emplace_back(name, value);
  if (!out.empty()) return out;
  const std::pair<const char*, std::optional<i32>> roles[] = {{"bos_token", tokenizer.bos()},
                                                              {"eos_token", tokenizer.eos()},
                                                              {"pad_token", tokenizer.pad()},
                                                              {"unk_token", tokenizer.unk()}};
  for (const auto& [name, id] : roles)
    if (id) out.emplace_back(name, tokenizer.token_bytes(*id, true));
  return out;
}

Result<Value> read_messages(std::string_view json) {
  Result<Value> value = parse_json_value(json);
  if (!value) return value.fault();
  if (!value->is_list() || value->list().empty())
    return unfit("field \"messages\" is not a list of at least one message");
  ValueList out;
  for (const Value& message : value->list()) {
    const Value* const role = message.is_map() ? message.find("role") : nullptr;
    if (role == nullptr || !role->is_string())
      return unfit(cat("message ", out.size(), " is not an object with a role"));
    ValueMap kept;
    for (const auto& field : message.map())
      if (!field.second.is_none()) kept.push_back(field);
    out.emplace_back(std::move(kept));
  }
  return Value(std::move(out));
}

std::optional<std::string> last_text(const Value& messages) {
  const Value* const content = messages.list().back().find("content");
  if (content == nullptr) return std::nullopt;
  if (content->is_string()) return content->str();
  if (!content->is_list()) return std::nullopt;
  const ValueList& parts = content->list();
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    const Value* const text = part->is_map() ? part->find("text") : nullptr;
    if (text != nullptr && text->is_string()) return text->str();
    if (text != nullptr) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace lm::text
