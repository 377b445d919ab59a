#pragma once
// A value as templates and task files have it: what JSON can say, with Python's behaviour where the
// two meet (printing, truth, comparison, slices by code point), because the templates that people
// share were written for it. Lists and maps are shared by copies, as references are there, and so
// are long texts, which nothing changes. Text is well-formed UTF-8. Whole numbers have 64 bits;
// what overflows is an error, never a wrap.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/result.h"
#include "core/types.h"

namespace lm::text {

class Value;
using ValueList = std::vector<Value>;
using ValueMap = std::vector<std::pair<Value, Value>>;  // keys are distinct, in order of insertion

/// What a name without a value is: an error as soon as it is used, but for tests and defaults.
struct Undefined {
  std::string name;
};
struct None {};

/// Arguments of a call.
struct CallArgs {
  ValueList list;
  std::vector<std::pair<std::string, Value>> named;
};
using Function = std::function<Value(CallArgs&)>;

class Value {
 public:
  Value() : state_(None{}) {}
  Value(Undefined undefined) : state_(std::move(undefined)) {}  // NOLINT: implicit by design
  Value(bool flag) : state_(flag) {}                            // NOLINT
  Value(i64 whole) : state_(whole) {}                           // NOLINT
  Value(f64 real) : state_(real) {}                             // NOLINT
  Value(std::string text);                                      // NOLINT
  Value(std::string_view text) : Value(std::string(text)) {}    // NOLINT
  Value(const char* text) : Value(std::string(text)) {}         // NOLINT
  Value(ValueList list) : Value(std::move(list), false) {}      // NOLINT
  Value(ValueMap map) : state_(std::make_shared<ValueMap>(std::move(map))) {}            // NOLINT
  Value(Function function) : state_(std::make_shared<Function>(std::move(function))) {}  // NOLINT
  static Value tuple(ValueList list);

  bool is_undefined() const { return std::holds_alternative<Undefined>(state_); }
  bool is_none() const { return std::holds_alternative<None>(state_); }
  bool is_bool() const { return std::holds_alternative<bool>(state_); }
  bool is_whole() const { return std::holds_alternative<i64>(state_); }
  bool is_real() const { return std::holds_alternative<f64>(state_); }
  bool is_number() const { return is_bool() || is_whole() || is_real(); }
  bool is_string() const {
    return std::holds_alternative<std::string>(state_) || std::holds_alternative<Text>(state_);
  }
  bool is_list() const { return std::holds_alternative<List>(state_); }  // tuples too
  bool is_tuple() const { return is_list() && std::get<List>(state_)->tuple; }
  bool is_map() const { return std::holds_alternative<Map>(state_); }
  bool is_function() const { return std::holds_alternative<Callable>(state_); }
  /// "str", "int", "list": as Python names it.
  const char* type_name() const;

  // Each LM_CHECKs the type.
  const Undefined& undefined() const { return get<Undefined>(); }
  bool flag() const { return get<bool>(); }
  i64 whole() const { return get<i64>(); }
  f64 real() const { return get<f64>(); }
  const std::string& str() const {
    const Text* const shared = std::get_if<Text>(&state_);
    return shared != nullptr ? **shared : get<std::string>();
  }
  const ValueList& list() const& { return get<List>()->items; }
  ValueList& list() & { return std::get<List>(state_)->items; }
  void list() const&& = delete;  // the items of a temporary would dangle
  const ValueMap& map() const& { return *get<Map>(); }
  ValueMap& map() & { return *std::get<Map>(state_); }
  void map() const&& = delete;
  const Function& function() const { return *get<Callable>(); }

  /// bool, int and float as a number.
  f64 number() const;
  /// bool and int as a whole number, else nothing.
  std::optional<i64> as_whole() const;

  /// The value of a key of a map, or null.
  const Value* find(const Value& key) const;
  /// Adds or replaces a key of a map.
  void set(const Value& key, Value value);

  /// What copies of this value share with it: its address, and the bytes that it takes apart from
  /// what the values inside it share. Null and 0 of what every copy has for itself.
  struct Shared {
    const void* at = nullptr;
    i64 bytes = 0;
  };
  Shared shared() const;

  /// Python's truth.
  bool truth() const;
  /// Python's str(): text as it is, the rest as repr().
  std::string to_text() const;
  /// Python's repr().
  std::string repr() const;
  /// Python's ==: numbers by value, lists and maps by content.
  bool operator==(const Value& other) const;

 private:
  // Second owners of what these hold: copies of the value.
  struct Items {
    ValueList items;
    bool tuple = false;
  };
  using Text = std::shared_ptr<const std::string>;  // longer than kOwnText
  using List = std::shared_ptr<Items>;
  using Map = std::shared_ptr<ValueMap>;
  using Callable = std::shared_ptr<const Function>;

  Value(ValueList list, bool tuple)
      : state_(std::make_shared<Items>(Items{std::move(list), tuple})) {}

  template <typename T>
  const T& get() const {
    LM_CHECK(std::holds_alternative<T>(state_), "a value is asked for what it is");
    return std::get<T>(state_);
  }

  static constexpr std::size_t kOwnText = 64;  // bytes of a text that every copy has for itself
  std::variant<Undefined, None, bool, i64, f64, std::string, Text, List, Map, Callable> state_;
};

/// -1, 0, 1 as Python orders numbers, strings, and lists of these; nothing for values that have no
/// order.
std::optional<int> compare(const Value& a, const Value& b);

/// Python's repr of a float ("1.0", "1e-05", "inf").
std::string python_float(f64 value);
/// Python's repr of a string: single quotes unless only they occur in it, escapes for what does not
/// print.
std::string python_string(std::string_view text);

/// A JSON text as a value. Fault "json", "utf8" or "range" (a number that no float holds) with the
/// reason. Whole numbers beyond 64 bits become floats; of a key that stands twice the last counts.
Result<Value> parse_json_value(std::string_view json);

struct JsonStyle {
  i64 indent = -1;      // spaces; -1: one line
  bool spaced = true;   // ", " and ": " as Python's json.dumps, else as short as possible
  bool ascii = false;   // \uXXXX for other characters
  bool html = false;    // < > & ' as escapes, as Jinja's own tojson
  bool sorted = false;  // keys in order
};
/// As JSON. Floats that JSON lacks become null; a function or an undefined value is an error
/// (Error{kData}).
std::string to_json(const Value& value, const JsonStyle& style = {});

/// A literal of Python (strings, numbers, True, False, None, lists, tuples, dicts), or nothing.
std::optional<Value> parse_python_literal(std::string_view text);

}  // namespace lm::text
