// What filters, tests and methods share: arguments, items, order. And the tests, each a row of a
// table, so that parsing knows the names.

#include <algorithm>

#include "core/str.h"
#include "text/template_tree.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {

ArgReader::ArgReader(const char* what, CallArgs& args, std::initializer_list<const char*> names,
                     const TemplatePlace& place)
    : what_(what), names_(names), values_(names.size(), nullptr), place_(place) {
  if (args.list.size() > values_.size())
    template_fault(
        place, cat(quote(what), " takes ", values_.size(), " arguments, not ", args.list.size()));
  for (std::size_t i = 0; i < args.list.size(); ++i)
    values_[i] = &args.list[i];
  for (const auto& [name, value] : args.named) {
    const auto found =
        std::find_if(names_.begin(), names_.end(),
                     [&, &wanted = name](const char* known) { return wanted == known; });
    if (found == names_.end())
      template_fault(place, cat(quote(what), " has no argument ", quote(name)));
    values_[static_cast<std::size_t>(found - names_.begin())] = &value;
  }
  for (const Value* value : values_)
    if (value != nullptr) defined(*value, place);
}

const Value& ArgReader::need(std::size_t i) const {
  if (values_[i] == nullptr)
    template_fault(place_, cat(quote(what_), " needs the argument ", quote(names_[i])));
  return *values_[i];
}

const std::string& ArgReader::text(std::size_t i) const {
  if (!need(i).is_string())
    template_fault(place_, cat("the argument ", quote(names_[i]), " of ", quote(what_),
                               " is of type ", need(i).type_name(), ", expected str"));
  return need(i).str();
}

i64 ArgReader::whole(std::size_t i, i64 fallback) const {
  if (!has(i)) return fallback;
  const std::optional<i64> out = values_[i]->as_whole();
  if (!out)
    template_fault(place_, cat("the argument ", quote(names_[i]), " of ", quote(what_),
                               " is of type ", values_[i]->type_name(), ", expected int"));
  return *out;
}

const Value& defined(const Value& value, const TemplatePlace& place) {
  if (value.is_undefined()) {
    const std::string& name = value.undefined().name;
    template_fault(place, cat(name.empty() ? "an if without else" : name, " has no value"));
  }
  return value;
}

ValueList template_items(const Value& value, const TemplatePlace& place) {
  defined(value, place);
  if (value.is_list()) return value.list();
  ValueList out;
  if (value.is_map()) {
    for (const auto& [key, item] : value.map())
      out.push_back(key);
    return out;
  }
  if (!value.is_string())
    template_fault(place, cat("a value of type ", value.type_name(), " has no items"));
  const char* at = value.str().data();
  const char* const end = at + value.str().size();
  while (at < end) {
    const int size = sequence_size(*at);
    out.emplace_back(std::string_view(at, static_cast<std::size_t>(size)));
    at += size;
  }
  return out;
}

namespace {

constexpr f64 kMostBytes = 64 << 20;
constexpr i64 kMostParts = 1'000'000;
constexpr i64 kDeepest = 100;

/// Counts down the parts that are left; below 0 there were too many.
void count_parts(const Value& value, i64 depth, i64& left, f64& bytes) {
  if (--left < 0) return;
  if (depth > kDeepest) {
    left = -1;
  } else if (value.is_string()) {
    bytes += static_cast<f64>(value.str().size());
  } else if (value.is_list()) {
    for (const Value& item : value.list())
      if (left >= 0) count_parts(item, depth + 1, left, bytes);
  } else if (value.is_map()) {
    for (const auto& [key, item] : value.map())
      if (left >= 0) count_parts(item, depth + 1, left, bytes);
  }
}

}  // namespace

void check_template_bytes(f64 bytes, const TemplatePlace& place) {
  if (bytes > kMostBytes) template_fault(place, "a text of more than 64 MiB");
}

std::optional<std::string> template_size_problem(const Value& value) {
  i64 left = kMostParts;
  f64 bytes = 0;
  count_parts(value, 0, left, bytes);
  if (left < 0) return cat("a value of more than ", kMostParts, " parts or ", kDeepest, " levels");
  if (bytes > kMostBytes) return "a text of more than 64 MiB";
  return std::nullopt;
}

void check_template_size(const Value& value, const TemplatePlace& place) {
  if (std::optional<std::string> problem = template_size_problem(value))
    template_fault(place, std::move(*problem));
}

i64 template_length(const Value& value, const TemplatePlace& place) {
  defined(value, place);
  if (value.is_string()) return count_code_points(value.str());
  if (value.is_list()) return isize(value.list());
  if (value.is_map()) return isize(value.map());
  template_fault(place, cat("a value of type ", value.type_name(), " has no length"));
}

Value template_item(const Value& object, const Value& key, const TemplatePlace& place) {
  defined(object, place);
  if (object.is_map()) {
    if (const Value* found = object.find(key)) return *found;
  } else if (const std::optional<i64> at = key.as_whole();
             at && (object.is_list() || object.is_string())) {
    const ValueList all = template_items(object, place);
    const i64 index = *at < 0 ? *at + isize(all) : *at;
    if (index >= 0 && index < isize(all)) return all[usize(index)];
  }
  return Undefined{cat("the item ", key.is_undefined() ? "?" : key.repr(), " of a value of type ",
                       object.type_name())};
}

bool template_less(const Value& a, const Value& b, const TemplatePlace& place) {
  const std::optional<int> order = compare(a, b);
  if (!order)
    template_fault(
        place, cat("values of types ", a.type_name(), " and ", b.type_name(), " have no order"));
  return *order < 0;
}

namespace {

/// Tests of the value alone; those with an argument stand in apply_test.
struct TestRow {
  const char* name;
  bool (*run)(const Value&);
};
constexpr TestRow kTests[] = {
    {"boolean", [](const Value& v) { return v.is_bool(); }},
    {"callable", [](const Value& v) { return v.is_function(); }},
    {"defined", [](const Value& v) { return !v.is_undefined(); }},
    {"even", [](const Value& v) { return v.as_whole() && *v.as_whole() % 2 == 0; }},
    {"false", [](const Value& v) { return v.is_bool() && !v.flag(); }},
    {"float", [](const Value& v) { return v.is_real(); }},
    {"integer", [](const Value& v) { return v.is_whole(); }},
    {"iterable",
     [](const Value& v) { return v.is_string() || v.is_list() || v.is_map() || v.is_undefined(); }},
    {"lower",
     [](const Value& v) {
       return v.is_string() && !v.str().empty() && to_lower(v.str()) == v.str();
     }},
    {"mapping", [](const Value& v) { return v.is_map(); }},
    {"none", [](const Value& v) { return v.is_none(); }},
    {"number", [](const Value& v) { return v.is_number(); }},
    {"odd", [](const Value& v) { return v.as_whole() && *v.as_whole() % 2 != 0; }},
    {"sequence",
     [](const Value& v) { return v.is_string() || v.is_list() || v.is_map() || v.is_undefined(); }},
    {"string", [](const Value& v) { return v.is_string(); }},
    {"true", [](const Value& v) { return v.is_bool() && v.flag(); }},
    {"undefined", [](const Value& v) { return v.is_undefined(); }},
};

constexpr const char* kPairTests[] = {"divisibleby", "eq", "equalto",  "ge", "gt", "greaterthan",
                                      "in",          "le", "lessthan", "lt", "ne", "sameas"};

const TestRow* find_test(std::string_view name) {
  const auto found = std::find_if(std::begin(kTests), std::end(kTests),
                                  [&](const TestRow& row) { return name == row.name; });
  return found == std::end(kTests) ? nullptr : found;
}

}  // namespace

bool is_template_test(std::string_view name) {
  return find_test(name) != nullptr ||
         std::find(std::begin(kPairTests), std::end(kPairTests), name) != std::end(kPairTests);
}

bool apply_test(const std::string& name, const Value& input, CallArgs& args,
                const TemplateScope& scope, const TemplatePlace& place) {
  if (const TestRow* row = find_test(name)) {
    const ArgReader none(name.c_str(), args, {}, place);
    return row->run(input);
  }
  const ArgReader reader(name.c_str(), args, {"other"}, place);
  const Value& other = reader.need(0);
  if (scope.options.strict) defined(input, place);
  if (name == "eq" || name == "equalto" || name == "sameas") return input == other;
  if (name == "ne") return !(input == other);
  if (name == "in") {
    if (other.is_map()) return other.find(input) != nullptr;
    if (other.is_string() && input.is_string())
      return other.str().find(input.str()) != std::string::npos;
    const ValueList items = template_items(other, place);
    return std::find(items.begin(), items.end(), input) != items.end();
  }
  defined(input, place);
  if (name == "divisibleby") {
    const i64 by = reader.whole(0, 1);
    if (!input.as_whole() || by == 0)
      template_fault(place, "the test \"divisibleby\" takes whole numbers, not by 0");
    return *input.as_whole() % by == 0;
  }
  if (name == "lt" || name == "lessthan") return template_less(input, other, place);
  if (name == "gt" || name == "greaterthan") return template_less(other, input, place);
  return name == "le" ? !template_less(other, input, place) : !template_less(input, other, place);
}

}  // namespace lm::text
