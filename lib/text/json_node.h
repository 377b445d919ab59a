#pragma once
// A JSON value that knows where it stands, so that every complaint about a tokenizer file names the
// file and the component. Over simdjson's DOM, which bounds nesting at 1024. Private to the
// loaders.

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "core/error.h"
#include "core/str.h"
#include "core/types.h"

namespace lm::text {

class JsonNode {
 public:
  JsonNode(simdjson::dom::element value, std::string where)
      : value_(value), where_(std::move(where)) {}

  /// Throws Error{kData}: "file: component: what".
  [[noreturn]] void fail(std::string_view what) const {
    throw Error(ErrorKind::kData, cat(where_, ": ", what));
  }
  const std::string& where() const { return where_; }
  bool is_null() const { return value_.is_null(); }
  bool is_string() const { return value_.is_string(); }
  bool is_object() const { return value_.is_object(); }
  bool is_array() const { return value_.is_array(); }

  std::string_view str() const {
    std::string_view text;
    if (value_.get(text) != simdjson::SUCCESS) fail("expected a string");
    return text;
  }
  bool boolean() const {
    bool flag = false;
    if (value_.get(flag) != simdjson::SUCCESS) fail("expected true or false");
    return flag;
  }
  i64 integer() const {
    i64 number = 0;
    if (value_.get(number) != simdjson::SUCCESS) fail("expected an integer");
    return number;
  }
  f64 number() const {
    f64 number = 0;
    if (value_.get(number) != simdjson::SUCCESS) fail("expected a number");
    return number;
  }
  simdjson::dom::array array() const {
    simdjson::dom::array items;
    if (value_.get(items) != simdjson::SUCCESS) fail("expected an array");
    return items;
  }
  simdjson::dom::object object() const {
    simdjson::dom::object fields;
    if (value_.get(fields) != simdjson::SUCCESS) fail("expected an object");
    return fields;
  }

  /// A field that must exist.
  JsonNode at(std::string_view key) const {
    simdjson::dom::element field;
    if (object().at_key(key).get(field) != simdjson::SUCCESS) fail(cat("has no \"", key, "\""));
    return {field, cat(where_, ".", key)};
  }
  /// A field, or nothing if it is absent or null.
  std::optional<JsonNode> maybe(std::string_view key) const {
    simdjson::dom::element field;
    if (object().at_key(key).get(field) != simdjson::SUCCESS || field.is_null())
      return std::nullopt;
    return JsonNode(field, cat(where_, ".", key));
  }
  bool flag(std::string_view key, bool fallback) const {
    const std::optional<JsonNode> field = maybe(key);
    return field ? field->boolean() : fallback;
  }
  std::string text(std::string_view key) const { return std::string(at(key).str()); }
  JsonNode item(simdjson::dom::element value, i64 index) const {
    return {value, cat(where_, "[", index, "]")};
  }
  /// Refuses fields that are not listed, since a setting we do not know may change ids, and fields
  /// that stand there twice.
  void only(std::initializer_list<std::string_view> known) const {
    std::vector<bool> seen(known.size(), false);
    for (const simdjson::dom::key_value_pair field : object()) {
      const auto found = std::find(known.begin(), known.end(), field.key);
      if (found == known.end()) fail(cat("has an unknown field ", quote(field.key)));
      const std::size_t index = static_cast<std::size_t>(found - known.begin());
      if (seen[index]) fail(cat("has ", quote(field.key), " twice"));
      seen[index] = true;
    }
  }

 private:
  simdjson::dom::element value_;
  std::string where_;
};

}  // namespace lm::text
