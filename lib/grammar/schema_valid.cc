// Whether a schema allows a value: for constants, which other keywords may exclude, and for names
// of members.

#include <algorithm>
#include <cmath>

#include "core/str.h"
#include "core/utf8.h"
#include "grammar/regex.h"
#include "grammar/schema_compiler.h"
#include "grammar/schema_format.h"

namespace lm::grammar {

namespace {

bool is_of_type(const io::Json& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_boolean();
  if (type == "number") return value.is_number();
  if (type == "integer") return value.is_number() && decimal(value).fraction.empty();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  return value.is_object();
}

/// Equal as JSON Schema has it: numbers by value, members in any order.
bool equal(const io::Json& a, const io::Json& b) {
  if (a.is_number() && b.is_number()) return compare(decimal(a), decimal(b)) == 0;
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (a.is_array())
    return std::equal(a.begin(), a.end(), b.begin(),
                      [](const auto& x, const auto& y) { return equal(x, y); });
  if (a.is_object()) {
    for (const auto& [name, field] : a.items()) {
      const auto other = b.find(name);
      if (other == b.end() || !equal(field, *other)) return false;
    }
    return true;
  }
  return a == b;
}

bool is_multiple(const io::Json& value, const io::Json& divisor) {
  NumberSet set;
  set.multiples.push_back(decimal(divisor));
  set.at_least(decimal(value), false);
  set.at_most(decimal(value), false);
  ExprTable scratch(Budget("grammar memory", i64{1} << 24));
  return scratch.shortest(numerals(scratch, set)) < kNever;
}

i64 characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<u8>(c) & 0xC0) != 0x80; });
}

}  // namespace

Expr SchemaCompiler::pattern_text(const std::string& pattern, i32 site, const char* key) {
  const std::string name = cat("text ", pattern);
  const auto known = patterns_.find(name);
  if (known != patterns_.end()) return known->second;
  try {
    RegexSyntax syntax;
    syntax.ecma = true;
    syntax.search = true;
    return patterns_[name] = parse_regex(table_, pattern, syntax);
  } catch (const Refusal& refusal) {
    if (refusal.fault.code == "budget") throw;
    document_.fail(site, key, refusal.fault.detail);
  }
}

bool SchemaCompiler::valid(const io::Json& value, const Sites& sites) {
  return std::all_of(sites.begin(), sites.end(), [&](i32 site) { return valid(value, site); });
}

bool SchemaCompiler::valid(const io::Json& value, i32 site) {
  const io::Json& schema = document_.schema(site);
  if (schema.is_boolean()) return schema.get<bool>();
  constexpr int kDeepest = 300;  // values of schemas are less deep: places refer to each other
  if (valid_depth_ == kDeepest)
    document_.fail(site, "", "refers to itself without a step into a value");
  ++valid_depth_;
  const bool out = valid_here(value, site);
  --valid_depth_;
  return out;
}

bool SchemaCompiler::valid_here(const io::Json& value, i32 site) {
  if (const io::Json* const list = document_.get(site, "enum")) {
    const auto same = [&](const io::Json& one) { return equal(one, value); };
    if (std::none_of(list->begin(), list->end(), same)) return false;
  }
  const io::Json* const one = document_.get(site, "const");
  return (one == nullptr || equal(*one, value)) && valid_besides_constants(value, site);
}

bool SchemaCompiler::valid_besides_constants(const io::Json& value, i32 site) {
  if (!valid_scalar(value, site)) return false;
  if (value.is_array() && !valid_array(value, site)) return false;
  if (value.is_object() && !valid_object(value, site)) return false;
  const auto count_of = [&](const char* key) {
    i64 n = 0;
    const std::size_t size = document_.get(site, key)->size();
    for (std::size_t i = 0; i < size; ++i)
      n += valid(value, document_.at(site, key, i)) ? 1 : 0;
    return n;
  };
  const auto has = [&](const char* key) { return document_.get(site, key) != nullptr; };
  if (has("$ref") && !valid(value, document_.reference(site))) return false;
  if (has("allOf") && count_of("allOf") != isize(*document_.get(site, "allOf"))) return false;
  if (has("anyOf") && count_of("anyOf") == 0) return false;
  if (has("oneOf") && count_of("oneOf") != 1) return false;
  if (has("not") && valid(value, document_.at(site, "not"))) return false;
  if (has("if")) {
    const char* const then = valid(value, document_.at(site, "if")) ? "then" : "else";
    if (has(then) && !valid(value, document_.at(site, then))) return false;
  }
  return true;
}

bool SchemaCompiler::valid_scalar(const io::Json& value, i32 site) {
  const auto get = [&](const char* key) { return document_.get(site, key); };
  if (const io::Json* const type = get("type")) {
    const auto of = [&](const io::Json& one) { return is_of_type(value, one.get<std::string>()); };
    if (type->is_array() ? std::none_of(type->begin(), type->end(), of) : !of(*type)) return false;
  }
  if (value.is_number()) {
    const NumberSet set = number_set({site});
    const Decimal number = decimal(value);
    if (set.low &&
        (compare(number, *set.low) < 0 || (set.low_open && compare(number, *set.low) == 0)))
      return false;
    if (set.high &&
        (compare(number, *set.high) > 0 || (set.high_open && compare(number, *set.high) == 0)))
      return false;
    if (get("multipleOf") != nullptr && !is_multiple(value, *get("multipleOf"))) return false;
    if (get(kBroken) != nullptr && number.fraction.empty()) return false;
    if (get(kNotMultipleOf) != nullptr && is_multiple(value, *get(kNotMultipleOf))) return false;
  }
  if (!value.is_string()) return true;
  const std::string text = value.get<std::string>();
  const std::optional<i64> least = document_.count(site, "minLength");
  const std::optional<i64> most = document_.count(site, "maxLength");
  if (least && characters(text) < *least) return false;
  if (most && characters(text) > *most) return false;
  for (const char* const key : {"pattern", kNotPattern}) {
    if (get(key) == nullptr) continue;
    const bool found = table_.matches(pattern_text(get(key)->get<std::string>(), site, key), text);
    if (found != (std::string_view(key) == "pattern")) return false;
  }
  if (get("format") != nullptr) {
    const std::optional<std::string> pattern = format_pattern(get("format")->get<std::string>());
    if (pattern && !table_.matches(pattern_text(cat("^", *pattern, "$"), site, "format"), text))
      return false;
  }
  const io::Json* const excluded = get(kNotStrings);
  return excluded == nullptr ||
         std::find(excluded->begin(), excluded->end(), value) == excluded->end();
}

bool SchemaCompiler::valid_array(const io::Json& value, i32 site) {
  const std::optional<i64> least = document_.count(site, "minItems");
  const std::optional<i64> most = document_.count(site, "maxItems");
  if (least && isize(value) < *least) return false;
  if (most && isize(value) > *most) return false;
  const std::size_t firsts = document_.prefix_size(site);
  const std::optional<i32> rest = document_.rest_items(site);
  i64 contained = 0;
  const bool contains = document_.get(site, "contains") != nullptr;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (i < firsts && !valid(value[i], document_.prefix(site, i))) return false;
    if (i >= firsts && rest && !valid(value[i], *rest)) return false;
    if (contains && valid(value[i], document_.at(site, "contains"))) ++contained;
  }
  if (!contains) return true;
  const std::optional<i64> most_contained = document_.count(site, "maxContains");
  return contained >= document_.count(site, "minContains").value_or(1) &&
         (!most_contained || contained <= *most_contained);
}

bool SchemaCompiler::valid_object(const io::Json& value, i32 site) {
  const std::optional<i64> least = document_.count(site, "minProperties");
  const std::optional<i64> most = document_.count(site, "maxProperties");
  if (least && isize(value) < *least) return false;
  if (most && isize(value) > *most) return false;
  if (const io::Json* const required = document_.get(site, "required")) {
    for (const io::Json& name : *required) {
      if (!value.contains(name.get<std::string>())) return false;
    }
  }
  if (const io::Json* const dependent = document_.get(site, "dependentRequired")) {
    for (const auto& [name, names] : dependent->items()) {
      for (const io::Json& other : names) {
        if (value.contains(name) && !value.contains(other.get<std::string>())) return false;
      }
    }
  }
  if (const io::Json* const dependent = document_.get(site, "dependentSchemas")) {
    for (const auto& [name, schema] : dependent->items()) {
      if (value.contains(name) && !valid(value, document_.at(site, "dependentSchemas", name)))
        return false;
    }
  }
  for (const auto& [name, field] : value.items()) {
    if (document_.get(site, "propertyNames") != nullptr &&
        !valid(io::Json(name), document_.at(site, "propertyNames")))
      return false;
    if (!valid(field, member_named({site}, name))) return false;
  }
  return true;
}

}  // namespace lm::grammar
