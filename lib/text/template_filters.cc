// Filters. Each is one row of a table, so that parsing knows the names.

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/str.h"
#include "text/segment.h"
#include "text/template_tree.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {

namespace {

struct FilterCall {
  const std::string& name;
  Value input;
  CallArgs& args;
  const TemplateScope& scope;
  const TemplatePlace& place;

  /// What has no value is an empty text and has no items, unless the template is strict.
  bool nothing() const { return input.is_undefined() && !scope.options.strict; }
  /// Most filters of strings take anything printable.
  std::string printed() const { return nothing() ? "" : defined(input, place).to_text(); }
  ValueList items() const { return nothing() ? ValueList() : template_items(input, place); }
  ArgReader read(std::initializer_list<const char*> names) const {
    return {name.c_str(), args, names, place};
  }
  Value method(const char* which) const {
    Value object = printed();
    return *call_method(object, which, args, place);
  }
};

/// a.b.0 of each item, as attribute= names it.
Value attribute_of(const Value& item, const Value& path, const TemplatePlace& place) {
  if (!path.is_string()) return template_item(item, path, place);
  Value at = item;
  for (const std::string_view part : split(path.str(), '.')) {
    const std::optional<i64> index = parse_int(part);
    at = index && !at.is_map() ? template_item(at, Value(*index), place)
                               : template_item(at, Value(part), place);
  }
  return at;
}

Value sort_key(const Value& value, bool case_sensitive) {
  if (!case_sensitive && value.is_string()) return to_lower(value.str());
  return value;
}

/// Indices of items in order of their keys. std::stable_sort may be given no order that throws
/// halfway with moved values, hence the indices.
std::vector<std::size_t> order_of(const ValueList& keys, bool reverse, const TemplatePlace& place) {
  std::vector<std::size_t> order(keys.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return reverse ? template_less(keys[b], keys[a], place)
                   : template_less(keys[a], keys[b], place);
  });
  return order;
}

Value filter_abs(FilterCall& c) {
  if (!c.input.is_number()) template_fault(c.place, "the filter \"abs\" takes a number");
  if (const std::optional<i64> whole = c.input.as_whole()) return *whole < 0 ? -*whole : *whole;
  return std::fabs(c.input.real());
}

Value filter_capitalize(FilterCall& c) {
  return c.method("capitalize");
}

Value filter_default(FilterCall& c) {
  const ArgReader args = c.read({"default_value", "boolean"});
  const bool missing = c.input.is_undefined() || (args.flag(1, false) && !c.input.truth());
  if (!missing) return c.input;
  return args.get(0) != nullptr ? *args.get(0) : Value("");
}

Value filter_dictsort(FilterCall& c) {
  const ArgReader args = c.read({"case_sensitive", "by", "reverse"});
  if (!c.input.is_map()) template_fault(c.place, "the filter \"dictsort\" takes a dict");
  const bool by_value = args.has(1) && args.text(1) == "value";
  ValueList keys;
  ValueList pairs;
  for (const auto& [key, value] : c.input.map()) {
    keys.push_back(sort_key(by_value ? value : key, args.flag(0, false)));
    pairs.push_back(Value::tuple({key, value}));
  }
  ValueList out;
  for (const std::size_t i : order_of(keys, args.flag(2, false), c.place))
    out.push_back(pairs[i]);
  return out;
}

Value filter_escape(FilterCall& c) {
  std::string out;
  for (const char each : c.printed()) {
    switch (each) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += each;
    }
  }
  return out;
}

Value filter_first(FilterCall& c) {
  const ValueList items = c.items();
  return items.empty() ? Value(Undefined{"the first item of nothing"}) : items.front();
}
Value filter_last(FilterCall& c) {
  const ValueList items = c.items();
  return items.empty() ? Value(Undefined{"the last item of nothing"}) : items.back();
}

std::optional<f64> as_number(const Value& value) {
  if (value.is_number()) return value.number();
  if (!value.is_string()) return std::nullopt;
  const std::string_view digits = strip(value.str());
  const bool plus = digits.size() > 1 && digits[0] == '+' && digits[1] != '-';
  return parse_float(plus ? digits.substr(1) : digits);
}

Value filter_float(FilterCall& c) {
  const ArgReader args = c.read({"default"});
  defined(c.input, c.place);
  if (const std::optional<f64> number = as_number(c.input)) return *number;
  return args.get(0) != nullptr ? *args.get(0) : Value(0.0);
}

Value filter_int(FilterCall& c) {
  const ArgReader args = c.read({"default"});
  defined(c.input, c.place);
  if (const std::optional<i64> whole = c.input.as_whole()) return *whole;
  if (c.input.is_string()) {
    std::string_view digits = strip(c.input.str());
    const bool negative = !digits.empty() && digits[0] == '-';
    if (!digits.empty() && (negative || digits[0] == '+')) digits.remove_prefix(1);
    if (const std::optional<i64> whole = parse_int(digits)) return negative ? -*whole : *whole;
  }
  const std::optional<f64> number = as_number(c.input);
  if (number && std::fabs(*number) < 9.2e18) return static_cast<i64>(*number);
  return args.get(0) != nullptr ? *args.get(0) : Value(i64{0});
}

Value filter_indent(FilterCall& c) {
  const ArgReader args = c.read({"width", "first", "blank"});
  if (!(args.has(0) && args.get(0)->is_string()) &&
      (args.whole(0, 4) < 0 || args.whole(0, 4) > 1000))
    template_fault(c.place, "an indent of more than 1000 blanks");
  const std::string indent = args.has(0) && args.get(0)->is_string()
                                 ? args.text(0)
                                 : std::string(usize(args.whole(0, 4)), ' ');
  std::string out;
  std::size_t number = 0;
  const std::string text = c.printed();
  for (const std::string_view line : split(text, '\n')) {
    if (number > 0) out += '\n';
    check_template_bytes(static_cast<f64>(out.size() + indent.size()), c.place);
    const bool skipped = number == 0 ? !args.flag(1, false) : line.empty() && !args.flag(2, false);
    append(out, skipped ? "" : indent, line);
    ++number;
  }
  return out;
}

Value filter_items(FilterCall& c) {
  ValueList out;
  if (c.input.is_undefined()) return out;
  if (!c.input.is_map()) template_fault(c.place, "the filter \"items\" takes a dict");
  for (const auto& [key, value] : c.input.map())
    out.push_back(Value::tuple({key, value}));
  return out;
}

Value filter_join(FilterCall& c) {
  const ArgReader args = c.read({"d", "attribute"});
  const std::string separator = args.has(0) ? args.get(0)->to_text() : "";
  std::string out;
  bool first = true;
  for (const Value& item : c.items()) {
    check_template_bytes(static_cast<f64>(out.size() + separator.size()), c.place);
    if (!first) out += separator;
    first = false;
    out +=
        defined(args.has(1) ? attribute_of(item, *args.get(1), c.place) : item, c.place).to_text();
  }
  return out;
}

Value filter_length(FilterCall& c) {
  return c.nothing() ? Value(i64{0}) : Value(template_length(c.input, c.place));
}
Value filter_list(FilterCall& c) {
  return c.items();
}
Value filter_lower(FilterCall& c) {
  return c.method("lower");
}
Value filter_upper(FilterCall& c) {
  return c.method("upper");
}

Value filter_map(FilterCall& c) {
  ValueList out;
  const bool attribute = c.args.list.empty();
  if (attribute) {
    const ArgReader args("map", c.args, {"attribute", "default"}, c.place);
    for (const Value& item : c.items()) {
      Value found = attribute_of(item, args.need(0), c.place);
      out.push_back(found.is_undefined() && args.get(1) != nullptr ? *args.get(1) : found);
    }
    return out;
  }
  if (!c.args.list[0].is_string() || !is_template_filter(c.args.list[0].str()))
    template_fault(c.place, cat("the filter ", c.args.list[0].repr(), " is not understood"));
  const std::string name = c.args.list[0].str();
  for (const Value& item : c.items()) {
    CallArgs rest{{c.args.list.begin() + 1, c.args.list.end()}, c.args.named};
    out.push_back(apply_filter(name, item, rest, c.scope, c.place));
  }
  return out;
}

Value extreme(FilterCall& c, bool largest) {
  const ArgReader args = c.read({"case_sensitive", "attribute"});
  const ValueList items = c.items();
  if (items.empty()) return Undefined{"the extreme of nothing"};
  const auto key = [&](const Value& item) {
    return sort_key(args.has(1) ? attribute_of(item, *args.get(1), c.place) : item,
                    args.flag(0, false));
  };
  std::size_t best = 0;
  for (std::size_t i = 1; i < items.size(); ++i) {
    const bool better = largest ? template_less(key(items[best]), key(items[i]), c.place)
                                : template_less(key(items[i]), key(items[best]), c.place);
    if (better) best = i;
  }
  return items[best];
}
Value filter_max(FilterCall& c) {
  return extreme(c, true);
}
Value filter_min(FilterCall& c) {
  return extreme(c, false);
}

/// select, reject, selectattr, rejectattr.
Value selected(FilterCall& c, bool attribute, bool keep) {
  std::size_t used = attribute ? 1 : 0;
  if (c.args.list.size() < used) template_fault(c.place, cat(quote(c.name), " needs an attribute"));
  std::string test;
  if (c.args.list.size() > used) {
    if (!c.args.list[used].is_string() || !is_template_test(c.args.list[used].str()))
      template_fault(c.place, cat("the test ", c.args.list[used].repr(), " is not understood"));
    test = c.args.list[used++].str();
  }
  ValueList out;
  for (const Value& item : c.items()) {
    const Value tested = attribute ? attribute_of(item, c.args.list[0], c.place) : item;
    CallArgs rest{{c.args.list.begin() + static_cast<std::ptrdiff_t>(used), c.args.list.end()},
                  c.args.named};
    const bool passes =
        test.empty() ? tested.truth() : apply_test(test, tested, rest, c.scope, c.place);
    if (passes == keep) out.push_back(item);
  }
  return out;
}
Value filter_select(FilterCall& c) {
  return selected(c, false, true);
}
Value filter_reject(FilterCall& c) {
  return selected(c, false, false);
}
Value filter_selectattr(FilterCall& c) {
  return selected(c, true, true);
}
Value filter_rejectattr(FilterCall& c) {
  return selected(c, true, false);
}

Value filter_replace(FilterCall& c) {
  const ArgReader args = c.read({"old", "new", "count"});
  CallArgs call{{args.need(0).to_text(), args.need(1).to_text(), args.whole(2, -1)}, {}};
  Value object = c.printed();
  return *call_method(object, "replace", call, c.place);
}

Value filter_reverse(FilterCall& c) {
  ValueList items = c.items();
  std::reverse(items.begin(), items.end());
  if (!c.input.is_string()) return items;
  std::string out;
  for (const Value& item : items)
    out += item.str();
  return out;
}

/// Python's round: exact decimal value of the float, ties to even.
f64 round_to(f64 value, i64 digits) {
  if (!std::isfinite(value) || digits > 300) return value;
  if (digits < 0) {
    const f64 scale = std::pow(10.0, static_cast<f64>(-digits));
    return std::nearbyint(value / scale) * scale;
  }
  char buf[800];
  const std::to_chars_result end = std::to_chars(
      buf, buf + sizeof buf, value, std::chars_format::fixed, static_cast<int>(digits));
  f64 out = value;
  std::from_chars(buf, end.ptr, out);
  return out;
}

Value filter_round(FilterCall& c) {
  const ArgReader args = c.read({"precision", "method"});
  if (!defined(c.input, c.place).is_number())
    template_fault(c.place, "the filter \"round\" takes a number");
  const i64 digits = args.whole(0, 0);
  const std::string method = args.has(1) ? args.text(1) : "common";
  if (method == "common") {
    const f64 rounded = round_to(c.input.number(), digits);
    return c.input.as_whole() ? Value(static_cast<i64>(rounded)) : Value(rounded);
  }
  if (method != "ceil" && method != "floor")
    template_fault(c.place, cat("the rounding ", quote(method), " is not understood"));
  const f64 scale = std::pow(10.0, static_cast<f64>(digits));
  const f64 scaled = c.input.number() * scale;
  return (method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale;
}

Value filter_sort(FilterCall& c) {
  const ArgReader args = c.read({"reverse", "case_sensitive", "attribute"});
  const ValueList items = c.items();
  ValueList keys;
  for (const Value& item : items)
    keys.push_back(sort_key(args.has(2) ? attribute_of(item, *args.get(2), c.place) : item,
                            args.flag(1, false)));
  ValueList out;
  for (const std::size_t i : order_of(keys, args.flag(0, false), c.place))
    out.push_back(items[i]);
  return out;
}

Value filter_string(FilterCall& c) {
  return c.printed();
}

Value filter_sum(FilterCall& c) {
  const ArgReader args = c.read({"attribute", "start"});
  f64 real = 0;
  i64 whole = 0;
  bool all_whole = true;
  const auto add = [&](const Value& value) {
    if (!value.is_number()) template_fault(c.place, "the filter \"sum\" adds numbers");
    const std::optional<i64> part = value.as_whole();
    all_whole = all_whole && part && !__builtin_add_overflow(whole, *part, &whole);
    real += value.number();
  };
  if (args.has(1)) add(*args.get(1));
  for (const Value& item : c.items())
    add(args.has(0) ? attribute_of(item, *args.get(0), c.place) : item);
  return all_whole ? Value(whole) : Value(real);
}

/// Jinja's title: what follows a blank, a bracket or a hyphen is capitalised.
Value filter_title(FilterCall& c) {
  std::string out;
  bool begins = true;
  for (const char32_t cp : to_utf32(c.printed())) {
    const bool border =
        is_py_space(cp) || cp == '-' || cp == '(' || cp == '{' || cp == '[' || cp == '<';
    append_utf8(out, border ? cp : begins ? simple_upper(cp) : simple_lower(cp));
    begins = border;
  }
  return out;
}

/// Jinja's own knows an indent; that of chat templates is Python's json.dumps.
Value filter_tojson(FilterCall& c) {
  JsonStyle style;
  style.html = c.scope.options.html_json;
  const ArgReader args = style.html ? c.read({"indent", "ensure_ascii", "sort_keys"})
                                    : c.read({"ensure_ascii", "indent", "separators", "sort_keys"});
  const std::size_t indent = style.html ? 0 : 1;
  defined(c.input, c.place);
  style.indent = args.whole(indent, -1);
  if (style.indent > 1000) template_fault(c.place, "an indent of more than 1000 blanks");
  style.ascii = args.flag(1 - indent, style.html);
  style.sorted = args.flag(style.html ? 2 : 3, style.html);
  if (!style.html && args.has(2)) {
    const Value& separators = *args.get(2);
    const auto are = [&](const char* item, const char* key) {
      return separators.is_list() && separators.list() == ValueList{item, key};
    };
    if ((style.indent >= 0 || !are(", ", ": ")) && !are(",", ":"))
      template_fault(c.place, "separators other than (\", \", \": \") and (\",\", \":\")");
    style.spaced = are(", ", ": ");
  }
  try {
    return to_json(c.input, style);
  } catch (const Error& e) {
    template_fault(c.place, e.message());
  }
}

Value filter_trim(FilterCall& c) {
  return c.method("strip");
}

Value filter_unique(FilterCall& c) {
  const ArgReader args = c.read({"case_sensitive", "attribute"});
  ValueList out;
  ValueList seen;
  for (const Value& item : c.items()) {
    const Value key = sort_key(args.has(1) ? attribute_of(item, *args.get(1), c.place) : item,
                               args.flag(0, false));
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
    seen.push_back(key);
    out.push_back(item);
  }
  return out;
}

Value filter_wordcount(FilterCall& c) {
  i64 words = 0;
  bool inside = false;
  for (const char32_t cp : to_utf32(c.printed())) {
    const bool word = is_alnum(cp) || cp == '_';
    words += word && !inside ? 1 : 0;
    inside = word;
  }
  return words;
}

struct FilterRow {
  const char* name;
  Value (*run)(FilterCall&);
};
constexpr FilterRow kFilters[] = {
    {"abs", filter_abs},
    {"capitalize", filter_capitalize},
    {"count", filter_length},
    {"d", filter_default},
    {"default", filter_default},
    {"dictsort", filter_dictsort},
    {"e", filter_escape},
    {"escape", filter_escape},
    {"first", filter_first},
    {"float", filter_float},
    {"indent", filter_indent},
    {"int", filter_int},
    {"items", filter_items},
    {"join", filter_join},
    {"last", filter_last},
    {"length", filter_length},
    {"list", filter_list},
    {"lower", filter_lower},
    {"map", filter_map},
    {"max", filter_max},
    {"min", filter_min},
    {"reject", filter_reject},
    {"rejectattr", filter_rejectattr},
    {"replace", filter_replace},
    {"reverse", filter_reverse},
    {"round", filter_round},
    {"safe", filter_string},
    {"select", filter_select},
    {"selectattr", filter_selectattr},
    {"sort", filter_sort},
    {"string", filter_string},
    {"sum", filter_sum},
    {"title", filter_title},
    {"tojson", filter_tojson},
    {"trim", filter_trim},
    {"unique", filter_unique},
    {"upper", filter_upper},
    {"wordcount", filter_wordcount},
};

const FilterRow* find_filter(std::string_view name) {
  const auto found = std::find_if(std::begin(kFilters), std::end(kFilters),
                                  [&](const FilterRow& row) { return name == row.name; });
  return found == std::end(kFilters) ? nullptr : found;
}

}  // namespace

bool is_template_filter(std::string_view name) {
  return find_filter(name) != nullptr;
}

Value apply_filter(const std::string& name, Value input, CallArgs& args, const TemplateScope& scope,
                   const TemplatePlace& place) {
  FilterCall call{name, std::move(input), args, scope, place};
  return find_filter(name)->run(call);
}

}  // namespace lm::text
