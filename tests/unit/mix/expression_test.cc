#include "mix/expression.h"

#include <cmath>
#include <optional>

#include "catch.h"
#include "core/random.h"
#include "core/str.h"
#include "unit/mix/record.h"

using namespace lm;
using namespace lm::mix;
using test::Record;

namespace {

/// "true", "false", "none" (false by a missing value) or "fault CODE".
std::string ask(const std::string& source, const std::string& line) {
  Names names;
  const Expression expression(source, Expression::Yields::kTruth, names, "rule");
  Record record(names, line);
  const Result<Expression::Outcome> outcome = expression.test(record.values);
  if (!outcome) return "fault " + outcome.fault().code;
  if (outcome->met_none) return outcome->holds ? "true none" : "none";
  return outcome->holds ? "true" : "false";
}

std::string refusal(const std::string& source,
                    Expression::Yields yields = Expression::Yields::kTruth) {
  Names names;
  try {
    const Expression expression(source, yields, names, "rule");
  } catch (const Error& e) {
    return e.message() + (e.hint().empty() ? "" : " | " + e.hint());
  }
  return "accepted";
}

f64 compute(const std::string& source, const std::string& line) {
  Names names;
  const Expression expression(source, Expression::Yields::kNumber, names, "rule");
  Record record(names, line);
  const Result<Expression::Amount> amount = expression.amount(record.values);
  REQUIRE(amount);
  return amount->none ? std::nan("") : amount->value;
}

const std::string kDoc =
    R"({"text":"ab\u00e9\ud83d\ude00","source":"web","metadata":{"stars":7,"lang":null},"attributes":{)"
    R"("t__t__n":[[0,4,12.5]],"x":[[0,2,0.25],[1,3,0.75]],"e":[],"old":0.5,"bad":[[0,"1",2]],)"
    R"("a-b__a_b__c":[[0,1,1]]}})";

}  // namespace

TEST_CASE("functions of spans have the values of the hand", "[mix]") {
  CHECK(compute("score(\"t__t__n\")", kDoc) == 12.5);
  CHECK(compute("score('t.n')", kDoc) == 12.5);
  CHECK(compute("score('a-b.c')", kDoc) == 1);
  CHECK(compute("score('x') + 100 * max('x') + 10000 * min('x')", kDoc) == 0.25 + 75 + 2500);
  CHECK(compute("sum('x')", kDoc) == 1);
  CHECK(compute("count('x') + 10 * count('e') + 100 * count('nowhere')", kDoc) == 2);
  // [0,2) and [1,3) cover three of four characters; of scores of at least 0.5 two do.
  CHECK(compute("covered('x')", kDoc) == 0.75);
  CHECK(compute("covered('x', 0.5)", kDoc) == 0.5);
  CHECK(compute("covered('e')", kDoc) == 0);
  CHECK(std::isnan(compute("score('e')", kDoc)));
  CHECK(std::isnan(compute("max('nowhere')", kDoc)));
  CHECK(compute("sum('nowhere')", kDoc) == 0);
  CHECK(compute("score('old') + sum('old')", kDoc) == 1);
  CHECK(ask("has('x') and has('old') and not has('e') and not has('nowhere')", kDoc) == "true");
  CHECK(ask("has('bad')", kDoc) == "true");
  CHECK(ask("score('bad') > 1", kDoc) == "fault type");
  // Spans out of order and behind the text; an empty text.
  const std::string odd = R"({"text":"abcd","attributes":{"x":[[3,9,0.5],[0,1,1]]}})";
  CHECK(compute("covered('x')", odd) == 0.5);
  CHECK(compute("score('x')", odd) == 0.5);
  CHECK(compute("covered('x')", R"({"text":"","attributes":{"x":[[0,0,1]]}})") == 0);
  CHECK(ask("covered('x') > 0", R"({"text":5,"attributes":{"x":[[0,1,1]]}})") == "fault type");
  CHECK(ask("score('x') > 0", R"({"text":"a","attributes":{"x":[[2,1,1]]}})") == "fault range");
}

TEST_CASE("operators bind as in Python", "[mix]") {
  CHECK(compute("1 + 2 * 3 - 4 / 2", kDoc) == 5);
  CHECK(compute("-2 * -3", kDoc) == 6);
  CHECK(compute("7 % 4 - 1", kDoc) == 2);
  CHECK(compute("(1 + 2) * 3", kDoc) == 9);
  CHECK(compute("10 - 3 - 2", kDoc) == 5);
  CHECK(compute("abs(2 - 5) + min(4, 2, 3) + max(1, 1.5)", kDoc) == 6.5);
  CHECK(compute("1e3 + .5", kDoc) == 1000.5);
  CHECK(compute("length(text)", kDoc) == 4);
  CHECK(compute("bytes(text)", kDoc) == 8);
  CHECK(compute("length(source) + metadata.stars", kDoc) == 10);
  CHECK(ask("true or false and false", kDoc) == "true");
  CHECK(ask("not false and false", kDoc) == "false");
  CHECK(ask("not 1 > 2", kDoc) == "true");
  CHECK(ask("1 < 2 and 2 <= 2 and 3 > 2 and 2 >= 2 and 1 == 1 and 1 != 2", kDoc) == "true");
  CHECK(ask("source == 'web' and source < 'wec' and source != \"x\"", kDoc) == "true");
  CHECK(ask("source in ['b', 'web'] and metadata.stars not in [1, -2]", kDoc) == "true");
  CHECK(ask("source matches '^w.b$' and not source matches '\\d'", kDoc) == "true");
  CHECK(ask("text matches '^ab.{2}$'", kDoc) == "true");  // by characters
  CHECK(ask("field(\"metadata.stars\") == 7", kDoc) == "true");
  CHECK(ask("attributes.old > 0.4", kDoc) == "true");
}

TEST_CASE("no value makes comparisons false and is told apart", "[mix]") {
  CHECK(ask("metadata.x > 5", kDoc) == "none");
  CHECK(ask("not metadata.x > 5", kDoc) == "true none");
  CHECK(ask("metadata.x + 1 <= 5", kDoc) == "none");
  CHECK(ask("metadata.lang == 'en'", kDoc) == "none");
  CHECK(ask("metadata.lang != 'en'", kDoc) == "none");
  CHECK(ask("metadata.x in [1]", kDoc) == "none");
  CHECK(ask("metadata.x matches 'a'", kDoc) == "none");
  CHECK(ask("metadata.flag", kDoc) == "none");
  CHECK(ask("metadata.x == null and metadata.lang == null", kDoc) == "true");
  CHECK(ask("metadata.stars != null and null == score('e')", kDoc) == "true");
  CHECK(ask("1 / 0 > 1", kDoc) == "none");
  CHECK(ask("1 % 0 > 1", kDoc) == "none");
  CHECK(ask("1e308 * 10 == null", kDoc) == "true");
  // What is not asked decides nothing.
  CHECK(ask("metadata.stars == 7 or metadata.x > 5", kDoc) == "true");
  CHECK(ask("false and metadata.x > 5", kDoc) == "false");
}

TEST_CASE("types are never converted: a fault of the record", "[mix]") {
  CHECK(ask("metadata.stars > 'a'", kDoc) == "fault type");
  CHECK(ask("source > 1", kDoc) == "fault type");
  CHECK(ask("source + 1 > 1", kDoc) == "fault type");
  CHECK(ask("source", kDoc) == "fault type");
  CHECK(ask("not metadata.stars", kDoc) == "fault type");
  CHECK(ask("metadata == 1", kDoc) == "fault type");
  CHECK(ask("attributes.x == 1", kDoc) == "fault type");
  CHECK(ask("source in [1]", kDoc) == "fault type");
  CHECK(ask("metadata.stars matches '7'", kDoc) == "fault type");
  CHECK(ask("length(metadata.stars) == 1", kDoc) == "fault type");
  CHECK(ask("metadata.stars == source", kDoc) == "fault type");
  CHECK(ask("a < b", R"({"a":true,"b":false})") == "fault type");
  CHECK(ask("a == b", R"({"a":true,"b":false})") == "false");
  CHECK(ask("a > 1", R"({"a":1e999})") == "fault range");
  CHECK(ask("a == 'x'", R"({"a":"\ud800"})") == "fault utf8");
  CHECK(ask("metadata == null", kDoc) == "false");
  // A fault that is not reached is none.
  CHECK(ask("true or source > 1", kDoc) == "true");
}

TEST_CASE("a fault says what was seen, what was expected and where in the rule", "[mix]") {
  Names names;
  const Expression rule("1 < 2 and metadata.stars > 3", Expression::Yields::kTruth, names, "r");
  Record record(names, R"({"metadata":{"stars":"many"}})");
  const Result<Expression::Outcome> outcome = rule.test(record.values);
  REQUIRE(!outcome);
  CHECK(outcome.fault().detail ==
        "column 11: field \"metadata.stars\" is a string, expected a number");
}

TEST_CASE("what is wrong with a record is said whenever it is asked for", "[mix]") {
  for (const char* const source : {"a == 'x'", "score('x') > 1", "length(a) > 1"}) {
    Names names;
    const Expression rule(source, Expression::Yields::kTruth, names, "r");
    Record record(names, R"({"a":"\ud800","text":"t","attributes":{"x":[[0]]}})");
    const Result<Expression::Outcome> first = rule.test(record.values);
    const Result<Expression::Outcome> second = rule.test(record.values);
    REQUIRE(!first);
    REQUIRE(!second);
    CHECK(first.fault().detail == second.fault().detail);
  }
}

TEST_CASE("what cannot be parsed is refused with its column", "[mix]") {
  CHECK(refusal("") == "rule: column 1: expected a value, got the end");
  CHECK(refusal("score(\"a\") >= ") == "rule: column 15: expected a value, got the end");
  CHECK(refusal("a = 1") ==
        "rule: column 3: expected an operator or the end, got \"=\" | equality is written ==");
  CHECK(refusal("a == 1 && b == 2") == "rule: column 8: expected and, got \"&&\"");
  CHECK(refusal("a == 1 b") == "rule: column 8: expected an operator or the end, got \"b\"");
  CHECK(refusal("1 < a < 3") ==
        "rule: column 7: expected one comparison at a time, got \"<\" | a < b and b < c");
  CHECK(refusal("(a == 1") == "rule: column 8: expected ')' or an operator, got the end");
  CHECK(refusal("a == \"x") == "rule: column 6: a string has no closing \"");
  CHECK(refusal("scor(\"x\") > 1") ==
        "rule: column 1: there is no function \"scor\" | did you mean score?");
  CHECK(refusal("score(x) > 1") ==
        "rule: column 7: expected the name of an attribute in quotes, got \"x\"");
  CHECK(refusal("score('a.b.c') > 1") ==
        "rule: column 7: \"a.b.c\" names no attribute, expected EXPERIMENT__TAGGER__TYPE or "
        "TAGGER.TYPE");
  CHECK(refusal("a in []") == "rule: column 7: expected a number or a string, got \"]\"");
  CHECK(refusal("a in [1, 'x']") == "rule: column 10: expected a number as before, got \"'x'\"");
  CHECK(refusal("a in 5") == "rule: column 6: expected '[' after 'in', got \"5\"");
  CHECK(refusal("a not 5") == "rule: column 7: expected in after 'not', got \"5\"");
  CHECK(refusal("a matches b") ==
        "rule: column 11: expected a pattern in quotes after 'matches', got \"b\"");
  CHECK(test::contains(refusal("a matches '('"), "rule: column 11: pattern \"(\": "));
  CHECK(refusal("1.2.3 > 1") == "rule: column 1: expected a number, got \"1.2.3\"");
  CHECK(refusal("a.5 > 1") == "rule: column 2: expected an operator or the end, got \".5\"");
  CHECK(refusal("a. > 1") == "rule: column 4: expected the name of a field after '.', got \">\"");
  CHECK(refusal("field('a..b') == 1") ==
        "rule: column 7: a field path has an empty part, expected NAME or NAME.NAME");
  CHECK(refusal("min(1) > 1") ==
        "rule: column 6: expected ',' and another number, or min(\"ATTRIBUTE\"), got \")\"");
  CHECK(refusal("\xc3\xa9 > 1") == "rule: column 1: expected a value, got \"\\xc3\\xa9\"");
  CHECK(refusal("'\xc3\xa9' > ]") == "rule: column 7: expected a value, got \"]\"");
  CHECK(refusal("a == \xff") == "rule: is not UTF-8");
}

TEST_CASE("what no record could satisfy is refused before any is read", "[mix]") {
  CHECK(refusal("score('x')") == "rule: column 1: expected true or false, got a number");
  CHECK(refusal("1") == "rule: column 1: expected true or false, got a number");
  CHECK(refusal("1 and true") == "rule: column 1: expected true or false, got a number");
  CHECK(refusal("true or 'x'") == "rule: column 9: expected true or false, got a string");
  CHECK(refusal("not 1 + 1") == "rule: column 5: expected true or false, got a number");
  CHECK(refusal("score('x') == 'a'") == "rule: column 15: expected a number, got a string");
  CHECK(refusal("'a' + 1 == 2") == "rule: column 1: expected a number, got a string");
  CHECK(refusal("true < a") == "rule: column 1: expected a number or a string, got true or false");
  CHECK(refusal("a < null") == "rule: column 3: null has no order, expected == or !=");
  CHECK(refusal("score('x') matches 'a'") == "rule: column 1: expected a string, got a number");
  CHECK(refusal("a > 1", Expression::Yields::kNumber) ==
        "rule: column 1: expected a number, got true or false");
  CHECK(refusal("has('x') == true") == "accepted");
  CHECK(refusal("a") == "accepted");
}

TEST_CASE("sizes of expressions are bounded", "[mix]") {
  CHECK(refusal(std::string(60, '(') + "true" + std::string(60, ')')) ==
        "rule: column 34: nested deeper than 100");
  std::string many = "a == 0";
  for (int i = 1; i < 1400; ++i)
    many += " or a == 0";
  CHECK(test::contains(refusal(many), "more than 4096 parts"));
  CHECK(test::contains(refusal(std::string(70000, ' ')), "has 70000 bytes"));
  // The longest chains are evaluated, too.
  std::string chain = "a == 0";
  for (int i = 1; i < 1000; ++i)
    chain += " or a == 0";
  CHECK(ask(chain, R"({"a":1})") == "false");
}

TEST_CASE("a name of two parts stands for the long one", "[mix]") {
  CHECK(attribute_name("gopher_v1.word_count") == "gopher_v1__gopher_v1__word_count");
  CHECK(attribute_name("dclm-oh-eli5.__label__hq") == "dclm-oh-eli5__dclm_oh_eli5____label__hq");
  CHECK(attribute_name("exp__t__x") == "exp__t__x");
  CHECK(attribute_name("").empty());
  CHECK(attribute_name("a.").empty());
  CHECK(attribute_name(".a").empty());
  CHECK(attribute_name("a.b.c").empty());
  Names names;
  CHECK(names.field("attributes.x") == names.field_of(names.attribute("x")));
  CHECK(names.field("attributes.y.z") != names.field_of(names.attribute("y")));
  CHECK(names.attributes() == std::vector<std::string>{"x", "y"});
}
