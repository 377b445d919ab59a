// Complements of schemas, keyword by keyword: a value breaks a schema if it breaks one of its
// keywords, each of which says something about values of one type only.

#include <algorithm>
#include <set>

#include "core/str.h"
#include "grammar/json_number.h"
#include "grammar/schema_document.h"

namespace lm::grammar {

namespace {

using io::Json;

constexpr int kDeepest = 20;

Json object(std::initializer_list<std::pair<const char*, Json>> fields) {
  Json out = Json::object();
  for (const auto& [key, value] : fields)
    out[key] = value;
  return out;
}

Json one_of_types(const std::vector<std::string>& types) {
  return object({{"type", Json(types)}});
}

const std::vector<std::string> kTypes = {"null", "boolean", "number", "string", "array", "object"};

}  // namespace

Json SchemaDocument::complement(i32 site, int depth) {
  const Json& s = schema(site);
  if (s.is_boolean()) return !s.get<bool>();
  if (depth > kDeepest) fail(site, "", "the complement of a schema that contains itself");
  std::vector<Json> out;
  complement_values(site, out);
  complement_numbers(site, out);
  complement_strings(site, out);
  complement_arrays(site, depth, out);
  complement_objects(site, depth, out);
  complement_logic(site, depth, out);
  std::erase_if(out, [](const Json& option) { return option == false; });
  if (out.empty()) return false;
  if (std::find(out.begin(), out.end(), Json(true)) != out.end()) return true;
  if (out.size() == 1) return out[0];
  return object({{"anyOf", Json(out)}});
}

void SchemaDocument::complement_values(i32 site, std::vector<Json>& out) {
  if (const Json* const type = get(site, "type")) {
    std::set<std::string> named;
    for (const Json& one : type->is_array() ? *type : Json::array({*type}))
      named.insert(one.get<std::string>());
    std::vector<std::string> others;
    for (const std::string& one : kTypes) {
      if (named.count(one) == 0 && !(one == "number" && named.count("integer") != 0))
        others.push_back(one);
    }
    if (!others.empty()) out.push_back(one_of_types(others));
    if (named.count("integer") != 0 && named.count("number") == 0)
      out.push_back(object({{"type", "number"}, {kBroken, true}}));
  }
  for (const char* const key : {"enum", "const"}) {
    const Json* const given = get(site, key);
    if (given == nullptr) continue;
    const std::vector<Json> values = std::string_view(key) == "const"
                                         ? std::vector<Json>{*given}
                                         : given->get<std::vector<Json>>();
    std::vector<std::string> others = kTypes;
    const auto without = [&](const char* type) { std::erase(others, type); };
    Json strings = Json::array();
    std::vector<Json> numbers;
    bool truth[2] = {false, false};
    for (const Json& value : values) {
      if (value.is_null()) {
        without("null");
      } else if (value.is_boolean()) {
        without("boolean");
        truth[value.get<bool>() ? 1 : 0] = true;
      } else if (value.is_string()) {
        without("string");
        strings.push_back(value);
      } else if (value.is_number()) {
        without("number");
        numbers.push_back(value);
      } else {
        if (!value.empty()) fail(site, key, "the complement of a value with parts");
        without(value.is_array() ? "array" : "object");
        out.push_back(value.is_array() ? object({{"type", "array"}, {"minItems", 1}})
                                       : object({{"type", "object"}, {"minProperties", 1}}));
      }
    }
    if (!others.empty()) out.push_back(one_of_types(others));
    if (truth[0] != truth[1]) out.push_back(object({{"const", Json(truth[0])}}));
    if (!strings.empty()) out.push_back(object({{"type", "string"}, {kNotStrings, strings}}));
    std::sort(numbers.begin(), numbers.end(),
              [](const Json& a, const Json& b) { return compare(decimal(a), decimal(b)) < 0; });
    for (std::size_t i = 0; i <= numbers.size() && !numbers.empty(); ++i) {
      Json gap = object({{"type", "number"}});
      if (i > 0) gap["exclusiveMinimum"] = numbers[i - 1];
      if (i < numbers.size()) gap["exclusiveMaximum"] = numbers[i];
      out.push_back(gap);
    }
  }
}

void SchemaDocument::complement_numbers(i32 site, std::vector<Json>& out) {
  constexpr std::pair<const char*, const char*> kOpposite[] = {{"minimum", "exclusiveMaximum"},
                                                               {"exclusiveMinimum", "maximum"},
                                                               {"maximum", "exclusiveMinimum"},
                                                               {"exclusiveMaximum", "minimum"}};
  for (const auto& [key, opposite] : kOpposite) {
    const Json* const bound = get(site, key);
    if (bound == nullptr) continue;
    if (!bound->is_number()) fail(site, key, "the complement of a bound of draft 4");
    out.push_back(object({{"type", "number"}, {opposite, *bound}}));
  }
  if (const Json* const divisor = get(site, "multipleOf")) {
    if (!decimal(*divisor).fraction.empty())
      fail(site, "multipleOf", "the complement of multiples of what is no whole number");
    out.push_back(object({{"type", "integer"}, {kNotMultipleOf, *divisor}}));
    out.push_back(object({{"type", "number"}, {kBroken, true}}));
  }
}

void SchemaDocument::complement_strings(i32 site, std::vector<Json>& out) {
  const std::optional<i64> least = count(site, "minLength");
  if (least && *least > 0) out.push_back(object({{"type", "string"}, {"maxLength", *least - 1}}));
  const std::optional<i64> most = count(site, "maxLength");
  if (most) out.push_back(object({{"type", "string"}, {"minLength", *most + 1}}));
  if (const Json* const pattern = get(site, "pattern"))
    out.push_back(object({{"type", "string"}, {kNotPattern, *pattern}}));
  for (const char* const key : {"format", kBroken, kNotPattern, kNotStrings, kNotMultipleOf}) {
    if (get(site, key) != nullptr) fail(site, key, "the complement of this keyword");
  }
}

void SchemaDocument::complement_arrays(i32 site, int depth, std::vector<Json>& out) {
  const auto array = [&](const char* key, const Json& value) {
    out.push_back(object({{"type", "array"}, {key, value}}));
  };
  const std::optional<i64> least = count(site, "minItems");
  if (least && *least > 0) array("maxItems", *least - 1);
  const std::optional<i64> most = count(site, "maxItems");
  if (most) array("minItems", *most + 1);
  const std::size_t firsts = prefix_size(site);
  for (std::size_t i = 0; i < firsts; ++i) {
    Json items = Json::array();
    for (std::size_t k = 0; k < i; ++k)
      items.push_back(true);
    items.push_back(complement(prefix(site, i), depth + 1));
    if (items.back() != false)
      out.push_back(object({{"type", "array"}, {"minItems", i + 1}, {"prefixItems", items}}));
  }
  if (const std::optional<i32> rest = rest_items(site)) {
    const Json other = complement(*rest, depth + 1);
    if (other == true) {
      array("minItems", firsts + 1);
    } else if (other != false) {
      if (firsts > 0) fail(site, "items", "the complement of items behind others");
      array("contains", other);
    }
  }
  if (get(site, "contains") != nullptr) {
    if (get(site, "minContains") != nullptr || get(site, "maxContains") != nullptr)
      fail(site, "contains", "the complement of counted items");
    array("items", complement(at(site, "contains"), depth + 1));
  }
  if (get(site, "uniqueItems") != nullptr && *get(site, "uniqueItems") == true)
    fail(site, "uniqueItems", "the complement of this keyword");
}

void SchemaDocument::complement_objects(i32 site, int depth, std::vector<Json>& out) {
  const auto map = [&](const char* key, const Json& value) {
    out.push_back(object({{"type", "object"}, {key, value}}));
  };
  const std::optional<i64> least = count(site, "minProperties");
  if (least && *least > 0) map("maxProperties", *least - 1);
  const std::optional<i64> most = count(site, "maxProperties");
  if (most) map("minProperties", *most + 1);
  if (const Json* const names = get(site, "required")) {
    for (const Json& name : *names)
      map("properties", object({{name.get<std::string>().c_str(), false}}));
  }
  if (const Json* const fields = get(site, "properties")) {
    for (const auto& [name, field] : fields->items()) {
      const Json other = complement(at(site, "properties", name), depth + 1);
      if (other == false) continue;
      out.push_back(object({{"type", "object"},
                            {"required", Json::array({name})},
                            {"properties", object({{name.c_str(), other}})}}));
    }
  }
  for (const char* const key : {"patternProperties", "additionalProperties", "propertyNames",
                                "dependentRequired", "dependentSchemas", "unevaluatedProperties"}) {
    const Json* const value = get(site, key);
    if (value != nullptr && *value != true) fail(site, key, "the complement of this keyword");
  }
}

void SchemaDocument::complement_logic(i32 site, int depth, std::vector<Json>& out) {
  if (get(site, "$ref") != nullptr) out.push_back(complement(reference(site), depth + 1));
  if (const Json* const all = get(site, "allOf")) {
    for (std::size_t i = 0; i < all->size(); ++i)
      out.push_back(complement(at(site, "allOf", i), depth + 1));
  }
  if (const Json* const any = get(site, "anyOf")) {
    Json none = Json::array();
    for (std::size_t i = 0; i < any->size(); ++i)
      none.push_back(complement(at(site, "anyOf", i), depth + 1));
    out.push_back(object({{"allOf", none}}));
  }
  if (get(site, "not") != nullptr) out.push_back(schema(at(site, "not")));
  if (get(site, "if") != nullptr) {
    const i32 test = at(site, "if");
    if (get(site, "then") != nullptr) {
      out.push_back(object(
          {{"allOf", Json::array({schema(test), complement(at(site, "then"), depth + 1)})}}));
    }
    if (get(site, "else") != nullptr) {
      out.push_back(object({{"allOf", Json::array({complement(test, depth + 1),
                                                   complement(at(site, "else"), depth + 1)})}}));
    }
  }
  if (get(site, "oneOf") != nullptr) fail(site, "oneOf", "the complement of this keyword");
}

}  // namespace lm::grammar
