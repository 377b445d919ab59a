#include "io/json_node.h"

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "core/str.h"
#include "io/json_problem.h"

namespace lm::io {

namespace {

/// A value's text for a message, cut between characters.
std::string cut(std::string text) {
  constexpr std::size_t kMostShown = 60;
  if (text.size() <= kMostShown) return text;
  std::size_t end = kMostShown - 3;
  while (end > 0 && (static_cast<u8>(text[end]) & 0xc0) == 0x80)
    --end;
  return text.substr(0, end) + "...";
}

}  // namespace

Json parse_object(std::string_view text, std::string_view file) {
  // Copying and writing recurse; the deepest file of a model has three levels.
  constexpr int kMaxDepth = 100;
  const Json::parser_callback_t shallow = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth)
      throw Error(ErrorKind::kData, cat(file, ": nested more than ", kMaxDepth, " levels deep"));
    return true;
  };
  Json json;
  try {
    json = Json::parse(text.begin(), text.end(), shallow);
  } catch (const Json::parse_error&) {
    const std::optional<JsonProblem> problem = json_problem(text);
    throw Error(ErrorKind::kData,
                cat(file, ":", problem ? problem->place() : std::string(), ": not valid JSON"));
  } catch (const Json::exception&) {  // what else parsing throws
    throw Error(ErrorKind::kData, cat(file, ": a number is too large"));
  }
  if (!json.is_object()) throw Error(ErrorKind::kData, cat(file, ": expected a JSON object"));
  return json;
}

// The error is "LINE:COLUMN: reason", as far as its place is found: the tree does not know it.
JsonDocument::JsonDocument(std::string_view text) {
  if (text.empty()) text = "";  // it is copied: not from nowhere
  const simdjson::error_code code = parser_.parse(text.data(), text.size(), true).get(root_);
  if (code == simdjson::SUCCESS) return;
  const std::optional<JsonProblem> problem = json_problem(text);
  error_ =
      cat(problem ? cat(problem->place(), ": ") : std::string(), simdjson::error_message(code));
}

JsonNode JsonDocument::root(std::string_view file) const {
  if (error_.empty()) return {root_, file};
  const bool placed = error_[0] >= '0' && error_[0] <= '9';
  const std::size_t end = placed ? error_.find(": ") : 0;
  throw Error(ErrorKind::kData, cat(file, placed ? ":" : "", error_.substr(0, end),
                                    ": not valid JSON: ", error_.substr(placed ? end + 2 : 0)));
}

bool is_plain_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

std::string JsonNode::path() const {
  if (index_ >= 0) return cat(parent_, "[", index_, "]");
  return cat(parent_, parent_.empty() ? "" : ".", key_);
}

std::string JsonNode::where() const {
  const std::string path = this->path();
  return cat(file_, path.empty() || path[0] == '[' ? "" : ".", path);
}

void JsonNode::fail(std::string_view what) const {
  throw Error(ErrorKind::kData, cat(where(), ": ", what));
}

std::string JsonNode::shown() const {
  if (const Json* const json = tree())
    return cut(json->dump(-1, ' ', true, Json::error_handler_t::replace));
  return cut(simdjson::minify(dom()));
}

void JsonNode::fail(std::string_view key, std::string_view expected) const {
  const std::optional<JsonNode> field = find(key);
  const std::string here = path();
  const std::string seen = field ? cat("is ", field->shown()) : "is missing";
  throw Error(ErrorKind::kData, cat(file_, ": key \"", here, here.empty() ? "" : ".", key, "\" ",
                                    seen, ", expected ", expected));
}

bool JsonNode::is_null() const {
  const Json* const json = tree();
  return json != nullptr ? json->is_null() : dom().is_null();
}

bool JsonNode::is_array() const {
  const Json* const json = tree();
  return json != nullptr ? json->is_array() : dom().is_array();
}

bool JsonNode::is_object() const {
  const Json* const json = tree();
  return json != nullptr ? json->is_object() : dom().is_object();
}

std::optional<std::string_view> JsonNode::as_string() const {
  if (const Json* const json = tree()) {
    if (!json->is_string()) return std::nullopt;
    return json->get_ref<const std::string&>();
  }
  std::string_view text;
  if (dom().get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

std::optional<std::pair<std::string_view, std::string_view>> JsonNode::as_string_pair() const {
  if (!is_array() || size() != 2) return std::nullopt;
  std::pair<std::string_view, std::string_view> out;
  if (const Json* const json = tree()) {
    if (!(*json)[0].is_string() || !(*json)[1].is_string()) return std::nullopt;
    out = {(*json)[0].get_ref<const std::string&>(), (*json)[1].get_ref<const std::string&>()};
    return out;
  }
  simdjson::dom::array::iterator at = dom().get_array().value_unsafe().begin();
  if ((*at).get(out.first) != simdjson::SUCCESS) return std::nullopt;
  ++at;
  if ((*at).get(out.second) != simdjson::SUCCESS) return std::nullopt;
  return out;
}

std::optional<bool> JsonNode::as_boolean() const {
  if (const Json* const json = tree()) {
    if (!json->is_boolean()) return std::nullopt;
    return json->get<bool>();
  }
  bool flag = false;
  if (dom().get(flag) != simdjson::SUCCESS) return std::nullopt;
  return flag;
}

std::optional<i64> JsonNode::as_integer() const {
  if (const Json* const json = tree()) {
    if (!json->is_number_integer()) return std::nullopt;
    // An unsigned value above 2^63 would turn negative.
    if (json->is_number_unsigned() && json->get<u64>() >> 63 != 0) return std::nullopt;
    return json->get<i64>();
  }
  i64 number = 0;
  if (dom().get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

std::optional<f64> JsonNode::as_number() const {
  if (const Json* const json = tree()) {
    if (!json->is_number()) return std::nullopt;
    return json->get<f64>();
  }
  f64 number = 0;
  if (dom().get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

std::string_view JsonNode::str() const {
  const std::optional<std::string_view> text = as_string();
  if (!text) fail("expected a string");
  return *text;
}

bool JsonNode::boolean() const {
  const std::optional<bool> flag = as_boolean();
  if (!flag) fail("expected true or false");
  return *flag;
}

i64 JsonNode::integer() const {
  const std::optional<i64> number = as_integer();
  if (!number) fail("expected an integer");
  return *number;
}

f64 JsonNode::number() const {
  const std::optional<f64> number = as_number();
  if (!number) fail("expected a number");
  return *number;
}

void JsonNode::require_array() const {
  if (!is_array()) fail("expected an array");
}

void JsonNode::require_object() const {
  if (!is_object()) fail("expected an object");
}

i64 JsonNode::size() const {
  if (const Json* const json = tree()) {
    if (!json->is_array()) require_object();
    return isize(*json);
  }
  if (dom().is_array()) return isize(dom().get_array().value_unsafe());
  require_object();
  return isize(dom().get_object().value_unsafe());
}

JsonNode JsonNode::item(i64 index) const {
  require_array();
  LM_CHECK(index >= 0 && index < size(), "items of an array are asked for within its size");
  if (const Json* const json = tree()) return {&(*json)[usize(index)], file_, path(), {}, index};
  return {dom().get_array().value_unsafe().at(usize(index)).value(), file_, path(), {}, index};
}

void JsonNode::only(std::initializer_list<std::string_view> known) const {
  std::vector<bool> seen(known.size(), false);
  each_field([&](std::string_view key, const JsonNode&) {
    const auto found = std::find(known.begin(), known.end(), key);
    if (found == known.end()) fail(cat("has an unknown field ", quote(key)));
    const std::size_t index = static_cast<std::size_t>(found - known.begin());
    if (seen[index]) fail(cat("has ", quote(key), " twice"));
    seen[index] = true;
  });
}

std::optional<JsonNode> JsonNode::find(std::string_view key) const {
  require_object();
  if (const Json* const json = tree()) {
    const Json::const_iterator at = json->find(key);
    if (at == json->end()) return std::nullopt;
    return JsonNode(&*at, file_, path(), key, -1);
  }
  simdjson::dom::element field;
  if (dom().at_key(key).get(field) != simdjson::SUCCESS) return std::nullopt;
  return JsonNode(field, file_, path(), key, -1);
}

JsonNode JsonNode::at(std::string_view key) const {
  const std::optional<JsonNode> field = find(key);
  if (!field) fail(cat("has no field ", quote(key)));
  return *field;
}

std::optional<JsonNode> JsonNode::maybe(std::string_view key) const {
  const std::optional<JsonNode> field = find(key);
  return field && !field->is_null() ? field : std::nullopt;
}

bool JsonNode::contains(std::string_view key) const {
  return find(key).has_value();
}

i64 JsonNode::integer(std::string_view key, i64 low, i64 high) const {
  const std::optional<JsonNode> field = find(key);
  const std::optional<i64> number = field ? field->as_integer() : std::nullopt;
  if (!number || *number < low || *number > high)
    fail(key, cat(low, " to ", high, ", a whole number"));
  return *number;
}

i64 JsonNode::integer_or(std::string_view key, i64 fallback, i64 low, i64 high) const {
  return has(key) ? integer(key, low, high) : fallback;
}

f64 JsonNode::number(std::string_view key, f64 low, f64 high) const {
  const std::optional<JsonNode> field = find(key);
  const std::optional<f64> number = field ? field->as_number() : std::nullopt;
  if (!number || !(*number >= low && *number <= high))
    fail(key, cat("a number from ", low, " to ", high));
  return *number;
}

f64 JsonNode::number_or(std::string_view key, f64 fallback, f64 low, f64 high) const {
  return has(key) ? number(key, low, high) : fallback;
}

bool JsonNode::flag(std::string_view key) const {
  const std::optional<JsonNode> field = find(key);
  const std::optional<bool> flag = field ? field->as_boolean() : std::nullopt;
  if (!flag) fail(key, "true or false");
  return *flag;
}

bool JsonNode::flag_or(std::string_view key, bool fallback) const {
  return has(key) ? flag(key) : fallback;
}

std::string JsonNode::text(std::string_view key) const {
  const std::optional<JsonNode> field = find(key);
  const std::optional<std::string_view> text = field ? field->as_string() : std::nullopt;
  if (!text) fail(key, "a string");
  return std::string(*text);
}

std::string JsonNode::text_or(std::string_view key, std::string_view fallback) const {
  return has(key) ? text(key) : std::string(fallback);
}

JsonNode JsonNode::object(std::string_view key) const {
  const std::optional<JsonNode> field = find(key);
  if (!field || !field->is_object()) fail(key, "an object");
  return *field;
}

JsonNode JsonNode::array(std::string_view key) const {
  const std::optional<JsonNode> field = find(key);
  if (!field || !field->is_array()) fail(key, "an array");
  return *field;
}

}  // namespace lm::io
