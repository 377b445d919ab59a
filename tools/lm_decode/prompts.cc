#include "prompts.h"

#include <algorithm>
#include <limits>

#include "core/hash.h"
#include "core/str.h"
#include "decode/set_prompt.h"
#include "io/file.h"

namespace lm::decode_tool {

namespace {

std::string separator_of(const cli::Options& options) {
  return options.given("jrt-sep") ? options.text("jrt-sep") : "\n";
}

bool is_order(const std::string& text) {
  return !text.empty() && text.find_first_not_of("CQ") == std::string::npos;
}

/// key: of a template file.
decode::JrtPrompt jrt_of(cli::Tool& tool, u64& key) {
  const cli::Options& options = tool.options();
  const std::string& given = options.text("jrt-template");
  const i64 times = options.integer("jrt-times");
  if (given.empty()) return {decode::jrt_order(options.text("jrt"), times), separator_of(options)};
  if (is_order(given)) {
    if (options.asked("jrt-times"))
      throw Error(ErrorKind::kUsage, "--jrt-times: the order says how often a document is read");
    return {given, separator_of(options)};
  }
  if (!io::path_exists(given))
    throw Error(ErrorKind::kUsage,
                cat("--jrt-template: ", quote(given), " is neither an order of C and Q nor a file"),
                "CQ, QCQ, CCQ, CQCQ and QCCQ are orders");
  tool.add_input(given);
  const std::string source = io::read_file(given, text::kMostChatBytes);
  key = xxh3_64(source);
  return {source, given, separator_of(options), times};
}

}  // namespace

Prompts::Prompts(cli::Tool& tool, const PromptModel& model, i64 first)
    : options_(tool.options()),
      memory_(*tool.ctx().memory),
      model_(model),
      most_(model.all ? std::numeric_limits<i32>::max() : model.positions),
      encoder_(model.tokenizer, model.begin),
      chat_(tool, model.tokenizer),
      jrt_(jrt_of(tool, jrt_key_)) {
  if (options_.integer("pause-tokens") > 0) {
    const std::string& token = options_.text("pause-token");
    const std::optional<i32> id = model.tokenizer.find(token);
    if (!id)
      throw Error(ErrorKind::kUsage,
                  cat("--pause-token ", quote(token), ": the tokenizer has none"),
                  "a model that was trained with such a token has one in its vocabulary");
    pause_ = *id;
  }
  const auto add = [&](i64& at, std::string path) {
    at = first + isize(paths_);
    paths_.push_back(std::move(path));
  };
  const std::string& field = options_.text("prompt-field");
  if (field != "id") add(at_.prompt, field);
  add(at_.tokens, "tokens");
  if (options_.asked("prompt-field")) return;
  add(at_.messages, "messages");
  add(at_.tools, "tools");
  add(at_.documents, "documents");
  add(at_.context, "context");
  add(at_.question, "question");
  add(at_.kind, "kind");
  add(at_.intro, "intro");
  add(at_.cloze, "cloze");
}

std::vector<u64> Prompts::keys() const {
  std::vector<u64> out;
  if (chat_.key()) out.push_back(*chat_.key());
  if (jrt_key_ != 0) out.push_back(jrt_key_);
  return out;
}

std::string Prompts::text_of(std::vector<i32> tokens) const {
  std::erase_if(tokens, [&](i32 id) { return !model_.tokenizer.has(id); });
  return model_.tokenizer.decode(tokens, false);
}

/// Long texts alone: the fixed part of --memory has room for others.
std::optional<MemoryCharge> Prompts::charge(i64 text_bytes) const {
  if (text_bytes < i64{1} << 20) return std::nullopt;
  return std::optional<MemoryCharge>(std::in_place, memory_,
                                     decode::PromptEncoder::prompt_bytes(text_bytes, most_),
                                     "the tokens of a prompt");
}

std::optional<Fault> Prompts::encode(decode::PromptText text, ReadPrompt& out) {
  const std::optional<MemoryCharge> held = charge(isize(text.text));
  Result<std::vector<decode::PromptRow>> rows = encoder_.prompt(text, most_);
  if (!rows) return rows.fault();
  out.rows = std::move(*rows);
  if (options_.on("echo")) out.text = std::move(text.text);
  return std::nullopt;
}

std::optional<Fault> Prompts::read(io::JsonReader& json, i64 id, i64 max_tokens, ReadPrompt& out) {
  const auto is = [&](i64 field, io::JsonType type) {
    return field >= 0 && json.field(field).type == type;
  };
  const bool prompt = at_.prompt >= 0 && json.has(at_.prompt);
  const bool messages = is(at_.messages, io::JsonType::kArray);
  if (prompt && is(at_.tokens, io::JsonType::kArray))
    return Fault{"prompt", "the record has both a prompt and tokens, expected one of them", -1};
  if (messages && (prompt || json.has(at_.tokens)))
    return Fault{"prompt",
                 cat("the record has both messages and ", prompt ? "a prompt" : "tokens",
                     ", expected one of them"),
                 -1};
  std::optional<Fault> fault;
  i64 tokens_there = 0;  // where not all of them are made rows
  if (json.has(at_.tokens)) {
    std::vector<i32> tokens;
    fault = json.integers(at_.tokens, model_.vocab, tokens);
    out.rows = decode::prompt_rows(tokens);
    if (!fault && options_.on("echo")) out.text = text_of(std::move(tokens));
  } else if (messages) {
    fault = read_messages(json, out);
    tokens_there = encoder_.prompt_rows();
  } else if (!prompt && is(at_.context, io::JsonType::kString) &&
             is(at_.question, io::JsonType::kString)) {
    fault = read_document(json, max_tokens, out);
  } else if (is(at_.prompt, io::JsonType::kArray)) {
    fault = read_sets(json, out);
  } else {
    const Result<std::string_view> text = json.string(at_.prompt >= 0 ? at_.prompt : id);
    fault = text ? encode(*text, out) : text.fault();
    tokens_there = encoder_.prompt_rows();
  }
  if (!fault) pause(out);
  if (!fault && isize(out.rows) > most_)
    fault = Fault{"context",
                  cat("the prompt has ", std::max(isize(out.rows), tokens_there),
                      " tokens, the model's context ", model_.positions),
                  -1};
  if (!fault && model_.in_order && !decode::in_order(out.rows))
    fault = Fault{"prompt", "the model has recurrent layers, which read no sets side by side", -1};
  if (!fault && out.rows.empty() && !model_.empty)
    fault =
        Fault{"prompt", "the prompt is empty and the model has no token that begins a text", -1};
  return fault;
}

/// Rows behind the prompt that hold nothing but time.
void Prompts::pause(ReadPrompt& out) const {
  for (i64 i = 0; i < options_.integer("pause-tokens") && !out.rows.empty(); ++i) {
    decode::PromptRow row(pause_);
    if (out.next >= 0) row.position = out.next++;
    out.rows.push_back(row);
  }
}

Result<text::Value> read_list(const io::JsonReader& json, i64 field) {
  if (field < 0 || !json.has(field)) return text::Value();
  if (json.field(field).type != io::JsonType::kArray)
    return Fault{"messages", cat("field \"", json.path(field), "\" is not a list"),
                 json.field(field).begin};
  return text::parse_json_value(json.raw(field));
}

/// [{"text": T}, {"set": [T, ...]}, ...], a text also as itself.
std::optional<Fault> Prompts::read_sets(io::JsonReader& json, ReadPrompt& out) {
  const Fault wrong{
      "prompt",
      cat("field \"", json.path(at_.prompt),
          "\" is a list of other things than texts, {\"text\": ...} and {\"set\": [...]}"),
      json.field(at_.prompt).begin};
  const Result<text::Value> list = text::parse_json_value(json.raw(at_.prompt));
  if (!list) return list.fault();
  std::vector<decode::PromptPart> parts;
  i64 bytes = 0;
  for (const text::Value& one : list->list()) {
    decode::PromptPart& part = parts.emplace_back();
    const text::Value* const text = one.is_map() ? one.find("text") : &one;
    const text::Value* const set = one.is_map() ? one.find("set") : nullptr;
    if (one.is_map() && one.map().size() != 1) return wrong;
    if (set != nullptr) {
      part.set = true;
      if (!set->is_list()) return wrong;
      for (const text::Value& member : set->list()) {
        if (!member.is_string()) return wrong;
        part.texts.push_back(member.str());
      }
    } else if (text != nullptr && text->is_string()) {
      part.texts.push_back(text->str());
    } else {
      return wrong;
    }
    for (const std::string& each : part.texts) {
      bytes += isize(each);
      if (options_.on("echo")) out.text += each;
    }
  }
  const std::optional<MemoryCharge> held = charge(bytes);
  decode::SetOptions how;
  how.canonical = options_.text("sets-order") == "canonical";
  how.parallel = options_.on("sets-parallel");
  how.apart = options_.on("sets-apart");
  Result<decode::SetPrompt> rows = decode::encode_sets(encoder_, parts, how);
  if (!rows) return rows.fault();
  out.rows = std::move(rows->rows);
  out.next = rows->next;
  return std::nullopt;
}

std::optional<Fault> Prompts::read_messages(io::JsonReader& json, ReadPrompt& out) {
  text::ChatInput input;
  Result<text::Value> messages = text::read_messages(json.raw(at_.messages));
  if (!messages) return messages.fault();
  input.messages = *messages;
  for (const auto& [field, value] :
       {std::pair{at_.tools, &input.tools}, std::pair{at_.documents, &input.documents}}) {
    const Result<text::Value> list = read_list(json, field);
    if (!list) return list.fault();
    *value = *list;
  }
  input.continued = options_.on("continue-final-message");
  Result<decode::PromptText> text = chat_.prompt(input, encoder_.state());
  if (!text) return text.fault();
  out.messages = true;
  return encode(std::move(*text), out);
}

std::optional<Fault> Prompts::read_document(io::JsonReader& json, i64 max_tokens, ReadPrompt& out) {
  decode::JrtInput input;
  const auto optional = [&](i64 field, std::optional<std::string>& to) -> std::optional<Fault> {
    if (!json.has(field)) return std::nullopt;
    const Result<std::string_view> text = json.string(field);
    if (!text) return text.fault();
    to = *text;
    return std::nullopt;
  };
  std::optional<std::string> context;
  std::optional<std::string> question;
  std::optional<std::string> kind;
  std::optional<Fault> fault = optional(at_.context, context);
  if (!fault) fault = optional(at_.question, question);
  if (!fault) fault = optional(at_.kind, kind);
  if (!fault) fault = optional(at_.intro, input.intro);
  if (!fault) fault = optional(at_.cloze, input.cloze);
  if (fault) return fault;
  out.document = true;
  input.context = std::move(*context);
  input.question = std::move(*question);
  input.kind = kind.value_or("");
  Result<std::string> text = jrt_.render(input);
  if (!text) return text.fault();
  fault = encode(std::string_view(*text), out);
  const i64 room = model_.positions - max_tokens;
  if (fault || isize(out.rows) <= room) return fault;
  const Fault too_long{"context",
                       cat("the prompt has ", encoder_.prompt_rows(), " tokens and max_tokens is ",
                           max_tokens, ", the model's context ", model_.positions),
                       -1};
  if (!options_.on("truncate")) return too_long;
  fault = fit(input, room, out);
  if (!fault && isize(out.rows) > room) return too_long;
  return fault;
}

/// The longest beginning of the document, in its own tokens, with which the prompt has `room`
/// tokens at most; none of it if even that is too much.
std::optional<Fault> Prompts::fit(const decode::JrtInput& input, i64 room, ReadPrompt& out) {
  const Result<std::string> document = decode::JrtPrompt::document(input);
  if (!document) return document.fault();
  const Result<std::vector<std::pair<i64, i64>>> tokens = encoder_.offsets(*document);
  if (!tokens) return tokens.fault();
  const auto try_with = [&](i64 kept) -> std::optional<Fault> {
    i64 bytes = kept == 0 ? 0 : (*tokens)[usize(kept - 1)].second;
    while (bytes > 0 && bytes < isize(*document) &&
           (static_cast<u8>((*document)[usize(bytes)]) & 0xC0) == 0x80)
      --bytes;  // a token may end inside a character
    Result<std::string> text = jrt_.render(input, bytes);
    return text ? encode(std::string_view(*text), out) : text.fault();
  };
  i64 fits = 0;
  i64 exceeds = isize(*tokens);
  while (exceeds - fits > 1) {
    const i64 middle = fits + (exceeds - fits) / 2;
    if (std::optional<Fault> fault = try_with(middle)) return fault;
    (isize(out.rows) <= room ? fits : exceeds) = middle;
  }
  out.truncated = true;
  return try_with(fits);
}

}  // namespace lm::decode_tool
