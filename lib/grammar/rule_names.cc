#include "grammar/rule_names.h"

#include "core/str.h"

namespace lm::grammar {

void RuleNames::fail(i64 line, std::string_view what) const {
  refuse(cat(notation_, ":", line, ": ", what));
}

RuleNames::Named& RuleNames::find(std::string_view name) {
  const auto known = names_.find(name);
  if (known != names_.end()) return known->second;
  const i32 rule = static_cast<i32>(set_->rules.size());
  set_->rules.push_back({});
  return names_.emplace(std::string(name), Named{rule, 0, 0}).first->second;
}

Expr RuleNames::use(std::string_view name, i64 line) {
  Named& named = find(name);
  if (named.used == 0) named.used = line;
  return set_->table.call(named.rule);
}

void RuleNames::define(std::string_view name, i64 line, Expr body) {
  Named& named = find(name);
  if (named.defined != 0)
    fail(line, cat("rule ", quote(name), " is defined twice, first on line ", named.defined));
  named.defined = line;
  Rule& rule = set_->rules[usize(named.rule)];
  rule.place = cat(notation_, ":", line, ": rule ", quote(name));
  rule.body = body;
}

bool RuleNames::defined(std::string_view name) const {
  const auto known = names_.find(name);
  return known != names_.end() && known->second.defined != 0;
}

void RuleNames::finish(std::string_view root) {
  for (const auto& [name, named] : names_) {
    if (named.defined == 0) fail(named.used, cat("rule ", quote(name), " is not defined"));
  }
  if (!defined(root)) fail(1, cat("there is no rule ", quote(root), ", where texts begin"));
  set_->root = find(root).rule;
}

}  // namespace lm::grammar
