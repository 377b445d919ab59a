#pragma once
// What a notation compiles to: named rules whose bodies are expressions that may call rules. The
// checks that every notation shares, and the folding that makes one automaton of most grammars.

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "grammar/expr.h"

namespace lm::grammar {

struct Rule {
  std::string place;  // for messages: rule "expr" (line 3), or a JSON pointer
  Expr body = kNothing;
};

struct RuleSet {
  explicit RuleSet(Budget budget) : table(budget) {}
  ExprTable table;
  std::vector<Rule> rules;
  i32 root = 0;
  /// Whether a rule without a finite text is a mistake of the author, or merely cannot occur.
  bool refuse_endless = true;
};

/// A language, ready to be matched. Immutable: any number of matchers share one.
class Grammar {
 public:
  /// Throws Refusal: left recursion, a rule that never finishes, the budget.
  explicit Grammar(RuleSet&& rules);

  /// As the start of a matcher's own table, which grows.
  const ExprTable& table() const { return table_; }
  Expr body(i32 rule) const { return bodies_[usize(rule)]; }
  i32 rule_count() const { return static_cast<i32>(bodies_.size()); }
  i32 root() const { return root_; }
  /// A rule comes before those that it calls before any byte.
  i32 rank(i32 rule) const { return rank_[usize(rule)]; }
  /// Bytes of one class are alike in every set of the grammar.
  u8 byte_class(u8 byte) const { return class_of_[byte]; }
  i32 class_count() const { return static_cast<i32>(first_of_.size()); }
  /// One byte of the class.
  u8 byte_of(i32 byte_class) const { return first_of_[usize(byte_class)]; }
  /// What its tables count.
  i64 bytes() const { return table_.budget().used(); }
  /// Bytes of the shortest text.
  i32 shortest() const { return shortest_; }
  /// What was not honoured, where the author asked for that (JSON Schema).
  const std::vector<std::string>& warnings() const { return warnings_; }
  void set_warnings(std::vector<std::string> warnings) { warnings_ = std::move(warnings); }

 private:
  void order(const std::vector<Rule>& rules);
  void fold();
  void classify();

  ExprTable table_;
  std::vector<Expr> bodies_;
  std::vector<i32> rank_;
  i32 root_;
  i32 shortest_ = 0;
  std::array<u8, 256> class_of_{};
  std::vector<u8> first_of_;
  std::vector<std::string> warnings_;
};

}  // namespace lm::grammar
