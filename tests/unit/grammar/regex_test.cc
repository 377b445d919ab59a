#define PCRE2_CODE_UNIT_WIDTH 8
#include "grammar/regex.h"

#include <pcre2.h>

#include "catch.h"
#include "core/utf8.h"
#include "grammar/grammar.h"
#include "unit/grammar/slow_grammar.h"

namespace {

using namespace lm;
using namespace lm::grammar;

ExprTable fresh() {
  return ExprTable(Budget("test", i64{64} << 20));
}

bool matches(std::string_view pattern, std::string_view text, const RegexSyntax& syntax = {}) {
  ExprTable table = fresh();
  return table.matches(parse_regex(table, pattern, syntax), text);
}

std::string refusal(std::string_view pattern) {
  const Result<GrammarPtr> made = compile_regex(pattern);
  return made ? "accepted" : made.fault().detail;
}

/// The whole text, by PCRE2.
class Pcre {
 public:
  explicit Pcre(const std::string& pattern) {
    int error = 0;
    PCRE2_SIZE at = 0;
    code_ = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                          PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY,
                          &error, &at, nullptr);
    data_ = code_ == nullptr ? nullptr : pcre2_match_data_create_from_pattern(code_, nullptr);
  }
  ~Pcre() {
    pcre2_match_data_free(data_);
    pcre2_code_free(code_);
  }
  Pcre(const Pcre&) = delete;
  Pcre& operator=(const Pcre&) = delete;
  bool compiled() const { return code_ != nullptr; }
  bool matches(const std::string& text) {
    const int got = pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0,
                                data_, nullptr);
    if (got < PCRE2_ERROR_NOMATCH) FAIL("PCRE2 gives up: " << got);
    return got >= 0;
  }

 private:
  pcre2_code* code_ = nullptr;
  pcre2_match_data* data_ = nullptr;
};

const std::vector<std::string> kPieces = {"a",  "b", "B", "0", "-", "\xC3\xA9", "\xE2\x82\xAC",
                                          "\n", " "};

std::string random_text(test::Dice& dice) {
  std::string out;
  for (int length = dice.below(7); length > 0; --length)
    out += kPieces[usize(dice.below(static_cast<int>(kPieces.size())))];
  return out;
}

std::string random_pattern(test::Dice& dice, int depth) {
  static const std::vector<std::string> kAtoms = {"a",        "b",
                                                  "B",        "0",
                                                  "\\-",      ".",
                                                  "\\d",      "\\w",
                                                  "\\s",      "\\W",
                                                  "\\D",      "[ab]",
                                                  "[^a0]",    "[a-zB]",
                                                  "\xC3\xA9", "[\xC3\xA9-\xE2\x82\xAC]",
                                                  "\\n",      "[^\\n\\d]",
                                                  "\\x61",    "\\x{e9}",
                                                  "(?i:b)",   "[[:alpha:]-]",
                                                  "(?s:.)",   "^",
                                                  "$",        "(?i)[^b]",
                                                  ""};
  static const std::vector<std::string> kRepeats = {"*",    "+",     "?",  "{2}", "{0,2}",
                                                    "{1,}", "{2,3}", "*?", "+?",  "{0,0}"};
  switch (dice.below(depth > 0 ? 8 : 3)) {
    case 3:
    case 4:
      return random_pattern(dice, depth - 1) + random_pattern(dice, depth - 1);
    case 5:
      return "(?:" + random_pattern(dice, depth - 1) + "|" + random_pattern(dice, depth - 1) + ")";
    case 6:
      return "(" + random_pattern(dice, depth - 1) + ")" +
             kRepeats[usize(dice.below(static_cast<int>(kRepeats.size())))];
    case 7:
      return random_pattern(dice, depth - 1) + "|" + random_pattern(dice, depth - 1);
    default:
      return kAtoms[usize(dice.below(static_cast<int>(kAtoms.size())))];
  }
}

}  // namespace

TEST_CASE("random patterns match what PCRE2 matches", "[grammar]") {
  i64 compared = 0;
  i64 matched = 0;
  for (u64 seed = 1; seed <= 3000; ++seed) {
    test::Dice dice(seed);
    const std::string pattern = random_pattern(dice, 4);
    Pcre pcre(pattern);
    if (!pcre.compiled()) continue;
    ExprTable table = fresh();
    Expr e = kNothing;
    try {
      e = parse_regex(table, pattern);
    } catch (const Refusal& refusal) {
      // Of what is generated, only an anchor under a repetition is not honoured.
      INFO(pattern);
      REQUIRE(refusal.fault.detail.find("an anchor inside a repetition") != std::string::npos);
      continue;
    }
    for (int i = 0; i < 20; ++i) {
      const std::string text = random_text(dice);
      ++compared;
      const bool want = pcre.matches(text);
      matched += want;
      if (table.matches(e, text) != want)
        FAIL("seed " << seed << " pattern " << pattern << " text '" << text << "' should be "
                     << want);
    }
  }
  CHECK(compared > 20000);
  CHECK(matched > 1000);
}

TEST_CASE("intersections and complements are exact", "[grammar]") {
  for (u64 seed = 1; seed <= 400; ++seed) {
    test::Dice dice(seed + 5000);
    ExprTable table = fresh();
    Expr x = kNothing;
    Expr y = kNothing;
    const std::string left = random_pattern(dice, 3);
    const std::string right = random_pattern(dice, 3);
    try {
      x = parse_regex(table, left);
      y = parse_regex(table, right);
    } catch (const Refusal&) {
      continue;
    }
    INFO("seed " << seed << ": " << left << " and " << right);
    const Expr common = table.both(x, y);
    const Expr rest = table.without(x, y);
    i32 least = kNever;
    for (int i = 0; i < 40; ++i) {
      const std::string text = random_text(dice);
      const bool in_x = table.matches(x, text);
      const bool in_y = table.matches(y, text);
      REQUIRE(table.matches(common, text) == (in_x && in_y));
      REQUIRE(table.matches(rest, text) == (in_x && !in_y));
      REQUIRE(table.matches(table.negate(x), text) == !in_x);
      if (in_x && in_y) least = std::min(least, static_cast<i32>(text.size()));
    }
    REQUIRE(table.shortest(common) <= least);
    // x is its part in y and its part outside.
    const Expr both_parts = table.alt(common, rest);
    REQUIRE(table.shortest(both_parts) == table.shortest(x));
    REQUIRE(table.shortest(table.without(x, both_parts)) == kNever);
  }
}

TEST_CASE("lengths of intersections are found by search", "[grammar]") {
  ExprTable table = fresh();
  const auto re = [&](const char* p) { return parse_regex(table, p); };
  CHECK(table.shortest(table.both(re("(ab)*"), re("(aba?){3,}"))) == 6);
  CHECK(table.shortest(table.both(re("(aa)*"), re("(aaa)+"))) == 6);
  CHECK(table.shortest(table.both(re("a*b"), re("b*a"))) == kNever);
  CHECK(table.shortest(table.without(re("a{0,5}"), re("a{0,3}"))) == 4);
  CHECK(table.shortest(table.cat(table.both(re("a+"), re("(aa)+")), re("xyz"))) == 5);
}

TEST_CASE("what a finite automaton cannot say is refused by name and column", "[grammar]") {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"a(?=b)", "column 2: look-ahead"},
      {"a(?!b)", "column 2: look-ahead"},
      {"\xC3\xA9(?<=b)", "column 2: look-behind"},
      {"(?<!b)", "column 1: look-behind"},
      {"(a)\\1", "column 4: a back-reference"},
      {"(?<n>a)\\k<n>", "column 8: a back-reference"},
      {"(?P=n)", "column 1: a back-reference"},
      {"ab\\b", "column 3: a word boundary"},
      {"(?>a)", "column 1: an atomic group"},
      {"a++", "column 3: possessive repetition"},
      {"(?(1)a|b)", "column 1: a condition"},
      {"(?R)", "column 1: recursion"},
      {"a{3,2}", "column 2: a repetition whose bounds are reversed"},
      {"a{1000001}", "column 2: more than 1000000 repetitions"},
      {"[z-a]", "column 2: a range whose ends are reversed"},
      {"[ab", "column 1: a class without end"},
      {"(ab", "column 1: a group without end"},
      {"ab)", "column 3: a closing parenthesis without an opening one"},
      {"*a", "column 1: nothing to repeat"},
      {"\\p{Klingon}", "column 1: unknown property \"Klingon\""},
      {"(^a)*", "column 1: an anchor inside a repetition"},
      {"(?m)a", "column 3: flag \"m\""},
      {"a\\", "column 2: a backslash at the end"},
      {"\\q", "column 1: unknown escape \\q"},
      {"\xFF", "column 1: not UTF-8"},
      {"a$b", "matches no finite text"},
      {"[^\\s\\S]", "matches no finite text"},
  };
  for (const auto& [pattern, what] : cases) {
    INFO(pattern);
    CHECK(refusal(pattern).find(what) != std::string::npos);
  }
  CHECK(refusal("x|(?=a)") == "pattern \"x|(?=a)\", column 3: look-ahead");
  std::string deep;
  for (int i = 0; i < 300; ++i)
    deep += "(";
  CHECK(refusal(deep).find("nested too deeply") != std::string::npos);
}

TEST_CASE("the syntax of ECMAScript differs where it does", "[grammar]") {
  RegexSyntax ecma;
  ecma.ecma = true;
  CHECK(matches("\\s", "\xC2\xA0", ecma));
  CHECK(!matches("\\s", "\xC2\xA0"));
  CHECK(!matches(".", "\r", ecma));
  CHECK(matches(".", "\r"));
  CHECK(!matches("[]", "]", ecma));
  CHECK(matches("[]]", "]"));
  CHECK(matches("[^]", "\n", ecma));
  CHECK(matches("\\uD83D\\uDE00", "\xF0\x9F\x98\x80", ecma));
  ecma.search = true;
  CHECK(matches("b", "abc", ecma));
  CHECK(!matches("^b", "abc", ecma));
  CHECK(matches("^a|c$", "xxc", ecma));
  CHECK(!matches("^(a|c)$", "ac", ecma));
  CHECK(matches("\\p{Lu}\\P{L}", "x\xC3\x89+", ecma));
}

TEST_CASE("repetitions of any size cost nothing before they are used", "[grammar]") {
  ExprTable table = fresh();
  const i64 before = table.size();
  const Expr e = parse_regex(table, "(ab{0,1000000}c){1000000}");
  CHECK(table.size() - before < 20);
  CHECK(table.shortest(e) == 2000000);
  CHECK(matches("a{3,5}", "aaaa"));
  CHECK(!matches("a{3,5}", "aa"));
  CHECK(!matches("a{3,5}", "aaaaaa"));
}

TEST_CASE("classes become the bytes of their characters", "[grammar]") {
  // Every boundary of UTF-8 forms, and what lies beside it.
  const std::vector<char32_t> edges = {0,      0x7F,    0x80,    0x7FF,   0x800,
                                       0xFFF,  0x1000,  0xD7FF,  0xE000,  0xFFFD,
                                       0xFFFF, 0x10000, 0x3FFFF, 0x40000, 0x10FFFF};
  for (const char32_t low : edges) {
    for (const char32_t high : edges) {
      if (high < low) continue;
      ExprTable table = fresh();
      const Expr e = table.chars(normal({{low, high}}));
      for (const char32_t c : edges) {
        for (const char32_t near :
             {c, c == 0 ? c : static_cast<char32_t>(c - 1), static_cast<char32_t>(c + 1)}) {
          if (near > 0x10FFFF || (near >= 0xD800 && near <= 0xDFFF)) continue;
          std::string text;
          append_utf8(text, near);
          REQUIRE(table.matches(e, text) == (near >= low && near <= high));
        }
      }
      for (const char* const bad :
           {"\x80", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"})
        REQUIRE(!table.matches(e, bad));
    }
  }
}
