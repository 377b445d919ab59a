#include "model/json_fields.h"

#include <cmath>

namespace lm::model {

JsonFields::JsonFields(const Json& object, std::string_view file, std::string_view path)
    : object_(object), file_(file), path_(path) {}

bool JsonFields::has(const char* key) const {
  const Json::const_iterator it = object_.find(key);
  return it != object_.end() && !it->is_null();
}

void JsonFields::fail(const char* key, std::string_view expected) const {
  const Json::const_iterator it = object_.find(key);
  const std::string name = cat("\"", path_, key, "\"");
  if (it == object_.end())
    throw Error(ErrorKind::kData, cat(file_, ": key ", name, " is missing, expected ", expected));
  const std::string seen = it->dump(-1, ' ', true, Json::error_handler_t::replace);
  const std::string shown = seen.size() > 60 ? seen.substr(0, 57) + "..." : seen;
  throw Error(ErrorKind::kData, cat(file_, ": key ", name, " is ", shown, ", expected ", expected));
}

const Json& JsonFields::at(const char* key, std::string_view expected) const {
  if (!has(key)) fail(key, expected);
  return *object_.find(key);
}

i64 JsonFields::integer(const char* key, i64 low, i64 high) const {
  const std::string expected = cat("a whole number from ", low, " to ", high);
  const Json& value = at(key, expected);
  if (!value.is_number_integer()) fail(key, expected);
  // An unsigned value above 2^63 would turn negative; it is out of every range here.
  if (value.is_number_unsigned() && value.get<u64>() > static_cast<u64>(high)) fail(key, expected);
  const i64 number = value.get<i64>();
  if (number < low || number > high) fail(key, expected);
  return number;
}

i64 JsonFields::integer_or(const char* key, i64 fallback, i64 low, i64 high) const {
  return has(key) ? integer(key, low, high) : fallback;
}

f64 JsonFields::number(const char* key, f64 low, f64 high) const {
  const std::string expected = cat("a number from ", low, " to ", high);
  const Json& value = at(key, expected);
  if (!value.is_number()) fail(key, expected);
  const f64 number = value.get<f64>();
  if (!(number >= low && number <= high)) fail(key, expected);
  return number;
}

f64 JsonFields::number_or(const char* key, f64 fallback, f64 low, f64 high) const {
  return has(key) ? number(key, low, high) : fallback;
}

bool JsonFields::flag_or(const char* key, bool fallback) const {
  if (!has(key)) return fallback;
  const Json& value = *object_.find(key);
  if (!value.is_boolean()) fail(key, "true or false");
  return value.get<bool>();
}

std::string JsonFields::text(const char* key) const {
  const Json& value = at(key, "a string");
  if (!value.is_string()) fail(key, "a string");
  return value.get<std::string>();
}

std::string JsonFields::text_or(const char* key, std::string_view fallback) const {
  return has(key) ? text(key) : std::string(fallback);
}

JsonFields JsonFields::object(const char* key) const {
  const Json& value = at(key, "an object");
  if (!value.is_object()) fail(key, "an object");
  return JsonFields(value, file_, cat(path_, key, "."));
}

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
  } catch (const Json::parse_error& error) {
    throw Error(ErrorKind::kData, cat(file, ": not valid JSON at byte ", error.byte));
  } catch (const Json::exception&) {  // what else parsing throws
    throw Error(ErrorKind::kData, cat(file, ": a number is too large"));
  }
  if (!json.is_object()) throw Error(ErrorKind::kData, cat(file, ": expected a JSON object"));
  return json;
}

}  // namespace lm::model
