#include "decode/languages.h"

#include <algorithm>

#include "core/str.h"
#include "io/json_parse.h"

namespace lm::decode {

using grammar::GrammarPtr;
using Kind = Language::Kind;

Result<GrammarPtr> compile(const Language& language, const grammar::SchemaOptions& schema,
                           const grammar::CompileRoom& room) {
  switch (language.kind) {
    case Kind::kGbnf:
      return grammar::compile_gbnf(language.text, room);
    case Kind::kLark:
      return grammar::compile_lark(language.text, room);
    case Kind::kRegex:
      return grammar::compile_regex(language.text, room);
    case Kind::kJson:
      return grammar::compile_json(schema, room);
    case Kind::kSchema:
    case Kind::kChoices:
      break;
  }
  const bool schemas = language.kind == Kind::kSchema;
  const Result<io::Json> json = io::parse_json(language.text);
  if (!json)
    return Fault{"grammar",
                 cat(schemas ? "the schema is" : "choices are", " no JSON: ", json.fault().detail),
                 -1};
  if (schemas) return grammar::compile_json_schema(*json, schema, room);
  const bool texts =
      json->is_array() && !json->empty() &&
      std::all_of(json->begin(), json->end(), [](const io::Json& one) { return one.is_string(); });
  if (!texts) return Fault{"grammar", "choices are a list of texts", -1};
  return grammar::compile_choices(json->get<std::vector<std::string>>(), room);
}

namespace {

constexpr std::pair<std::string_view, Kind> kConstraints[] = {{"regex", Kind::kRegex},
                                                              {"json_schema", Kind::kSchema},
                                                              {"choices", Kind::kChoices},
                                                              {"grammar", Kind::kGbnf}};

/// {"type": ..., "value": ...}: the value as the field of that name would have it.
Result<Language> read_constraint(std::string_view raw, i64 offset) {
  const auto wrong = [&](std::string what) { return Fault{"grammar", std::move(what), offset}; };
  const Result<io::Json> parsed = io::parse_json(raw);
  if (!parsed) return wrong(cat("field \"constraint\" is no JSON: ", parsed.fault().detail));
  const io::Json& json = *parsed;
  if (!json.is_object()) return wrong("field \"constraint\" is not an object");
  for (const auto& [key, value] : json.items())
    if (key != "type" && key != "value")
      return wrong(cat("field \"constraint\" has ", quote(key), ", expected type and value"));
  const auto type = json.find("type");
  const auto value = json.find("value");
  if (type == json.end() || value == json.end() || !type->is_string())
    return wrong("field \"constraint\" has no type or no value");
  const std::string& name = type->get_ref<const std::string&>();
  const std::optional<Kind> kind = constraint_kind(name);
  if (!kind)
    return wrong(cat("constraint.type is ", quote(name),
                     ", expected regex, json_schema, choices or grammar"));
  if (*kind == Kind::kChoices || (*kind == Kind::kSchema && !value->is_string()))
    return Language{*kind, value->dump()};
  if (!value->is_string()) return wrong(cat("constraint.value of ", name, " is no text"));
  return Language{*kind, value->get<std::string>()};
}

Result<Language> read_field(io::JsonReader& json, i64 field, Kind kind) {
  const bool text = json.field(field).type == io::JsonType::kString;
  if (kind == Kind::kChoices || (kind == Kind::kSchema && !text))
    return Language{kind, std::string(json.raw(field))};
  const Result<std::string_view> own = json.string(field);
  if (!own) return own.fault();
  return Language{kind, std::string(*own)};
}

}  // namespace

std::optional<Kind> constraint_kind(std::string_view type) {
  for (const auto& [name, kind] : kConstraints)
    if (name == type) return kind;
  return std::nullopt;
}

std::string constraint_json(const Language& language) {
  for (const auto& [name, kind] : kConstraints) {
    if (kind != language.kind) continue;
    const bool json = kind == Kind::kSchema || kind == Kind::kChoices;
    return cat("{\"type\":\"", name,
               "\",\"value\":", json ? language.text : io::json_string(language.text), "}");
  }
  return "null";
}

Result<std::optional<Language>> language_of(io::JsonReader& json, const LanguageFields& fields) {
  std::optional<Language> out;
  for (const auto& [field, kind] :
       {std::pair{fields.grammar, Kind::kGbnf}, std::pair{fields.regex, Kind::kRegex},
        std::pair{fields.schema, Kind::kSchema}, std::pair{fields.choices, Kind::kChoices},
        std::pair{fields.constraint, Kind::kJson}}) {
    if (field < 0 || !json.has(field)) continue;
    if (out)
      return Fault{"grammar",
                   "the record has several of grammar, regex, schema, choices and constraint",
                   json.field(field).begin};
    Result<Language> read = field == fields.constraint
                                ? read_constraint(json.raw(field), json.field(field).begin)
                                : read_field(json, field, kind);
    if (!read) return read.fault();
    out = std::move(*read);
  }
  return out;
}

Languages::Languages(const text::Tokenizer& tokenizer, i64 vocab, std::vector<i32> ends,
                     const LanguagesOptions& options)
    : Languages(std::vector<std::string>(), std::move(ends), options) {
  tokenizer_ = &tokenizer;
  vocab_ = vocab;
}

Languages::Languages(std::vector<std::string> texts, std::vector<i32> ends,
                     const LanguagesOptions& options)
    : texts_(std::move(texts)), ends_(std::move(ends)), options_(options) {
  if (options.memory == nullptr) return;
  memory_ = std::make_shared<grammar::TableMemory>(*options.memory);
  const i64 quarter = std::max<i64>(options.memory->available() / 4, 1 << 16);
  options_.state_bytes = std::min(quarter, options.state_bytes);
  memory_->on_shortage([this] { return drop_idle(); });
}

Languages::~Languages() {
  if (!memory_) return;
  memory_->on_shortage(nullptr);
  memory_->give(charged_);
}

void Languages::make_trie() {
  trie_ = tokenizer_ != nullptr ? std::make_shared<const grammar::TokenTrie>(*tokenizer_, vocab_)
                                : std::make_shared<const grammar::TokenTrie>(std::move(texts_));
  texts_.clear();
  if (!memory_) return;
  memory_->take(trie_->bytes());
  charged_ = trie_->bytes();
}

Result<Languages::Matcher> Languages::make(const Language& language) {
  std::call_once(first_, [&] { make_trie(); });
  Result<GrammarPtr> compiled = [&] {
    grammar::TableHold hold(memory_);
    return compile(language, options_.schema, {options_.state_bytes, &hold});
  }();
  if (!compiled) return compiled.fault();
  grammar::MatcherOptions size;
  size.state_bytes = options_.state_bytes;
  size.memory = memory_;
  size.beside = 2 * isize(language.text);
  Result<std::unique_ptr<grammar::Matcher>> made =
      grammar::Matcher::make(std::move(*compiled), trie_, ends_, size);
  if (!made) return made.fault();
  return Matcher(std::move(*made));
}

Result<Languages::Matcher> Languages::get(const Language& language) {
  const std::string key = cat(static_cast<int>(language.kind), language.text);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto known = made_.find(key);
    if (known != made_.end()) {
      const auto place = std::find(order_.begin(), order_.end(), key);
      std::rotate(place, place + 1, order_.end());
      return known->second;
    }
  }
  // Without the lock: tables that grow meanwhile may want what is idle to be dropped.
  Result<Matcher> made = make(language);
  if (!made) return made;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto [place, fresh] = made_.try_emplace(key, *made);
  if (!fresh) return place->second;
  if (isize(order_) == options_.kept) {
    made_.erase(order_.front());
    order_.erase(order_.begin());
  }
  order_.push_back(key);
  return made;
}

/// The least lately used language that only this object holds.
bool Languages::drop_idle() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto key = order_.begin(); key != order_.end(); ++key) {
    const auto at = made_.find(*key);
    if (at->second.use_count() > 1) continue;
    made_.erase(at);
    order_.erase(key);
    return true;
  }
  return false;
}

}  // namespace lm::decode
