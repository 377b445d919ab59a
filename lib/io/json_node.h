#pragma once
// Typed reading of JSON files: settings, manifests, headers, tokenizers. A node knows where it
// stands, so that every complaint names the file, the place, what was expected and what was found.
// One reader over two parsers: nlohmann's for files that are written again or hold whole numbers
// beyond 64 bits, simdjson's DOM for large files. Records of streams are json.h's.

#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>
#include <simdjson.h>

#include "core/types.h"

namespace lm::io {

/// JSON that can be changed and written; keeps the order of keys.
using Json = nlohmann::ordered_json;

/// Parses an object. Throws Error{kData} naming file and the byte of the first error, for more than
/// 100 levels and for numbers beyond f64.
Json parse_object(std::string_view text, std::string_view file);

/// A value inside a Json or a JsonDocument, which outlives it, as do the file's name and the keys
/// it was reached by. Copying costs one short string. What fails throws Error{kData}: of the value
/// itself "FILE.a.b[3]: expected a string", of a field that is asked for by key
/// "FILE: key "a.b" is VALUE, expected WHAT".
class JsonNode {
 public:
  /// A template so that nothing is converted to a Json that dies at once.
  template <std::same_as<Json> Tree>
  JsonNode(const Tree& root, std::string_view file) : value_(&root), file_(file) {}
  JsonNode(simdjson::dom::element root, std::string_view file) : value_(root), file_(file) {}

  /// "a.b[3]", empty for the root.
  std::string path() const;
  /// "FILE.a.b[3]".
  std::string where() const;
  /// "FILE.a.b[3]: what".
  [[noreturn]] void fail(std::string_view what) const;

  bool is_null() const;
  bool is_array() const;
  bool is_object() const;
  /// The value if it is of the type: whole numbers that fit, numbers as f64.
  std::optional<std::string_view> as_string() const;
  std::optional<bool> as_boolean() const;
  std::optional<i64> as_integer() const;
  std::optional<f64> as_number() const;
  /// The two strings of an array that holds nothing else.
  std::optional<std::pair<std::string_view, std::string_view>> as_string_pair() const;
  /// The same of values that must be of the type.
  std::string_view str() const;
  bool boolean() const;
  i64 integer() const;
  f64 number() const;

  /// Elements of an array or fields of an object, which this must be.
  i64 size() const;
  /// Element `index` < size() of an array. O(index) or better.
  JsonNode item(i64 index) const;
  /// visit(element) for each of an array, in order. Here and below the node lasts for the call; a
  /// copy of it lasts like any other.
  template <class Visit>
  void each_item(Visit visit) const;
  /// visit(key, value) for each field of an object, in the file's order, repeated ones too.
  template <class Visit>
  void each_field(Visit visit) const;
  /// Refuses fields that are not listed, and fields that stand there twice.
  void only(std::initializer_list<std::string_view> known) const;

  /// A field that must exist: "FILE.a: has no field "b"".
  JsonNode at(std::string_view key) const;
  /// A field, or nothing if it is absent or null.
  std::optional<JsonNode> maybe(std::string_view key) const;
  /// Present, perhaps null; present and not null.
  bool contains(std::string_view key) const;
  bool has(std::string_view key) const { return maybe(key).has_value(); }

  /// Fields of a type and a range. The versions with a fallback return it for absent and null.
  /// Whole number in [low, high].
  i64 integer(std::string_view key, i64 low, i64 high) const;
  i64 integer_or(std::string_view key, i64 fallback, i64 low, i64 high) const;
  /// Number in [low, high].
  f64 number(std::string_view key, f64 low, f64 high) const;
  f64 number_or(std::string_view key, f64 fallback, f64 low, f64 high) const;
  bool flag(std::string_view key) const;
  bool flag_or(std::string_view key, bool fallback) const;
  std::string text(std::string_view key) const;
  std::string text_or(std::string_view key, std::string_view fallback) const;
  JsonNode object(std::string_view key) const;
  JsonNode array(std::string_view key) const;
  /// "FILE: key "a.key" is VALUE, expected WHAT", or "is missing".
  [[noreturn]] void fail(std::string_view key, std::string_view expected) const;

 private:
  using Value = std::variant<const Json*, simdjson::dom::element>;
  JsonNode(Value value, std::string_view file, std::string parent, std::string_view key, i64 index)
      : value_(value), file_(file), parent_(std::move(parent)), key_(key), index_(index) {}

  /// Null where the value is simdjson's.
  const Json* tree() const {
    const Json* const* const found = std::get_if<const Json*>(&value_);
    return found == nullptr ? nullptr : *found;
  }
  simdjson::dom::element dom() const { return std::get<simdjson::dom::element>(value_); }
  std::optional<JsonNode> find(std::string_view key) const;
  void require_array() const;
  void require_object() const;
  std::string shown() const;

  Value value_;
  std::string_view file_;
  std::string parent_;    // path of the node above; the path is composed when it is asked for
  std::string_view key_;  // of this field, or
  i64 index_ = -1;        // of this element
};

/// A large JSON text, parsed for reading. Not movable: nodes point into it.
class JsonDocument {
 public:
  explicit JsonDocument(std::string_view text);
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  /// Why the text is no JSON, or empty.
  const std::string& error() const { return error_; }
  /// Throws Error{kData} if it is none.
  JsonNode root(std::string_view file) const;

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
  std::string error_;
};

/// Whether name is that of a file without a folder: what a manifest may name beside itself.
bool is_plain_file_name(std::string_view name);

// One node serves all elements, so that none of them copies the path.
template <class Visit>
void JsonNode::each_item(Visit visit) const {
  require_array();
  JsonNode item(value_, file_, path(), {}, 0);
  const auto pass = [&](Value value) {
    item.value_ = value;
    visit(std::as_const(item));
    ++item.index_;
  };
  if (const Json* const json = tree()) {
    for (const Json& value : *json)
      pass(&value);
    return;
  }
  const simdjson::dom::array items = dom().get_array().value_unsafe();
  for (const simdjson::dom::element value : items)
    pass(value);
}

template <class Visit>
void JsonNode::each_field(Visit visit) const {
  require_object();
  JsonNode field(value_, file_, path(), {}, -1);
  const auto pass = [&](std::string_view key, Value value) {
    field.key_ = key;
    field.value_ = value;
    visit(key, std::as_const(field));
  };
  if (const Json* const json = tree()) {
    for (const auto& [key, value] : json->items())
      pass(key, &value);
    return;
  }
  const simdjson::dom::object fields = dom().get_object().value_unsafe();
  for (const simdjson::dom::key_value_pair one : fields)
    pass(one.key, one.value);
}

}  // namespace lm::io
