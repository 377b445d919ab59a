// Objects of an alternative.

#include <algorithm>

#include "core/str.h"
#include "grammar/schema_compiler.h"

namespace lm::grammar {

namespace {

constexpr std::size_t kMostPatterns = 6;
constexpr i64 kMostCounted = 1 << 18;  // members times counts

}  // namespace

// Named members first, in the order in which the schema names them.
SchemaCompiler::Names SchemaCompiler::names_of(const Sites& sites) {
  Names out;
  const auto add = [&](const std::string& name) {
    if (std::find(out.listed.begin(), out.listed.end(), name) == out.listed.end())
      out.listed.push_back(name);
  };
  for (const i32 site : sites) {
    if (const io::Json* const properties = document_.get(site, "properties")) {
      for (const auto& [name, schema] : properties->items())
        add(name);
    }
    out.least = std::max(out.least, document_.count(site, "minProperties").value_or(0));
    const std::optional<i64> most = document_.count(site, "maxProperties");
    if (most) out.most = out.most < 0 ? *most : std::min(out.most, *most);
  }
  for (const i32 site : sites) {
    if (const io::Json* const required = document_.get(site, "required")) {
      for (const io::Json& name : *required)
        add(name.get<std::string>());
    }
    if (document_.get(site, "propertyNames") == nullptr) continue;
    const io::Json* const names = document_.get(document_.at(site, "propertyNames"), "enum");
    for (const io::Json& name : names == nullptr ? io::Json::array() : *names) {
      if (name.is_string()) add(name.get<std::string>());
    }
  }
  for (const std::string& name : out.listed)
    out.required.push_back(is_required(sites, name));
  return out;
}

bool SchemaCompiler::is_required(const Sites& sites, const std::string& name) const {
  return std::any_of(sites.begin(), sites.end(), [&](i32 site) {
    const io::Json* const names = document_.get(site, "required");
    return names != nullptr && std::find(names->begin(), names->end(), name) != names->end();
  });
}

// The places whose names unevaluatedProperties leaves out: its own and those that $ref and allOf
// always bring to the same object. Nothing if they leave it no member at all. What applies only
// sometimes would make the names depend on the object.
std::optional<Sites> SchemaCompiler::evaluated_beside(i32 site) {
  Sites out{site};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const i32 here = out[i];
    if (document_.schema(here).is_boolean()) continue;
    for (const char* const key : {"anyOf", "oneOf", "not", "if", "dependentSchemas"}) {
      if (document_.get(here, key) == nullptr) continue;
      document_.give_up(site, "unevaluatedProperties", cat("beside ", key));
      return std::nullopt;
    }
    const bool all = document_.get(here, "additionalProperties") != nullptr ||
                     (i > 0 && document_.get(here, "unevaluatedProperties") != nullptr);
    if (all) return std::nullopt;
    const auto add = [&](i32 more) {
      if (std::find(out.begin(), out.end(), more) == out.end()) out.push_back(more);
    };
    if (document_.get(here, "$ref") != nullptr) add(document_.reference(here));
    const io::Json* const parts = document_.get(here, "allOf");
    for (std::size_t k = 0; parts != nullptr && k < parts->size(); ++k)
      add(document_.at(here, "allOf", k));
  }
  return out;
}

// What all places say of a member, given which of them name it and by which patterns.
Sites SchemaCompiler::member(const Sites& sites, const Naming& naming) {
  Sites out;
  const auto names = [&](i32 site) {
    return naming.listed(site) || !naming.patterns(site).empty();
  };
  for (const i32 site : sites) {
    for (const std::string& pattern : naming.patterns(site))
      out.push_back(document_.at(site, "patternProperties", pattern));
    if (names(site)) continue;
    const io::Json* const rest = document_.get(site, "unevaluatedProperties");
    if (document_.get(site, "additionalProperties") != nullptr) {
      out.push_back(document_.at(site, "additionalProperties"));
    } else if (rest != nullptr && *rest != true) {
      const std::optional<Sites> beside = evaluated_beside(site);
      if (beside && std::none_of(beside->begin(), beside->end(), names))
        out.push_back(document_.at(site, "unevaluatedProperties"));
    }
  }
  return out;
}

Sites SchemaCompiler::member_named(const Sites& sites, const std::string& name) {
  Naming naming;
  naming.listed = [&](i32 site) {
    const io::Json* const properties = document_.get(site, "properties");
    return properties != nullptr && properties->contains(name);
  };
  naming.patterns = [&](i32 site) {
    std::vector<std::string> matched;
    if (const io::Json* const patterns = document_.get(site, "patternProperties")) {
      for (const auto& [pattern, schema] : patterns->items()) {
        if (table_.matches(pattern_text(pattern, site, "patternProperties"), name))
          matched.push_back(pattern);
      }
    }
    return matched;
  };
  Sites out;
  for (const i32 site : sites) {
    if (naming.listed(site)) out.push_back(document_.at(site, "properties", name));
    if (document_.get(site, "propertyNames") != nullptr &&
        !valid(io::Json(name), document_.at(site, "propertyNames")))
      return {nothing_};
  }
  const Sites more = member(sites, naming);
  out.insert(out.end(), more.begin(), more.end());
  return normal_form(std::move(out));
}

// Names that members may have which are not listed.
Expr SchemaCompiler::further_names(const Sites& sites, const Names& names) {
  Expr out = table_.star(json_chars(table_, complement({}), Spelling::kNeeded));
  for (const i32 site : sites) {
    if (document_.get(site, "propertyNames") != nullptr)
      out = table_.both(out, string_contents(normal_form({document_.at(site, "propertyNames")})));
  }
  std::vector<Expr> listed;
  for (const std::string& one : names.listed)
    listed.push_back(json_string_texts(table_, one, Spelling::kNeeded));
  return listed.empty() ? out : table_.without(out, table_.alt(std::move(listed)));
}

// Members that are not listed: by the patterns that their names match, because those decide what
// the value may be.
Expr SchemaCompiler::further_members(const Sites& sites, const Names& names) {
  std::vector<std::pair<i32, std::string>> patterns;
  for (const i32 site : sites) {
    if (const io::Json* const map = document_.get(site, "patternProperties")) {
      for (const auto& [pattern, schema] : map->items())
        patterns.emplace_back(site, pattern);
    }
  }
  if (patterns.size() > kMostPatterns)
    document_.fail(sites[0], "patternProperties", cat("more than ", kMostPatterns, " patterns"));
  std::optional<Expr> all;
  std::vector<Expr> options;
  for (u32 chosen = 0; chosen < u32{1} << patterns.size(); ++chosen) {
    Naming naming;
    naming.listed = [](i32) { return false; };
    naming.patterns = [&](i32 site) {
      std::vector<std::string> matched;
      for (std::size_t i = 0; i < patterns.size(); ++i) {
        if ((chosen >> i & 1) != 0 && patterns[i].first == site)
          matched.push_back(patterns[i].second);
      }
      return matched;
    };
    const Sites field = normal_form(member(sites, naming));
    if (is_impossible(field)) continue;
    if (!all) all = further_names(sites, names);
    Expr these = *all;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      const Expr pattern = pattern_content(patterns[i].second, patterns[i].first,
                                           "patternProperties", Spelling::kNeeded);
      these = (chosen >> i & 1) != 0 ? table_.both(these, pattern) : table_.without(these, pattern);
    }
    if (table_.shortest(these) >= kNever) continue;
    options.push_back(table_.cat(in_rule(writer_.string(these), "a name"),
                                 table_.cat(writer_.colon(), value(field))));
  }
  return table_.alt(std::move(options));
}

// From the last member to the first, by how many members stand before it, as far as that matters.
Expr SchemaCompiler::object(const Sites& sites) {
  const Names names = names_of(sites);
  if (names.most >= 0 && names.least > names.most) return kNothing;
  const i64 counts = names.most >= 0 ? names.most : std::max<i64>(names.least, 1);
  if ((isize(names.listed) + 1) * (counts + 1) > kMostCounted)
    document_.fail(sites[0], "maxProperties", "too many members to count");
  const Expr other = further_members(sites, names);
  std::vector<Expr> tail;
  for (i64 c = 0; c <= counts; ++c) {
    const i64 least = std::max<i64>(names.least - c, 0);
    const i64 most = names.most < 0 ? -1 : names.most - c;
    tail.push_back(other == kNothing ? (least > 0 ? kNothing : kEmpty)
                                     : listed(other, c, least, most));
  }
  for (i64 i = isize(names.listed) - 1; i >= 0; --i) {
    const std::string& name = names.listed[usize(i)];
    const Expr member = writer_.member(name, value(member_named(sites, name)));
    const std::vector<Expr> behind = tail;
    for (i64 c = 0; c <= counts; ++c) {
      Expr with = kNothing;
      if (names.most < 0 || c < names.most) {
        with = table_.cat(c > 0 ? writer_.comma() : kEmpty,
                          table_.cat(member, behind[usize(std::min(c + 1, counts))]));
      }
      tail[usize(c)] = names.required[usize(i)] ? with : table_.alt(with, behind[usize(c)]);
    }
  }
  return writer_.object(tail[0]);
}

}  // namespace lm::grammar
