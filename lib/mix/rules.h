#pragma once
// Named rules over one record, and what each of them removes. Every rule is asked about every
// record: which rules a record fails, alone or together, is the table by which thresholds are
// chosen. A rule is a name and an expression; nothing here knows of programs.
// Thread rule: a RuleSet is read-only once filled; counts are a worker's own and are summed.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "mix/expression.h"

namespace lm::mix {

/// What becomes of a record when a part without a value decided something in a rule.
enum class OnMissing { kFalse, kKeep, kDrop, kError };

enum class RuleKind { kWhere, kDrop };  // removes where it is false; where it is true
/// "where", "drop".
const char* kind_name(RuleKind kind);

struct RuleCounts {
  i64 matched = 0;       // that it removes
  i64 alone = 0;         // that no other rule removes
  i64 bytes = 0;         // of their lines, newlines included
  i64 bytes_alone = 0;   // of those that no other rule removes
  i64 amount = 0;        // of what the caller counts, of those it removes
  i64 amount_alone = 0;  // of those that no other rule removes
  bool removes = false;  // the record at hand
  void add(const RuleCounts& other);
};

/// "NAME=EXPRESSION", or an expression alone: then the name is empty. A name is letters, digits,
/// '_' and '-'.
std::pair<std::string, std::string_view> split_rule(std::string_view text);

/// What a user wrote, and what messages about it begin with: "--where", "mix.yaml:7: where".
struct PlacedText {
  std::string text;
  std::string where;
};

class RuleSet {
 public:
  explicit RuleSet(OnMissing on_missing) : on_missing_(on_missing) {}
  /// text: as split_rule has it; a rule without a name is called option and its number, counted
  /// from 1 ("where2"). option: what messages call it by ("--where"). Throws Error{kind} for a name
  /// that is taken and for what the expression refuses.
  void add(RuleKind kind, std::string_view text, const std::string& option, Names& names,
           ErrorKind error = ErrorKind::kUsage);

  /// The rule "include": a record stays if any of the selectors picks it. None: no rule. Throws as
  /// add() does.
  void include(std::span<const PlacedText> selectors, Syntax syntax, Names& names, ErrorKind error);
  /// A rule that removes what the selector picks; named as in add(), by default "exclude" and its
  /// number.
  void exclude(const PlacedText& selector, Syntax syntax, Names& names, ErrorKind error);

  i64 size() const { return isize(rules_); }
  const std::string& name(i64 rule) const { return rules_[usize(rule)].name; }
  RuleKind kind(i64 rule) const { return rules_[usize(rule)].kind; }
  const std::string& source(i64 rule) const { return rules_[usize(rule)].source; }
  /// Of a rule that is no filter.
  const Expression& expression(i64 rule) const { return *rules_[usize(rule)].when; }

  /// Asks every rule about the open record of bytes bytes and counts; amount: what else it is to be
  /// counted by, such as tokens. counts: [size()]. True if
  /// no rule removes it. A record with a fault is not counted.
  Result<bool> judge(Values& values, i64 bytes, i64 amount, std::span<RuleCounts> counts) const;

 private:
  struct Rule {
    std::string name;
    RuleKind kind;
    std::string source;
    std::optional<Expression> when = {};
    std::vector<i64> selectors = {};  // without an expression
  };
  void check_name(const std::string& name, const std::string& where, ErrorKind error) const;
  static Result<bool> picked(const Rule& rule, Values& values);
  Result<bool> removes(const Rule& rule, Values& values) const;

  OnMissing on_missing_;
  std::vector<Rule> rules_;
};

}  // namespace lm::mix
