// One type of an alternative: constants, booleans, numbers, strings.

#include <algorithm>

#include "core/str.h"
#include "grammar/regex.h"
#include "grammar/schema_compiler.h"
#include "grammar/schema_format.h"

namespace lm::grammar {

SchemaCompiler::SchemaCompiler(RuleSet& set, const io::Json& schema, const SchemaOptions& options,
                               std::vector<std::string>& warnings)
    : set_(set),
      table_(set.table),
      options_(options),
      document_(schema, options, warnings),
      writer_(set.table, options) {
  nothing_ = document_.make(false, document_.root());
}

void SchemaCompiler::compile() {
  set_.refuse_endless = false;
  set_.root = static_cast<i32>(set_.rules.size());
  set_.rules.push_back({"schema #", kNothing});
  const Expr whole = value(normal_form({document_.root()}));
  while (!pending_.empty()) {
    const std::pair<i32, Sites> next = std::move(pending_.back());
    pending_.pop_back();
    std::vector<Expr> options;
    const std::vector<Sites> found = alternatives(next.second);
    for (const Sites& sites : found)
      options.push_back(alternative(sites));
    set_.rules[usize(next.first)].body = table_.alt(std::move(options));
  }
  set_.rules[usize(set_.root)].body = table_.cat(writer_.edge(), table_.cat(whole, writer_.edge()));
}

// The rule of a conjunction; its body is made when its turn comes.
Expr SchemaCompiler::value(const Sites& conjunction) {
  if (is_impossible(conjunction)) return kNothing;
  const auto known = rules_.find(conjunction);
  if (known != rules_.end()) return table_.call(known->second);
  const i32 rule = static_cast<i32>(set_.rules.size());
  set_.rules.push_back(
      {cat("schema ", conjunction.empty() ? "true" : document_.pointer(conjunction[0])), kNothing});
  rules_.emplace(conjunction, rule);
  pending_.emplace_back(rule, conjunction);
  return table_.call(rule);
}

Expr SchemaCompiler::alternative(const Sites& sites) {
  for (const i32 site : sites) {
    if (document_.get(site, "enum") != nullptr || document_.get(site, "const") != nullptr)
      return constants(sites);
  }
  std::vector<Expr> options;
  if (has_type(sites, "null")) options.push_back(table_.literal("null"));
  if (has_type(sites, "boolean")) {
    options.push_back(table_.literal("true"));
    options.push_back(table_.literal("false"));
  }
  options.push_back(number(sites));
  if (has_type(sites, "string")) {
    const Expr content = string_content(sites);
    if (content != kNothing) options.push_back(in_rule(writer_.string(content), "a string"));
  }
  if (has_type(sites, "array")) options.push_back(array(sites));
  if (has_type(sites, "object")) options.push_back(object(sites));
  return table_.alt(std::move(options));
}

// A value that the whole alternative allows is one of the first list.
Expr SchemaCompiler::constants(const Sites& sites) {
  for (const i32 site : sites) {
    const io::Json* const list = document_.get(site, "enum");
    const io::Json* const one = document_.get(site, "const");
    if (list == nullptr && one == nullptr) continue;
    std::vector<Expr> options;
    const auto add = [&](const io::Json& value) {
      const bool allowed = std::all_of(sites.begin(), sites.end(), [&](i32 other) {
        return other == site && (list == nullptr || one == nullptr)
                   ? valid_besides_constants(value, site)
                   : valid(value, other);
      });
      if (allowed) options.push_back(writer_.constant(value));
    };
    if (one != nullptr) {
      add(*one);
    } else {
      for (const io::Json& value : *list)
        add(value);
    }
    return table_.alt(std::move(options));
  }
  return kNothing;
}

bool SchemaCompiler::has_type(const Sites& sites, std::string_view type) const {
  return std::all_of(sites.begin(), sites.end(), [&](i32 site) {
    const io::Json* const given = document_.get(site, "type");
    if (given == nullptr) return true;
    if (given->is_string()) return given->get<std::string>() == type;
    return std::any_of(given->begin(), given->end(),
                       [&](const io::Json& one) { return one.get<std::string>() == type; });
  });
}

NumberSet SchemaCompiler::number_set(const Sites& sites) const {
  NumberSet set;
  for (const i32 site : sites) {
    const auto get = [&](const char* key) { return document_.get(site, key); };
    // Draft 4 has a flag that opens the bound beside it.
    const auto flag = [&](const char* key) { return get(key) != nullptr && *get(key) == true; };
    const auto bound = [&](const char* key) {
      return get(key) != nullptr && get(key)->is_number();
    };
    if (bound("minimum")) set.at_least(decimal(*get("minimum")), flag("exclusiveMinimum"));
    if (bound("exclusiveMinimum")) set.at_least(decimal(*get("exclusiveMinimum")), true);
    if (bound("maximum")) set.at_most(decimal(*get("maximum")), flag("exclusiveMaximum"));
    if (bound("exclusiveMaximum")) set.at_most(decimal(*get("exclusiveMaximum")), true);
    if (const io::Json* const divisor = get("multipleOf")) {
      const Decimal d = decimal(*divisor);
      if (d.negative || d.zero()) document_.fail(site, "multipleOf", "expected a number above 0");
      set.multiples.push_back(d);
    }
    if (const io::Json* const divisor = get(kNotMultipleOf))
      set.not_multiples.push_back(decimal(*divisor));
    set.broken |= get(kBroken) != nullptr;
  }
  return set;
}

// Whole numbers where each place allows numbers or at least whole ones.
Expr SchemaCompiler::number(const Sites& sites) {
  bool whole = false;
  for (const i32 site : sites) {
    if (has_type({site}, "number")) continue;
    if (!has_type({site}, "integer")) return kNothing;
    whole = true;
  }
  NumberSet set = number_set(sites);
  set.whole = whole;
  if (whole && set.broken) return kNothing;
  const bool any = !set.low && !set.high && set.multiples.empty() && set.not_multiples.empty();
  if (whole && any && any_integer_ != kNothing) return any_integer_;
  try {
    const Expr out = numerals(table_, set);
    if (whole && any) any_integer_ = out;
    return out;
  } catch (const Refusal& refusal) {
    if (refusal.fault.code == "budget") throw;
    document_.fail(sites[0], "multipleOf", refusal.fault.detail);
  }
}

Expr SchemaCompiler::any_string() {
  if (any_string_ == kNothing)
    any_string_ = table_.star(json_chars(table_, complement({}), Spelling::kAny));
  return any_string_;
}

Expr SchemaCompiler::pattern_content(const std::string& pattern, i32 site, const char* key,
                                     Spelling spelling) {
  const std::string name = cat(spelling == Spelling::kAny ? "any " : "needed ", pattern);
  const auto known = patterns_.find(name);
  if (known != patterns_.end()) return known->second;
  RegexSyntax syntax;
  syntax.ecma = true;
  syntax.search = true;
  syntax.encode = [&](const CharSet& set) { return json_chars(table_, set, spelling); };
  try {
    return patterns_[name] = parse_regex(table_, pattern, syntax);
  } catch (const Refusal& refusal) {
    if (refusal.fault.code == "budget") throw;
    document_.fail(site, key, refusal.fault.detail);
  }
}

Expr SchemaCompiler::string_content(const Sites& sites) {
  i64 least = 0;
  i64 most = -1;
  Expr out = kNothing;
  const auto require = [&](Expr e) { out = out == kNothing ? e : table_.both(out, e); };
  std::vector<Expr> excluded;
  for (const i32 site : sites) {
    const auto get = [&](const char* key) { return document_.get(site, key); };
    least = std::max(least, document_.count(site, "minLength").value_or(0));
    const std::optional<i64> limit = document_.count(site, "maxLength");
    if (limit) most = most < 0 ? *limit : std::min(most, *limit);
    if (const io::Json* const pattern = get("pattern"))
      require(pattern_content(pattern->get<std::string>(), site, "pattern", Spelling::kNeeded));
    if (const io::Json* const format = get("format")) {
      const std::optional<std::string> pattern = format_pattern(format->get<std::string>());
      if (pattern) {
        require(pattern_content(cat("^", *pattern, "$"), site, "format", Spelling::kNeeded));
      } else {
        document_.give_up(site, "format",
                          cat("unknown format ", quote(format->get<std::string>())));
      }
    }
    if (const io::Json* const pattern = get(kNotPattern))
      excluded.push_back(
          pattern_content(pattern->get<std::string>(), site, kNotPattern, Spelling::kAny));
    if (const io::Json* const texts = get(kNotStrings)) {
      for (const io::Json& text : *texts)
        excluded.push_back(json_string_texts(table_, text.get<std::string>(), Spelling::kAny));
    }
  }
  if (most >= 0 && least > most) return kNothing;
  if (least > 0 || most >= 0) {
    const Expr one = json_chars(table_, complement({}), Spelling::kAny);
    require(table_.repeat(one, static_cast<i32>(least), static_cast<i32>(most)));
  }
  if (out == kNothing) out = any_string();
  if (!excluded.empty()) out = table_.without(out, table_.alt(std::move(excluded)));
  return table_.shortest(out) < kNever ? out : kNothing;
}

// Of all alternatives of a conjunction: names that a schema allows.
Expr SchemaCompiler::string_contents(const Sites& conjunction) {
  std::vector<Expr> options;
  if (is_impossible(conjunction)) return kNothing;
  const std::vector<Sites> found = alternatives(conjunction);
  for (const Sites& sites : found) {
    bool constant = false;
    for (const i32 site : sites) {
      for (const char* const key : {"const", "enum"}) {
        const io::Json* const given = document_.get(site, key);
        if (given == nullptr) continue;
        constant = true;
        for (const io::Json& one :
             std::string_view(key) == "enum" ? *given : io::Json::array({*given})) {
          if (one.is_string() && valid(one, sites))
            options.push_back(json_string_texts(table_, one.get<std::string>(), Spelling::kNeeded));
        }
      }
    }
    if (!constant && has_type(sites, "string")) options.push_back(string_content(sites));
  }
  return table_.alt(std::move(options));
}

// Strings alike are one rule, so that what is known of their tokens serves all places.
Expr SchemaCompiler::in_rule(Expr e, std::string_view what) {
  const auto known = expr_rules_.find(e);
  if (known != expr_rules_.end()) return table_.call(known->second);
  const i32 rule = static_cast<i32>(set_.rules.size());
  set_.rules.push_back({cat("schema: ", what), e});
  expr_rules_.emplace(e, rule);
  return table_.call(rule);
}

void parse_json_schema(RuleSet& set, const io::Json& schema, const SchemaOptions& options,
                       std::vector<std::string>& warnings) {
  SchemaCompiler(set, schema, options, warnings).compile();
}

}  // namespace lm::grammar
