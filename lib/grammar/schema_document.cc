#include "grammar/schema_document.h"

#include <algorithm>
#include <cmath>

#include "core/str.h"

namespace lm::grammar {

namespace {

/// What the value of a keyword must be.
enum class Kind {
  kAny,
  kNumber,
  kBound,
  kCount,
  kFlag,
  kText,
  kTypes,
  kTexts,
  kList,
  kSchema,
  kSchemas,
  kMap,
  kTextLists,
  kItems
};
struct Keyword {
  std::string_view name;
  Kind kind;
};
constexpr Keyword kHonoured[] = {
    {"type", Kind::kTypes},
    {"enum", Kind::kList},
    {"const", Kind::kAny},
    {"multipleOf", Kind::kNumber},
    {"minimum", Kind::kNumber},
    {"maximum", Kind::kNumber},
    {"exclusiveMinimum", Kind::kBound},
    {"exclusiveMaximum", Kind::kBound},
    {"minLength", Kind::kCount},
    {"maxLength", Kind::kCount},
    {"pattern", Kind::kText},
    {"format", Kind::kText},
    {"prefixItems", Kind::kSchemas},
    {"items", Kind::kItems},
    {"additionalItems", Kind::kSchema},
    {"minItems", Kind::kCount},
    {"maxItems", Kind::kCount},
    {"uniqueItems", Kind::kFlag},
    {"contains", Kind::kSchema},
    {"minContains", Kind::kCount},
    {"maxContains", Kind::kCount},
    {"properties", Kind::kMap},
    {"patternProperties", Kind::kMap},
    {"additionalProperties", Kind::kSchema},
    {"propertyNames", Kind::kSchema},
    {"required", Kind::kTexts},
    {"minProperties", Kind::kCount},
    {"maxProperties", Kind::kCount},
    {"dependentRequired", Kind::kTextLists},
    {"dependentSchemas", Kind::kMap},
    {"unevaluatedProperties", Kind::kSchema},
    {"allOf", Kind::kSchemas},
    {"anyOf", Kind::kSchemas},
    {"oneOf", Kind::kSchemas},
    {"not", Kind::kSchema},
    {"if", Kind::kSchema},
    {"then", Kind::kSchema},
    {"else", Kind::kSchema},
    {"$ref", Kind::kText},
    {kBroken, Kind::kFlag},
    {kNotPattern, Kind::kText},
    {kNotStrings, Kind::kTexts},
    {kNotMultipleOf, Kind::kNumber},
};
constexpr std::string_view kSilent[] = {
    "$schema",   "$id",         "$anchor",         "$dynamicAnchor",   "$comment",      "$defs",
    "title",     "definitions", "default",         "examples",         "deprecated",    "readOnly",
    "writeOnly", "description", "contentEncoding", "contentMediaType", "contentSchema", "id"};

bool is_schema(const io::Json& value) {
  return value.is_object() || value.is_boolean();
}

template <typename Test>
bool list_of(const io::Json& value, Test test) {
  return value.is_array() && std::all_of(value.begin(), value.end(), test);
}

bool is_text(const io::Json& value) {
  return value.is_string();
}

bool is_type(const io::Json& value) {
  constexpr std::string_view kTypes[] = {"null",   "boolean", "number", "integer",
                                         "string", "array",   "object"};
  return value.is_string() && std::find(std::begin(kTypes), std::end(kTypes),
                                        value.get<std::string>()) != std::end(kTypes);
}

/// What the value should have been; empty if it is that.
std::string_view expected(Kind kind, const io::Json& value) {
  const f64 number = value.is_number() ? value.get<f64>() : -1;
  switch (kind) {
    case Kind::kAny:
      return {};
    case Kind::kNumber:
      return value.is_number() ? "" : "a number";
    case Kind::kBound:
      return value.is_number() || value.is_boolean() ? "" : "a number";
    case Kind::kCount:
      return number >= 0 && std::trunc(number) == number ? "" : "a whole number from 0";
    case Kind::kFlag:
      return value.is_boolean() ? "" : "a boolean";
    case Kind::kText:
      return is_text(value) ? "" : "a string";
    case Kind::kTypes:
      return is_type(value) || list_of(value, is_type) ? "" : "a type or a list of types";
    case Kind::kTexts:
      return list_of(value, is_text) ? "" : "a list of strings";
    case Kind::kList:
      return value.is_array() ? "" : "a list";
    case Kind::kSchema:
      return is_schema(value) ? "" : "a schema: an object or a boolean";
    case Kind::kSchemas:
      return list_of(value, is_schema) ? "" : "a list of schemas";
    case Kind::kItems:
      return is_schema(value) || list_of(value, is_schema) ? "" : "a schema or a list of them";
    case Kind::kMap:
      return value.is_object() && std::all_of(value.begin(), value.end(), is_schema)
                 ? ""
                 : "an object of schemas";
    case Kind::kTextLists:
      return value.is_object() && std::all_of(value.begin(), value.end(),
                                              [](const io::Json& v) { return list_of(v, is_text); })
                 ? ""
                 : "an object of lists of strings";
  }
  return {};
}

template <std::size_t N>
bool among(const std::string_view (&list)[N], std::string_view key) {
  return std::find(std::begin(list), std::end(list), key) != std::end(list);
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const std::string digits(text.substr(i + 1, 2));
      out += static_cast<char>(std::strtol(digits.c_str(), nullptr, 16));
      i += 2;
    } else if (text[i] == '~' && i + 1 < text.size() &&
               (text[i + 1] == '0' || text[i + 1] == '1')) {
      out += text[++i] == '0' ? '~' : '/';
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::string pointer_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

SchemaDocument::SchemaDocument(const io::Json& schema, const SchemaOptions& options,
                               std::vector<std::string>& warnings)
    : document_(schema), options_(options), warnings_(warnings) {
  find_anchors(schema, "#");
  add(schema, "#");
  const io::Json* const dialect = get(root(), "$schema");
  if (dialect == nullptr) return;
  const std::string name = dialect->is_string() ? dialect->get<std::string>() : "";
  constexpr std::string_view kDialects[] = {
      "json-schema.org/draft/2020-12/schema", "json-schema.org/draft/2019-09/schema",
      "json-schema.org/draft-07/schema",      "json-schema.org/draft-06/schema",
      "json-schema.org/draft-04/schema",      "json-schema.org/schema"};
  const bool known = std::any_of(std::begin(kDialects), std::end(kDialects), [&](auto one) {
    const std::size_t at = name.find(one);
    return (at == 7 || at == 8) &&
           name.find_first_not_of('#', at + one.size()) == std::string::npos;
  });
  if (!known) give_up(root(), "$schema", cat("unknown dialect ", quote(name)));
}

void SchemaDocument::fail(i32 site, std::string_view key, std::string_view what) const {
  refuse(cat("schema ", pointer(site), key.empty() ? "" : "/", key, ": ", what));
}

void SchemaDocument::give_up(i32 site, std::string_view key, std::string_view what) {
  if (!options_.lenient) fail(site, key, what);
  std::vector<std::string>& ignored = sites_[usize(site)].ignored;
  if (std::find(ignored.begin(), ignored.end(), key) != ignored.end()) return;
  ignored.emplace_back(key);
  warnings_.push_back(cat("schema ", pointer(site), "/", key, ": left out: ", what));
}

i32 SchemaDocument::add(const io::Json& schema, std::string pointer) {
  const auto known = known_.find(&schema);
  if (known != known_.end()) return known->second;
  const i32 id = static_cast<i32>(sites_.size());
  known_.emplace(&schema, id);
  sites_.push_back({&schema, std::move(pointer), {}});
  check(id);
  return id;
}

void SchemaDocument::check(i32 site) {
  const io::Json& s = schema(site);
  if (s.is_boolean()) return;
  if (!s.is_object()) fail(site, "", "expected a schema: an object or a boolean");
  for (const auto& field : s.items()) {
    const std::string& key = field.key();
    if (among(kSilent, key)) continue;
    const Keyword* const known = std::find_if(std::begin(kHonoured), std::end(kHonoured),
                                              [&](const Keyword& one) { return one.name == key; });
    if (known == std::end(kHonoured)) {
      give_up(site, pointer_name(key), "this keyword is not supported");
      continue;
    }
    const std::string_view wanted = expected(known->kind, field.value());
    if (!wanted.empty()) fail(site, key, cat("expected ", wanted));
  }
  if (const io::Json* const unique = get(site, "uniqueItems")) {
    const std::optional<i64> most = count(site, "maxItems");
    if (*unique == true && !(most && *most <= 1))
      give_up(site, "uniqueItems", "this keyword is not supported");
  }
}

const io::Json* SchemaDocument::get(i32 site, const char* key) const {
  const io::Json& s = schema(site);
  if (!s.is_object()) return nullptr;
  const auto at = s.find(key);
  if (at == s.end()) return nullptr;
  const std::vector<std::string>& ignored = sites_[usize(site)].ignored;
  if (std::find(ignored.begin(), ignored.end(), key) != ignored.end()) return nullptr;
  return &*at;
}

std::optional<i64> SchemaDocument::count(i32 site, const char* key) const {
  const io::Json* const value = get(site, key);
  if (value == nullptr) return std::nullopt;
  constexpr f64 kMost = 1e9;
  return static_cast<i64>(std::min(value->get<f64>(), kMost));
}

i32 SchemaDocument::at(i32 site, const char* key) {
  const io::Json* const value = get(site, key);
  LM_CHECK(value != nullptr, "the keyword is there");
  return add(*value, cat(pointer(site), "/", key));
}

i32 SchemaDocument::at(i32 site, const char* key, std::size_t index) {
  const io::Json* const list = get(site, key);
  LM_CHECK(list != nullptr && list->is_array() && index < list->size(), "the element is there");
  return add((*list)[index], cat(pointer(site), "/", key, "/", index));
}

i32 SchemaDocument::at(i32 site, const char* key, const std::string& name) {
  const io::Json* const map = get(site, key);
  LM_CHECK(map != nullptr && map->is_object() && map->contains(name), "the field is there");
  return add(*map->find(name), cat(pointer(site), "/", key, "/", pointer_name(name)));
}

std::size_t SchemaDocument::prefix_size(i32 site) const {
  const io::Json* const prefix = get(site, "prefixItems");
  if (prefix != nullptr) return prefix->size();
  const io::Json* const items = get(site, "items");  // a list before 2020-12
  return items != nullptr && items->is_array() ? items->size() : 0;
}

i32 SchemaDocument::prefix(i32 site, std::size_t index) {
  return at(site, get(site, "prefixItems") != nullptr ? "prefixItems" : "items", index);
}

std::optional<i32> SchemaDocument::rest_items(i32 site) {
  const io::Json* const items = get(site, "items");
  if (items == nullptr) return std::nullopt;
  if (!items->is_array()) return at(site, "items");
  if (get(site, "additionalItems") == nullptr) return std::nullopt;
  return at(site, "additionalItems");
}

// Every schema with an anchor, wherever it stands.
void SchemaDocument::find_anchors(const io::Json& here, const std::string& pointer) {
  if (here.is_object()) {
    for (const char* const key : {"$anchor", "$dynamicAnchor"}) {
      const auto name = here.find(key);
      if (name != here.end() && name->is_string())
        anchors_.emplace(name->get<std::string>(), std::pair{&here, pointer});
    }
    const auto id = here.find("$id");
    if (id != here.end() && id->is_string() && pointer != "#") resources_.push_back(pointer);
    for (const auto& [key, value] : here.items())
      find_anchors(value, cat(pointer, "/", pointer_name(key)));
  } else if (here.is_array()) {
    for (std::size_t i = 0; i < here.size(); ++i)
      find_anchors(here[i], cat(pointer, "/", i));
  }
}

const io::Json* SchemaDocument::resolve(std::string_view fragment, std::string& pointer) const {
  pointer = "#";
  const io::Json* here = &document_;
  if (fragment.empty()) return here;
  if (fragment[0] != '/') {
    const auto anchor = anchors_.find(fragment);
    if (anchor == anchors_.end()) return nullptr;
    pointer = anchor->second.second;
    return anchor->second.first;
  }
  for (const std::string_view part : split(fragment.substr(1), '/')) {
    const std::string name = unescaped(part);
    append(pointer, "/", part);
    if (here->is_object()) {
      const auto next = here->find(name);
      if (next == here->end()) return nullptr;
      here = &*next;
    } else if (here->is_array()) {
      const std::optional<i64> index = parse_int(name);
      if (!index || *index < 0 || *index >= isize(*here)) return nullptr;
      here = &(*here)[usize(*index)];
    } else {
      return nullptr;
    }
  }
  return here;
}

i32 SchemaDocument::reference(i32 site) {
  const io::Json* const ref = get(site, "$ref");
  const std::string name = ref->get<std::string>();
  for (const std::string& resource : resources_) {
    if (pointer(site).starts_with(resource))
      fail(site, "$ref", "a reference inside a schema with an $id of its own");
  }
  std::string_view fragment = name;
  const io::Json* const id = get(root(), "$id");
  if (id != nullptr && id->is_string()) {
    const std::string base = id->get<std::string>();
    if (fragment == base || (fragment.starts_with(base) && fragment[base.size()] == '#'))
      fragment.remove_prefix(base.size());
  }
  if (!fragment.empty() && fragment[0] != '#')
    fail(site, "$ref", cat("a reference to another document: ", quote(name)));
  if (!fragment.empty()) fragment.remove_prefix(1);
  std::string where;
  const io::Json* const target = resolve(fragment, where);
  if (target == nullptr) fail(site, "$ref", cat("there is no ", quote(name)));
  return add(*target, where);
}

i32 SchemaDocument::make(io::Json schema, i32 site) {
  made_.push_back(std::move(schema));
  return add(made_.back(), pointer(site));
}

bool SchemaDocument::trivial(i32 site) const {
  const io::Json& s = schema(site);
  if (s.is_boolean()) return s.get<bool>();
  for (const auto& [key, value] : s.items()) {
    if (!among(kSilent, key) && get(site, key.c_str()) != nullptr) return false;
  }
  return true;
}

bool SchemaDocument::impossible(i32 site) const {
  return schema(site) == false;
}

}  // namespace lm::grammar
