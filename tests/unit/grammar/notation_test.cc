// GBNF, Lark, choices: what they mean and what they refuse.

#include "catch.h"
#include "grammar/grammar.h"
#include "grammar/machine.h"

namespace {

using namespace lm;
using namespace lm::grammar;

bool accepts(const Result<GrammarPtr>& grammar, std::string_view text) {
  if (!grammar) FAIL(grammar.fault().detail);
  Machine machine(*grammar, i64{64} << 20);
  State s = machine.start();
  for (const char c : text)
    s = machine.step(s, static_cast<u8>(c));
  return machine.accepting(s);
}

std::string refusal(const Result<GrammarPtr>& grammar) {
  return grammar ? "accepted" : grammar.fault().detail;
}

}  // namespace

TEST_CASE("choices are the texts and no others", "[grammar]") {
  const Result<GrammarPtr> g =
      compile_choices(std::vector<std::string>{"yes", "yesterday", "", "no", "no"});
  CHECK(accepts(g, "yes"));
  CHECK(accepts(g, "yesterday"));
  CHECK(accepts(g, ""));
  CHECK(!accepts(g, "yest"));
  CHECK(!accepts(g, "nono"));
  CHECK((*g)->shortest() == 0);
  CHECK(refusal(compile_choices({})) == "no choices");
}

TEST_CASE("EBNF as llama.cpp writes it", "[grammar]") {
  const Result<GrammarPtr> g = compile_gbnf(R"x(# expressions
root  ::= expr "=" [ \t]* num "\n"?
expr  ::= term ([-+*/] term)*   # no left recursion
term  ::= ident | num | "(" expr
   ")"
ident ::= [a-z_] [^\x00-\x60\x7B-\U0010FFFF]{0,3}
num   ::= "-"? ("0" | [1-9] [0-9]{0,2})
)x");
  CHECK(accepts(g, "(ab+3)*x=-12"));
  CHECK(accepts(g, "abcd=0\n"));
  CHECK(!accepts(g, "abcde=0"));
  CHECK(!accepts(g, "((a)=1"));
  CHECK(!accepts(g, "a=01"));
  CHECK(accepts(compile_gbnf("root ::= \"\\u00e9\" . [\\]\\-]"), "\xC3\xA9\xE2\x82\xAC-"));
  CHECK(accepts(compile_gbnf("root ::= a{2,}\n a ::= \"\\\"\\\\\""), "\"\\\"\\\"\\"));
}

TEST_CASE("a faulty EBNF is refused with its line", "[grammar]") {
  CHECK(refusal(compile_gbnf("root ::= a\n# b\na ::= \"x\" | c\n")) ==
        "gbnf:3: rule \"c\" is not defined");
  CHECK(refusal(compile_gbnf("root ::= \"a\"\n\nroot ::= \"b\"")) ==
        "gbnf:3: rule \"root\" is defined twice, first on line 1");
  CHECK(refusal(compile_gbnf("start ::= \"a\"")) ==
        "gbnf:1: there is no rule \"root\", where texts begin");
  CHECK(refusal(compile_gbnf("root ::= \"x\" | expr\nexpr ::= expr \"+\" \"1\" | \"1\"")) ==
        "gbnf:2: rule \"expr\" may begin with itself: left recursion; a repetition says the same");
  CHECK(refusal(compile_gbnf("root ::= a\na ::= b \"x\" | \"y\"\nb ::= a \"z\""))
            .find("gbnf:2: rule \"a\" may begin with itself through gbnf:3: rule \"b\": left "
                  "recursion") == 0);
  // Through a rule that may be empty.
  CHECK(
      refusal(compile_gbnf("root ::= n root \"x\" | \"y\"\nn ::= \"a\"?")).find("left recursion") !=
      std::string::npos);
  CHECK(refusal(compile_gbnf("root ::= \"y\" | a\n\na ::= \"x\" a")) ==
        "gbnf:3: rule \"a\" matches no finite text");
  CHECK(refusal(compile_gbnf("root ::= \"a\n\"")) == "gbnf:1: a literal without end");
  CHECK(refusal(compile_gbnf("root ::= [a")) == "gbnf:1: a class without end");
  CHECK(refusal(compile_gbnf("root ::= (\"a\"\n")) == "gbnf:1: a group without end");
  CHECK(refusal(compile_gbnf("root ::= \"a\"{3,2}")) ==
        "gbnf:1: a repetition whose bounds are reversed");
  CHECK(refusal(compile_gbnf("root ::=\n <tool> \"a\"")) ==
        "gbnf:2: terminals that are tokens (<...>)");
  CHECK(refusal(compile_gbnf("root ::= \"\\q\"")).find("gbnf:1: unknown escape") == 0);
  CHECK(refusal(compile_gbnf("root = \"a\"")).find("gbnf:1: expected ::= after \"root\"") == 0);
  CHECK(refusal(compile_gbnf("root ::= \"a\" )")) == "gbnf:1: unexpected \")\"");
  CHECK(refusal(compile_gbnf("root ::= \"a\"\n\xFF")) == "gbnf:2: not UTF-8");
  CHECK(refusal(compile_gbnf("root ::= " + std::string(300, '('))) == "gbnf:1: nested too deeply");
}

TEST_CASE("Lark's notation, scannerless", "[grammar]") {
  const Result<GrammarPtr> g = compile_lark(R"(
// a list
start: item ("," item)*   -> list
?item: NAME
     | "[" [start] "]"    # nested
     | "nil"i
     | digit~2..3
!digit: "0".."9"
NAME: /[A-Z][a-z\/]*/i "!"?
)");
  CHECK(accepts(g, "Ab,[x/],NIL"));
  CHECK(accepts(g, "12,[],345"));
  CHECK(accepts(g, "nil!"));
  CHECK(!accepts(g, "1"));
  CHECK(!accepts(g, "1234"));
  CHECK(!accepts(g, "a,"));
}

TEST_CASE("what Lark ignores stands before terminals and at the end", "[grammar]") {
  const Result<GrammarPtr> g =
      compile_lark("start: \"a\" B*\nB: \"b\" \"c\"\n%ignore \" \"\n%ignore /\\n+/");
  CHECK(accepts(g, " a  bc\nbc  "));
  CHECK(accepts(g, "abcbc"));
  CHECK(!accepts(g, "ab c"));  // not inside a terminal
}

TEST_CASE("what the subset of Lark lacks is refused by name and line", "[grammar]") {
  CHECK(refusal(compile_lark("start: A\n%import common.WORD\nA: \"a\"")) == "lark:2: %import");
  CHECK(refusal(compile_lark("%declare A\nstart: A")) == "lark:1: %declare");
  CHECK(refusal(compile_lark("start: A\nA.2: \"a\"")) == "lark:2: a priority: \"A\"");
  CHECK(refusal(compile_lark("start: list{A}\nA: \"a\"")) == "lark:1: a template: \"list\"");
  CHECK(refusal(compile_lark("start: A\nlist{x}: x\nA: \"a\"")) == "lark:2: a template: \"list\"");
  CHECK(refusal(compile_lark("start: A\nA: b\nb: \"x\"")) ==
        "lark:2: a terminal that uses the rule \"b\"");
  CHECK(refusal(compile_lark("start: /a/x")) == "lark:1: flag \"x\" of a pattern");
  CHECK(refusal(compile_lark("start: /a(?=b)/")) ==
        "lark:1: pattern \"a(?=b)\", column 2: look-ahead");
  CHECK(refusal(compile_lark("start: \"b\"..\"a\"")) == "lark:1: a range whose ends are reversed");
  CHECK(refusal(compile_lark("start: start \"a\" | \"a\""))
            .find("lark:1: rule \"start\" may begin with itself") == 0);
  CHECK(refusal(compile_lark("start: A")) == "lark:1: rule \"A\" is not defined");
  CHECK(refusal(compile_lark("s: \"a\"")) ==
        "lark:1: there is no rule \"start\", where texts begin");
  CHECK(refusal(compile_lark("start: \"a")) == "lark:1: a literal without end");
}

TEST_CASE("folding keeps the language of rules", "[grammar]") {
  // Used in several places and wide: stays a call. Used once: becomes part of its caller.
  const std::string text =
      "root ::= s \":\" (s | n) t\ns ::= \"'\" [^']* \"'\"\nn ::= d+\nd ::= [0-9]\nt ::= \"!\" t "
      "| \".\"";
  const Result<GrammarPtr> g = compile_gbnf(text);
  CHECK(accepts(g, "'a':'b'!!."));
  CHECK(accepts(g, "'':12."));
  CHECK(!accepts(g, "'':."));
  CHECK(!accepts(g, "':12."));
}
