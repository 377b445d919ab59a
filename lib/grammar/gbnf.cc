#include "grammar/gbnf.h"

#include <optional>

#include "core/str.h"
#include "core/utf8.h"
#include "grammar/grammar_text.h"

namespace lm::grammar {

namespace {

class Parser {
 public:
  Parser(RuleSet& set, std::string_view text)
      : table_(set.table), names_(set, "gbnf"), text_(text, names_) {}

  void parse() {
    blanks();
    while (text_.more()) {
      const i64 line = text_.line();
      const std::string_view name = take_name();
      if (name.empty()) fail(cat("expected a rule's name, found ", text_.seen()));
      blanks();
      if (!text_.take("::="))
        fail(cat("expected ::= after ", quote(name), ", found ", text_.seen()));
      blanks();
      names_.define(name, line, alternatives());
      if (text_.more() && !rule_begins()) fail(cat("unexpected ", text_.seen()));
    }
    names_.finish("root");
  }

 private:
  [[noreturn]] void fail(std::string_view what) const { names_.fail(text_.line(), what); }
  void blanks() { text_.blanks("#", ""); }
  std::string_view take_name() { return text_.word("-_"); }
  // Whether "name ::=" stands here.
  bool rule_begins() {
    const i64 at = text_.at();
    const i64 line = text_.line();
    const bool named = !take_name().empty();
    blanks();
    const bool begins = named && text_.next_is("::=");
    text_.back_to(at, line);
    return begins;
  }

  Expr alternatives() {
    const GrammarText::Nested nested(text_);
    std::vector<Expr> options{sequence()};
    while (text_.take("|")) {
      blanks();
      options.push_back(sequence());
    }
    return table_.alt(std::move(options));
  }

  Expr sequence() {
    std::vector<Expr> items;
    while (text_.more() && text_.here() != '|' && text_.here() != ')' && !rule_begins())
      items.push_back(repeated());
    Expr out = kEmpty;
    for (auto it = items.rbegin(); it != items.rend(); ++it)
      out = table_.cat(*it, out);
    return out;
  }

  Expr repeated() {
    Expr item = atom();
    blanks();
    for (; text_.more(); blanks()) {
      if (text_.take("*")) {
        item = table_.star(item);
      } else if (text_.take("+")) {
        item = table_.repeat(item, 1, kNoLimit);
      } else if (text_.take("?")) {
        item = table_.optional(item);
      } else if (text_.take("{")) {
        item = counted(item);
      } else {
        break;
      }
    }
    return item;
  }

  Expr counted(Expr item) {
    blanks();
    const std::optional<i64> low = text_.number(GrammarText::kMostRepeats);
    if (!low) fail(cat("expected a number of repetitions, found ", text_.seen()));
    std::optional<i64> high = low;
    blanks();
    if (text_.take(",")) {
      blanks();
      high = text_.number(GrammarText::kMostRepeats);
      blanks();
    }
    if (!text_.take("}")) fail(cat("expected } after repetitions, found ", text_.seen()));
    text_.check_bounds(*low, high);
    return table_.repeat(item, static_cast<i32>(*low), high ? static_cast<i32>(*high) : kNoLimit);
  }

  Expr atom() {
    const i64 line = text_.line();
    if (text_.take("\"")) return literal(line);
    if (text_.take("[")) return char_class(line);
    if (text_.take(".")) return table_.any_char();
    if (text_.take("(")) {
      blanks();
      const Expr inner = alternatives();
      if (!text_.take(")")) names_.fail(line, "a group without end");
      return inner;
    }
    if (text_.more() && text_.here() == '<') fail("terminals that are tokens (<...>)");
    const std::string_view name = take_name();
    if (name.empty()) fail(cat("unexpected ", text_.seen()));
    return names_.use(name, line);
  }

  Expr literal(i64 line) {
    std::string bytes;
    while (!text_.take("\"")) {
      if (!text_.more() || text_.here() == '\n') names_.fail(line, "a literal without end");
      append_utf8(bytes, text_.character(kPlain));
    }
    return table_.literal(bytes);
  }

  Expr char_class(i64 line) {
    const bool negated = text_.take("^");
    std::vector<CharRange> ranges;
    while (!text_.take("]")) {
      if (!text_.more() || text_.here() == '\n') names_.fail(line, "a class without end");
      const char32_t low = text_.character(kPlain);
      char32_t high = low;
      if (text_.next_is("-") && !text_.next_is("-]")) {
        text_.take("-");
        if (!text_.more()) names_.fail(line, "a class without end");
        high = text_.character(kPlain);
        if (high < low) names_.fail(line, "a range whose ends are reversed");
      }
      ranges.push_back({low, high});
    }
    const CharSet set = normal(std::move(ranges));
    return table_.chars(negated ? complement(set) : set);
  }

  static constexpr std::string_view kPlain = "\\\"[]-^";

  ExprTable& table_;
  RuleNames names_;
  GrammarText text_;
};

}  // namespace

void parse_gbnf(RuleSet& set, std::string_view text) {
  Parser(set, text).parse();
}

}  // namespace lm::grammar
