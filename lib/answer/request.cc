#include "answer/request.h"

#include <utility>

#include "core/hash.h"
#include "core/str.h"
#include "core/utf8.h"
#include "decode/stop.h"
#include "io/json.h"

namespace lm::answer {

namespace {

constexpr std::size_t kKeptForms = 16;
constexpr i64 kStateBytes = i64{64} << 20;

const char* form_name(Form::Kind kind) {
  switch (kind) {
    case Form::Kind::kFree:
      return "free";
    case Form::Kind::kGbnf:
      return "gbnf";
    case Form::Kind::kLark:
      return "lark";
    case Form::Kind::kRegex:
      return "regex";
    case Form::Kind::kSchema:
      return "json_schema";
    case Form::Kind::kChoices:
      return "choices";
  }
  return "";
}

}  // namespace

std::string plain_prompt(const Request& request) {
  if (request.messages.empty()) return request.prompt;
  std::string out;
  for (const Message& message : request.messages)
    append(out, message.role, ": ", message.content, "\n");
  return out + "assistant:";
}

i64 prompt_bytes(const Request& request) {
  i64 out = isize(request.prompt);
  for (const Message& message : request.messages)
    out += isize(message.role) + isize(message.content) + 3;
  return out;
}

std::string canonical_json(const Request& request) {
  std::string out = "{";
  if (request.messages.empty()) {
    append(out, "\"prompt\":", io::json_string(request.prompt));
  } else {
    out += "\"messages\":[";
    for (const Message& message : request.messages)
      append(out, out.back() == '[' ? "" : ",", "{\"role\":", io::json_string(message.role),
             ",\"content\":", io::json_string(message.content), "}");
    out += "]";
  }
  append(out, ",\"params\":", decode::params_json(request.params), ",\"seed\":", request.seed,
         ",\"form\":{\"kind\":\"", form_name(request.form.kind),
         "\",\"text\":", io::json_string(request.form.text), "},\"score\":[");
  for (const std::string& text : request.score)
    append(out, out.back() == '[' ? "" : ",", io::json_string(text));
  return out + "]}";
}

std::string request_key(const Request& request, u64 answerer) {
  const Hash128 hash = xxh3_128(canonical_json(request), answerer);
  return hex64(hash.hi) + hex64(hash.lo);
}

u64 seed_of(const Request& request) {
  return request.params.seed.value_or(request.seed);
}

i64 count_characters(std::string_view text) {
  i64 count = 0;
  for (i64 at = 0; at < isize(text); ++count)
    at += decode_at(text, at).size;
  return count;
}

bool end_text(const std::vector<std::unique_ptr<decode::Constraint>>& constraints, Reply& reply) {
  for (const std::unique_ptr<decode::Constraint>& constraint : constraints) {
    const std::optional<decode::TextEnd> end = constraint->end(reply.text);
    if (!end) continue;
    reply.finish_reason = end->reason;
    if (end->bytes) reply.text.resize(usize(*end->bytes));
    return true;
  }
  return false;
}

void end_reply(const decode::SampleParams& params, Reply& reply) {
  const i64 chars = count_characters(reply.text);
  const i64 all = reply.tokens >= 0 ? reply.tokens : chars;
  const bool cut = all > params.max_tokens;
  // Characters of the first max_tokens tokens. Both are at most a thousand million.
  const i64 most = cut ? chars * params.max_tokens / all : chars;
  reply.tokens = cut ? params.max_tokens : all;
  if (cut) reply.finish_reason = kLength;
  const std::vector<std::unique_ptr<decode::Constraint>> constraints =
      decode::text_constraints(params, nullptr);
  if (constraints.empty() && !cut) return;
  const std::string whole = std::exchange(reply.text, {});
  i64 at = 0;
  for (i64 read = 1; read <= most; ++read) {
    const Decoded c = decode_at(whole, at);
    reply.text.append(whole, usize(at), usize(c.size));
    at += c.size;
    for (const std::unique_ptr<decode::Constraint>& constraint : constraints)
      constraint->accept(static_cast<i32>(c.cp));
    if (!end_text(constraints, reply)) continue;
    reply.tokens = (read * all + chars - 1) / chars;
    return;
  }
}

namespace {

constexpr std::pair<Form::Kind, decode::Language::Kind> kKinds[] = {
    {Form::Kind::kGbnf, decode::Language::Kind::kGbnf},
    {Form::Kind::kLark, decode::Language::Kind::kLark},
    {Form::Kind::kRegex, decode::Language::Kind::kRegex},
    {Form::Kind::kSchema, decode::Language::Kind::kSchema},
    {Form::Kind::kChoices, decode::Language::Kind::kChoices}};

}  // namespace

std::optional<decode::Language> language_of(const Form& form) {
  for (const auto& [own, kind] : kKinds)
    if (own == form.kind) return decode::Language{kind, form.text};
  return std::nullopt;
}

Form form_of(const decode::Language& language) {
  for (const auto& [kind, other] : kKinds)
    if (other == language.kind) return {kind, language.text};
  return {Form::Kind::kSchema, "true"};  // any JSON
}

std::optional<Fault> FormCheck::check(const Form& form, std::string_view text) {
  const std::optional<decode::Language> language = language_of(form);
  if (!language) return std::nullopt;
  const auto refused = [](const Fault& fault) { return Fault{"grammar", fault.detail, -1}; };
  std::unique_ptr<grammar::Recogniser>& own = made_[cat(form_name(form.kind), ' ', form.text)];
  if (!own) {
    grammar::SchemaOptions schema;
    schema.space = grammar::JsonSpace::kFree;
    Result<grammar::GrammarPtr> compiled = decode::compile(*language, schema);
    if (!compiled) return refused(compiled.fault());
    Result<std::unique_ptr<grammar::Recogniser>> made =
        grammar::Recogniser::make(std::move(*compiled), kStateBytes);
    if (!made) return refused(made.fault());
    own = std::move(*made);
  }
  const Result<bool> matches = own->matches(text);
  if (made_.size() > kKeptForms) made_.clear();
  if (!matches) return refused(matches.fault());
  if (*matches) return std::nullopt;
  return Fault{"form", cat("the reply ", quote(text), " is not of the form asked for"), -1};
}

}  // namespace lm::answer
