#include "mix/rules.h"

#include <algorithm>

#include "core/str.h"

namespace lm::mix {

const char* kind_name(RuleKind kind) {
  return kind == RuleKind::kWhere ? "where" : "drop";
}

void RuleCounts::add(const RuleCounts& other) {
  matched += other.matched;
  alone += other.alone;
  bytes += other.bytes;
  bytes_alone += other.bytes_alone;
  amount += other.amount;
  amount_alone += other.amount_alone;
}

std::pair<std::string, std::string_view> split_rule(std::string_view text) {
  std::size_t end = 0;
  const auto in_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  while (end < text.size() && in_name(text[end]))
    ++end;
  const bool named = end > 0 && end < text.size() && text[end] == '=' &&
                     (end + 1 == text.size() || text[end + 1] != '=');
  if (!named) return {{}, text};
  return {std::string(text.substr(0, end)), text.substr(end + 1)};
}

void RuleSet::check_name(const std::string& name, const std::string& where, ErrorKind error) const {
  for (const Rule& rule : rules_) {
    if (rule.name == name)
      throw Error(error, cat(where, ": two rules are called ", quote(name)),
                  "a name of your own: NAME=EXPRESSION");
  }
}

void RuleSet::add(RuleKind kind, std::string_view text, const std::string& option, Names& names,
                  ErrorKind error) {
  auto [name, source] = split_rule(text);
  if (name.empty()) {
    const i64 before = std::count_if(rules_.begin(), rules_.end(), [kind](const Rule& rule) {
      return rule.kind == kind && rule.when;
    });
    name = cat(kind_name(kind), before + 1);
  }
  check_name(name, option, error);
  Expression when(source, Expression::Yields::kTruth, names, cat(option, " ", name), error);
  rules_.push_back({std::move(name), kind, std::string(source), std::move(when)});
}

void RuleSet::include(std::span<const PlacedText> selectors, Syntax syntax, Names& names,
                      ErrorKind error) {
  if (selectors.empty()) return;
  Rule rule{"include", RuleKind::kWhere, {}};
  check_name(rule.name, selectors[0].where, error);
  for (const PlacedText& one : selectors) {
    append(rule.source, rule.source.empty() ? "" : ", ", one.text);
    rule.selectors.push_back(names.selector(one.text, syntax, one.where, error));
  }
  rules_.push_back(std::move(rule));
}

void RuleSet::exclude(const PlacedText& selector, Syntax syntax, Names& names, ErrorKind error) {
  auto [name, source] = split_rule(selector.text);
  if (name.empty()) {
    const i64 before = std::count_if(rules_.begin(), rules_.end(), [](const Rule& rule) {
      return rule.kind == RuleKind::kDrop && !rule.when;
    });
    name = cat("exclude", before + 1);
  }
  check_name(name, selector.where, error);
  const i64 index = names.selector(source, syntax, cat(selector.where, " ", name), error);
  rules_.push_back({std::move(name), RuleKind::kDrop, std::string(source), std::nullopt, {index}});
}

Result<bool> RuleSet::picked(const Rule& rule, Values& values) {
  for (const i64 selector : rule.selectors) {
    const Result<bool> picks = values.selection().picks(selector, rule.kind == RuleKind::kDrop);
    if (!picks || *picks) return picks;
  }
  return false;
}

Result<bool> RuleSet::removes(const Rule& rule, Values& values) const {
  const auto name = [&rule](Fault fault) {
    fault.detail = cat("rule ", quote(rule.name), ": ", fault.detail);
    return fault;
  };
  if (!rule.when) {
    const Result<bool> picks = picked(rule, values);
    if (!picks) return name(picks.fault());
    return *picks == (rule.kind == RuleKind::kDrop);
  }
  const Result<Expression::Outcome> outcome = rule.when->test(values);
  if (!outcome) return name(outcome.fault());
  if (outcome->met_none && on_missing_ != OnMissing::kFalse) {
    if (on_missing_ == OnMissing::kError)
      return Fault{"missing", cat("rule ", quote(rule.name), ": a value it needs is missing"), -1};
    return on_missing_ == OnMissing::kDrop;
  }
  return outcome->holds == (rule.kind == RuleKind::kDrop);
}

Result<bool> RuleSet::judge(Values& values, i64 bytes, i64 amount,
                            std::span<RuleCounts> counts) const {
  LM_CHECK(counts.size() == rules_.size(), "one count per rule");
  i64 removers = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const Result<bool> removed = removes(rules_[i], values);
    if (!removed) return removed.fault();
    counts[i].removes = *removed;
    if (!*removed) continue;
    ++removers;
    last = i;
  }
  for (RuleCounts& count : counts) {
    if (!count.removes) continue;
    ++count.matched;
    count.bytes += bytes;
    count.amount += amount;
  }
  if (removers == 1) {
    ++counts[last].alone;
    counts[last].bytes_alone += bytes;
    counts[last].amount_alone += amount;
  }
  return removers == 0;
}

}  // namespace lm::mix
