#include "grammar/lark.h"

#include <optional>

#include "core/str.h"
#include "core/utf8.h"
#include "grammar/grammar_text.h"
#include "grammar/regex.h"

namespace lm::grammar {

namespace {

constexpr std::string_view kPlain = "\\\"/'";

class Parser {
 public:
  Parser(RuleSet& set, std::string_view text)
      : set_(set), table_(set.table), names_(set, "lark"), text_(text, names_) {
    if (text.find("%ignore") != std::string_view::npos) {
      ignored_rule_ = static_cast<i32>(set.rules.size());
      set.rules.push_back({"%ignore", kEmpty});
      skipped_ = table_.star(table_.call(ignored_rule_));
    }
  }

  void parse() {
    for (blanks(); text_.more(); blanks()) {
      if (text_.next_is("%")) {
        directive();
      } else {
        rule();
      }
    }
    names_.finish("start");
    if (ignored_rule_ < 0) return;
    set_.rules[usize(ignored_rule_)].body = table_.alt(ignored_);
    // What is ignored may also stand at the end.
    const Expr body = table_.cat(table_.call(set_.root), skipped_);
    set_.root = static_cast<i32>(set_.rules.size());
    set_.rules.push_back({"lark: the whole text", body});
  }

 private:
  [[noreturn]] void fail(std::string_view what) const { names_.fail(text_.line(), what); }
  void blanks() { text_.blanks("//", "#"); }
  static bool is_terminal(std::string_view name) {
    const std::size_t first = name.find_first_not_of('_');
    return first != std::string_view::npos && name[first] >= 'A' && name[first] <= 'Z';
  }

  void directive() {
    text_.take("%");
    const std::string name(text_.word("_"));
    if (name != "ignore") fail(cat("%", name));
    blanks();
    in_terminal_ = true;
    ignored_.push_back(alternatives());
    if (text_.more() && !statement_begins()) fail(cat("unexpected ", text_.seen()));
  }

  void rule() {
    const i64 line = text_.line();
    if (!text_.take("?")) text_.take("!");
    const std::string_view name = text_.word("_");
    if (name.empty()) fail(cat("expected the name of a rule or terminal, found ", text_.seen()));
    if (text_.next_is("{")) fail(cat("a template: ", quote(name)));
    if (text_.next_is(".")) fail(cat("a priority: ", quote(name)));
    blanks();
    if (!text_.take(":")) fail(cat("expected : after ", quote(name), ", found ", text_.seen()));
    blanks();
    in_terminal_ = is_terminal(name);
    names_.define(name, line, alternatives());
    if (text_.more() && !statement_begins()) fail(cat("unexpected ", text_.seen()));
  }

  // Whether a rule, a terminal or a directive begins here.
  bool statement_begins() {
    if (text_.next_is("%")) return true;
    const i64 at = text_.at();
    const i64 line = text_.line();
    if (!text_.take("?")) text_.take("!");
    bool begins = !text_.word("_").empty();
    if (begins) {
      // Of a priority or template too, so that it is complained of as such.
      const bool priority = text_.next_is(".") && !text_.next_is("..");
      const bool parameters = text_.next_is("{");
      blanks();
      begins = text_.next_is(":") || priority || parameters;
    }
    text_.back_to(at, line);
    return begins;
  }

  Expr alternatives() {
    const GrammarText::Nested nested(text_);
    text_.take("|");
    blanks();
    std::vector<Expr> options{sequence()};
    while (text_.take("|")) {
      blanks();
      options.push_back(sequence());
    }
    return table_.alt(std::move(options));
  }

  Expr sequence() {
    std::vector<Expr> items;
    while (text_.more() && !text_.next_is("|") && !text_.next_is(")") && !text_.next_is("]") &&
           !statement_begins()) {
      if (text_.take("->")) {
        blanks();
        if (text_.word("_").empty()) fail("an alias without name");
        blanks();
        break;
      }
      items.push_back(repeated());
    }
    Expr out = kEmpty;
    for (auto it = items.rbegin(); it != items.rend(); ++it)
      out = table_.cat(*it, out);
    return out;
  }

  Expr repeated() {
    Expr item = atom();
    blanks();
    if (text_.take("*")) {
      item = table_.star(item);
    } else if (text_.take("+")) {
      item = table_.repeat(item, 1, kNoLimit);
    } else if (text_.take("?")) {
      item = table_.optional(item);
    } else if (text_.take("~")) {
      blanks();
      const std::optional<i64> low = text_.number(GrammarText::kMostRepeats);
      if (!low) fail(cat("expected a number of repetitions, found ", text_.seen()));
      std::optional<i64> high = low;
      if (text_.take("..")) high = text_.number(GrammarText::kMostRepeats);
      if (!high) fail(cat("expected the most repetitions, found ", text_.seen()));
      text_.check_bounds(*low, high);
      item = table_.repeat(item, static_cast<i32>(*low), static_cast<i32>(*high));
    }
    blanks();
    return item;
  }

  // Of a rule: what is ignored may stand before it.
  Expr terminal(Expr e) { return in_terminal_ ? e : table_.cat(skipped_, e); }

  Expr atom() {
    const i64 line = text_.line();
    if (text_.take("(")) return group(line, ")");
    if (text_.take("[")) return table_.optional(group(line, "]"));
    if (text_.next_is("\"")) {
      const std::string from = literal();
      if (text_.next_is("..")) return terminal(range(from));
      return terminal(text_.take("i") ? any_case(from) : table_.literal(from));
    }
    if (text_.take("/")) return terminal(pattern(line));
    const std::string_view name = text_.word("_");
    if (name.empty()) fail(cat("unexpected ", text_.seen()));
    if (text_.next_is("{")) fail(cat("a template: ", quote(name)));
    if (is_terminal(name)) return terminal(names_.use(name, line));
    if (in_terminal_) fail(cat("a terminal that uses the rule ", quote(name)));
    return names_.use(name, line);
  }

  Expr group(i64 line, std::string_view end) {
    blanks();
    const Expr inner = alternatives();
    if (!text_.take(end)) names_.fail(line, "a group without end");
    return inner;
  }

  std::string literal() {
    const i64 line = text_.line();
    text_.take("\"");
    std::string out;
    while (!text_.take("\"")) {
      if (!text_.more() || text_.here() == '\n') names_.fail(line, "a literal without end");
      append_utf8(out, text_.character(kPlain));
    }
    return out;
  }

  Expr range(const std::string& from) {
    text_.take("..");
    if (!text_.next_is("\"")) fail(cat("expected the end of a range, found ", text_.seen()));
    const std::string to = literal();
    const Decoded low = decode_at(from, 0);
    const Decoded high = decode_at(to, 0);
    if (low.size != isize(from) || high.size != isize(to) || from.empty() || to.empty())
      fail("a range whose ends are not single characters");
    if (high.cp < low.cp) fail("a range whose ends are reversed");
    return table_.chars(normal({{low.cp, high.cp}}));
  }

  Expr any_case(const std::string& text) {
    std::vector<Expr> chars;
    for (i64 at = 0; at < isize(text);) {
      const Decoded c = decode_at(text, at);
      chars.push_back(table_.chars(fold_case(normal({{c.cp, c.cp}}))));
      at += c.size;
    }
    Expr out = kEmpty;
    for (auto it = chars.rbegin(); it != chars.rend(); ++it)
      out = table_.cat(*it, out);
    return out;
  }

  Expr pattern(i64 line) {
    std::string source;
    while (!text_.take("/")) {
      if (!text_.more() || text_.here() == '\n') names_.fail(line, "a pattern without end");
      const bool escaped = text_.take("\\");
      if (escaped && !text_.next_is("/")) source += '\\';
      if (!text_.more()) names_.fail(line, "a pattern without end");
      append_utf8(source, text_.character_as_is());
    }
    RegexSyntax syntax;
    for (; text_.more() && text_.here() >= 'a' && text_.here() <= 'z';
         text_.take(text_.rest().substr(0, 1))) {
      if (text_.here() == 'i') {
        syntax.ignore_case = true;
      } else if (text_.here() == 's') {
        syntax.dot_all = true;
      } else {
        fail(cat("flag ", text_.seen(), " of a pattern"));
      }
    }
    try {
      return parse_regex(table_, source, syntax);
    } catch (const Refusal& refusal) {
      if (refusal.fault.code == "budget") throw;
      names_.fail(line, refusal.fault.detail);
    }
  }

  RuleSet& set_;
  ExprTable& table_;
  RuleNames names_;
  GrammarText text_;
  bool in_terminal_ = false;
  i32 ignored_rule_ = -1;
  Expr skipped_ = kEmpty;
  std::vector<Expr> ignored_;
};

}  // namespace

void parse_lark(RuleSet& set, std::string_view text) {
  Parser(set, text).parse();
}

}  // namespace lm::grammar
