#pragma once
// The rules of a grammar text by name, with the lines they stand on: unknown and repeated names are
// refused.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/rules.h"

namespace lm::grammar {

class RuleNames {
 public:
  /// notation: for messages ("gbnf").
  RuleNames(RuleSet& set, std::string_view notation) : set_(&set), notation_(notation) {}

  /// The call of a rule, which may be defined later.
  Expr use(std::string_view name, i64 line);
  /// Refuses a second definition.
  void define(std::string_view name, i64 line, Expr body);
  bool defined(std::string_view name) const;
  /// Refuses names that are used and not defined, and a text without `root`; makes it the root.
  void finish(std::string_view root);
  /// "NOTATION:LINE: what".
  [[noreturn]] void fail(i64 line, std::string_view what) const;

 private:
  struct Named {
    i32 rule;
    i64 used;     // line, 0: nowhere
    i64 defined;  // line, 0: not yet
  };
  Named& find(std::string_view name);

  RuleSet* set_;
  std::string notation_;
  std::map<std::string, Named, std::less<>> names_;
};

}  // namespace lm::grammar
