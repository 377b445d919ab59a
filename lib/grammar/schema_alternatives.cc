// What a conjunction of places comes to: choices multiplied out, references followed; and whether
// it provably allows nothing.

#include <algorithm>

#include "core/str.h"
#include "grammar/schema_compiler.h"

namespace lm::grammar {

namespace {

constexpr std::size_t kMostAlternatives = 1000;
constexpr int kEmptyDepth = 4;

}  // namespace

struct SchemaCompiler::Above {
  i32 site;
  std::shared_ptr<const Above> above;
};

const std::vector<Sites>& SchemaCompiler::alternatives(const Sites& conjunction) {
  const auto known = alternatives_.find(conjunction);
  if (known != alternatives_.end()) return known->second;
  Branch branch;
  for (const i32 site : conjunction)
    branch.todo.push_back({site, nullptr});
  std::vector<Sites> out;
  expand(std::move(branch), out);
  return alternatives_.emplace(conjunction, std::move(out)).first->second;
}

// Places in the order in which they are reached, because members stand in that order.
void SchemaCompiler::expand(Branch branch, std::vector<Sites>& out) {
  while (branch.next < branch.todo.size()) {
    const Todo todo = branch.todo[branch.next++];
    if (document_.impossible(todo.site)) return;
    for (const Above* above = todo.above.get(); above != nullptr; above = above->above.get()) {
      if (above->site == todo.site)
        document_.fail(todo.site, "", "refers to itself without a step into a value");
    }
    if (document_.trivial(todo.site) ||
        std::find(branch.sites.begin(), branch.sites.end(), todo.site) != branch.sites.end())
      continue;
    branch.sites.push_back(todo.site);
    open(branch, todo);
  }
  if (branch.choices.empty()) {
    if (out.size() == kMostAlternatives)
      document_.fail(branch.sites.empty() ? 0 : branch.sites[0], "", "too many alternatives");
    out.push_back(branch.sites);
    return;
  }
  const std::vector<std::vector<Todo>> options = std::move(branch.choices.back());
  branch.choices.pop_back();
  for (const std::vector<Todo>& option : options) {
    Branch one = branch;
    one.todo = option;
    one.next = 0;
    expand(std::move(one), out);
  }
}

void SchemaCompiler::open(Branch& branch, const Todo& todo) {
  const i32 site = todo.site;
  const auto above = std::make_shared<const Above>(Above{site, todo.above});
  const auto made = [&](io::Json schema) {
    return Todo{document_.make(std::move(schema), site), above};
  };
  if (document_.get(site, "$ref") != nullptr)
    branch.todo.push_back({document_.reference(site), above});
  if (const io::Json* const all = document_.get(site, "allOf")) {
    for (std::size_t i = 0; i < all->size(); ++i)
      branch.todo.push_back({document_.at(site, "allOf", i), above});
  }
  if (document_.get(site, "not") != nullptr)
    branch.todo.push_back({document_.negated(document_.at(site, "not")), above});
  if (const io::Json* const any = document_.get(site, "anyOf")) {
    std::vector<std::vector<Todo>> options;
    for (std::size_t i = 0; i < any->size(); ++i)
      options.push_back({{document_.at(site, "anyOf", i), above}});
    branch.choices.push_back(std::move(options));
  }
  if (document_.get(site, "oneOf") != nullptr) branch.choices.push_back(exclusive(site, above));
  if (document_.get(site, "if") != nullptr &&
      (document_.get(site, "then") != nullptr || document_.get(site, "else") != nullptr)) {
    const i32 test = document_.at(site, "if");
    std::vector<Todo> met{{test, above}};
    if (document_.get(site, "then") != nullptr) met.push_back({document_.at(site, "then"), above});
    std::vector<Todo> unmet{{document_.negated(test), above}};
    if (document_.get(site, "else") != nullptr)
      unmet.push_back({document_.at(site, "else"), above});
    branch.choices.push_back({std::move(met), std::move(unmet)});
  }
  const auto absent = [&](const std::string& name) {
    return made(io::Json{{"properties", io::Json{{name, false}}}});
  };
  if (const io::Json* const required = document_.get(site, "dependentRequired")) {
    for (const auto& [name, names] : required->items()) {
      io::Json all = names;
      all.insert(all.begin(), name);
      branch.choices.push_back({{absent(name)}, {made(io::Json{{"required", all}})}});
    }
  }
  if (const io::Json* const schemas = document_.get(site, "dependentSchemas")) {
    for (const auto& [name, schema] : schemas->items()) {
      branch.choices.push_back({{absent(name)},
                                {made(io::Json{{"required", io::Json::array({name})}}),
                                 {document_.at(site, "dependentSchemas", name), above}}});
    }
  }
}

// An alternative that another one overlaps is taken without what the other allows.
std::vector<std::vector<SchemaCompiler::Todo>> SchemaCompiler::exclusive(
    i32 site, const std::shared_ptr<const Above>& above) {
  const std::size_t count = document_.get(site, "oneOf")->size();
  std::vector<i32> places;
  for (std::size_t i = 0; i < count; ++i)
    places.push_back(document_.at(site, "oneOf", i));
  std::vector<std::vector<Todo>> options;
  for (const i32 place : places)
    options.push_back({{place, above}});
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = i + 1; k < count; ++k) {
      if (empty({places[i], places[k]}, kEmptyDepth)) continue;
      try {
        options[i].push_back({document_.negated(places[k]), above});
        options[k].push_back({document_.negated(places[i]), above});
      } catch (const Refusal& refusal) {
        if (refusal.fault.code == "budget") throw;
        document_.give_up(site, "oneOf",
                          cat("alternatives ", i, " and ", k, " may overlap, and no complement (",
                              refusal.fault.detail, ")"));
        std::vector<std::vector<Todo>> any;  // as anyOf
        for (const i32 place : places)
          any.push_back({{place, above}});
        return any;
      }
    }
  }
  return options;
}

Sites SchemaCompiler::normal_form(Sites sites) const {
  Sites out;
  for (const i32 site : sites) {
    if (document_.impossible(site)) return {nothing_};
    if (!document_.trivial(site) && std::find(out.begin(), out.end(), site) == out.end())
      out.push_back(site);
  }
  return out;
}

bool SchemaCompiler::is_impossible(const Sites& sites) const {
  return sites.size() == 1 && sites[0] == nothing_;
}

bool SchemaCompiler::empty(const Sites& conjunction, int depth) {
  if (is_impossible(conjunction)) return true;
  if (depth == 0) return false;
  const std::vector<Sites> found = alternatives(conjunction);
  return std::all_of(found.begin(), found.end(),
                     [&](const Sites& sites) { return empty_alternative(sites, depth); });
}

bool SchemaCompiler::empty_alternative(const Sites& sites, int depth) {
  for (const i32 site : sites) {
    if (document_.get(site, "enum") != nullptr || document_.get(site, "const") != nullptr)
      return constants(sites) == kNothing;
  }
  if (has_type(sites, "null") || has_type(sites, "boolean")) return false;
  if (table_.shortest(number(sites)) < kNever) return false;
  if (has_type(sites, "string") && table_.shortest(string_content(sites)) < kNever) return false;
  if (has_type(sites, "array")) {
    const Items items = items_of(sites);
    bool none = items.most >= 0 && items.least > items.most;
    for (std::size_t i = 0; i < usize(items.least) && i <= items.firsts && !none; ++i)
      none = empty(item_at(sites, i), depth - 1);
    if (!none) return false;
  }
  if (has_type(sites, "object")) {
    const Names names = names_of(sites);
    bool none = names.most >= 0 && names.least > names.most;
    for (std::size_t i = 0; i < names.listed.size() && !none; ++i)
      none = names.required[i] && empty(member_named(sites, names.listed[i]), depth - 1);
    if (!none) return false;
  }
  return true;
}

}  // namespace lm::grammar
