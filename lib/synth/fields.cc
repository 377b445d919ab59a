#include "synth/fields.h"

#include "core/str.h"
#include "io/json.h"

namespace lm::synth {

void add_text(std::string& fields, std::string_view name, std::string_view text) {
  append(fields, ",\"", name, "\":");
  io::append_json_string(fields, text);
}

void add_json(std::string& fields, std::string_view name, std::string_view json) {
  append(fields, ",\"", name, "\":", json);
}

void add_list(std::string& fields, std::string_view name, std::span<const i64> numbers) {
  append(fields, ",\"", name, "\":[");
  for (std::size_t i = 0; i < numbers.size(); ++i)
    append(fields, i > 0 ? "," : "", numbers[i]);
  fields += ']';
}

void add_reals(std::string& fields, std::string_view name, std::span<const f64> numbers) {
  append(fields, ",\"", name, "\":[");
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) fields += ',';
    io::append_json_number(fields, numbers[i]);
  }
  fields += ']';
}

namespace {

constexpr std::string_view kSingle =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

}  // namespace

std::string symbol(i64 id) {
  return id < isize(kSingle) ? std::string(1, kSingle[usize(id)]) : cat("s", id);
}

std::optional<i64> symbol_id(std::string_view word) {
  if (word.size() == 1) {
    const std::size_t at = kSingle.find(word[0]);
    return at == std::string_view::npos ? std::nullopt : std::optional(static_cast<i64>(at));
  }
  if (!word.starts_with("s")) return std::nullopt;
  const std::optional<i64> id = parse_int(word.substr(1));
  // One spelling each.
  return id && *id >= isize(kSingle) && symbol(*id) == word ? id : std::nullopt;
}

std::string words(std::span<const i64> ids, i64 plain, std::span<const std::string_view> names) {
  std::string out;
  for (const i64 id : ids) {
    if (!out.empty()) out += ' ';
    out += id < plain ? symbol(id) : std::string(names[usize(id - plain)]);
  }
  return out;
}

void add_question(std::string& fields, bool as_ids, std::span<const i64> prompt,
                  std::span<const i64> completion, i64 plain,
                  std::span<const std::string_view> names) {
  if (as_ids) {
    add_list(fields, "prompt_ids", prompt);
    add_list(fields, "completion_ids", completion);
    return;
  }
  add_text(fields, "prompt", words(prompt, plain, names));
  add_text(fields, "completion", " " + words(completion, plain, names));
}

std::string key_of(std::span<const i64> ids) {
  std::string out;
  for (const i64 id : ids)
    append(out, id, ",");
  return out;
}

}  // namespace lm::synth
