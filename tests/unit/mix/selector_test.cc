#include "mix/selector.h"

#include "catch.h"
#include "mix/rules.h"
#include "unit/mix/record.h"

namespace lm::mix {
namespace {

using test::contains;
using test::Record;

const std::string kRecord =
    R"({"id":"a","text":"it is \u00e9","n":7,"none":null,"no":false,"list":[1,2,{"x":3}],)"
    R"("metadata":{"length":400,"url":"http://a.b/c","odd-name":1},"attributes":{)"
    R"("toxicity":0.9,"pii":{"too_much_pii":true,"email":[[0,2,0.7]]},"empty":[],)"
    R"("words":[[0,5,12.5],[5,7,3]],"whole":[[0,5,1]]}})";

bool picks(const std::string& selector, Syntax syntax = Syntax::kJsonPath, bool any = true) {
  Names names;
  names.selector(selector, syntax, "where", ErrorKind::kUsage);
  Record record(names, kRecord);
  const Result<bool> out = record.values.selection().picks(0, any);
  INFO(selector << ": " << (out ? "" : out.fault().detail));
  REQUIRE(out);
  return *out;
}

std::string refusal(const std::string& selector, Syntax syntax = Syntax::kJsonPath) {
  Names names;
  try {
    names.selector(selector, syntax, "where", ErrorKind::kUsage);
  } catch (const Error& e) {
    return e.message();
  }
  return "accepted";
}

std::vector<std::string> values(const std::string& selector, Syntax syntax = Syntax::kJsonPath) {
  Names names;
  names.selector(selector, syntax, "where", ErrorKind::kUsage);
  Record record(names, kRecord);
  const Result<std::vector<std::string>> out = record.values.selection().values(0);
  REQUIRE(out);
  return *out;
}

TEST_CASE("a path picks a record if it leads to anything", "[mix]") {
  for (const char* const path :
       {"$", "$@", "$.id", "$['id']", "$.none", "$.no", "$.list[2].x", "$.list[*]", "$..x",
        "$..['url']", "$.metadata.odd-name", "$ .metadata [ 'url' ]", "$.attributes.empty", "$.*",
        "$@.attributes['pii'].email[0][2]", "$.list.[1]"})
    CHECK(picks(path));
  for (const char* const path : {"$.missing", "$.id.x", "$.list[3]", "$.n[0]", "$.id[*]", "$..y",
                                 "$.attributes.empty[0]", "$.list.x"})
    CHECK_FALSE(picks(path));
}

TEST_CASE("tests ask an object as a whole and a list element by element", "[mix]") {
  for (const char* const path :
       {"$.metadata[?(@.length < 500)]",
        "$.metadata[?(@.length<=400 && @.length >= 400)]",
        "$.attributes[?(@.toxicity > 0.8)]",
        "$.attributes[?(@.pii.too_much_pii == true)]",
        "$@.attributes[?(@.whole && @.whole[0] && @.whole[0][2] >= 1.0)]",
        "$.attributes[?(@['words'] && !@['gone'])]",
        "$.attributes[?(@.words[0][2] == 12.5)]",
        "$.list[?(@ == 2)]",
        "$.list[?(@.x == 3)]",
        "$[?(@.id == 'a' || @.n == 0)]",
        "$[?(@.id != 'b')]",
        "$[?(@.gone != 1)]",
        "$[?(@.none == null)]",
        "$[?(@.no)]",
        "$[?(@.gone == @.lost)]",
        "$.metadata[?(@.length < $.attributes.words[0][2] || true == true)]",
        "$.metadata[?(@.url ~= '^http://[a-z]\\.b')]",
        "$.attributes.words[?(@[2] > 3 && @[0] < 1)]",
        "$[?((@.n == 7 || @.n == 8) && !(@.n == 8))]",
        "$[?(@.list == @.list)]"})
    CHECK(picks(path));
  for (const char* const path :
       {"$.metadata[?(@.length < 400)]", "$.attributes[?(@.gone[0][2] < 100)]",
        "$.attributes[?(@.empty && @.empty[0] && @.empty[0][2] > 0)]", "$[?(@.gone == null)]",
        "$[?(@.id > 1)]", "$[?(@.n == '7')]", "$.list[?(@ > 2)]", "$[?(!@.id)]",
        "$[?(@.list == @.metadata)]", "$.missing[?(1 == 1)]"})
    CHECK_FALSE(picks(path));
}

TEST_CASE("of what stands twice the last counts; a record that cannot be read is bad", "[mix]") {
  Names names("other");
  const i64 path = names.selector("$[?(@.k == 2)]", Syntax::kJsonPath, "w", ErrorKind::kUsage);
  Record twice(names, R"({"k":1,"k":2})");
  CHECK(*twice.values.selection().picks(path, true));
  Record surrogate(names, R"({"text":"\ud800"})");
  CHECK(surrogate.values.selection().picks(path, true).fault().code == "utf8");
  Record number(names, R"({"n":123456789012345678901234567890})");
  CHECK(number.values.selection().picks(path, true).fault().code == "range");
}

TEST_CASE("what is no path is refused where it goes wrong", "[mix]") {
  CHECK(refusal("") == "where: column 1: expected $, got the end");
  CHECK(refusal("id") == "where: column 1: expected $, got \"i\"");
  CHECK(refusal("$.a[") ==
        "where: column 5: expected a name in quotes, a number from 0, * or ?(...), got the end");
  CHECK(refusal("$.a b") ==
        "where: column 5: expected a step such as .name, ['name'], [0] or [?(...)], got \"b\"");
  CHECK(refusal("$['a") == "where: column 3: a text has no closing '");
  CHECK(refusal("$[1,2]") == "where: column 4: lists of steps and ranges are not understood");
  CHECK(refusal("$[1:2]") == "where: column 4: lists of steps and ranges are not understood");
  CHECK(refusal("$..*") == "where: column 4: ..* is not understood");
  CHECK(refusal("$.a.length()") == "where: column 5: length() is not understood");
  CHECK(refusal("$[?(@.a in ['b'])]") == "where: column 9: in is not understood");
  CHECK(refusal("$[?(1)]") == "where: column 6: expected a comparison, got \")\"");
  CHECK(refusal("$[?(@.a == 1.2.3)]") == "where: column 12: expected a number, got \"1.2.3\"");
  CHECK(refusal("$[?(@.a[*] == 1)]") ==
        "where: column 5: a path that leads to several values cannot be compared");
  CHECK(
      refusal("$[?(@.a ~= '(')]").starts_with("where: column 12: pattern \"(\": missing closing"));
  std::string deep = "$";
  for (int i = 0; i < 200; ++i)
    deep += "[?(@";
  CHECK(contains(refusal(deep), "nested deeper than 100"));
}

TEST_CASE("jq: all values have to be true, or any", "[mix]") {
  const auto all = [](const char* filter) { return picks(filter, Syntax::kJq, false); };
  const auto any = [](const char* filter) { return picks(filter, Syntax::kJq, true); };
  for (const char* const filter : {".id", ".n", ".n == 7", ".list", "{a: 1}", ".list[2]", ".n, .id",
                                   ".attributes | .words | map(.[2]) | add > 15 # a comment"}) {
    CHECK(all(filter));
    CHECK(any(filter));
  }
  for (const char* const filter : {".missing", "null", "false", "0", "\"\"", "[]", "{}", "empty",
                                   ".attributes.empty", ".attributes.gone[0][2] > 1"}) {
    CHECK_FALSE(all(filter));
    CHECK_FALSE(any(filter));
  }
  CHECK_FALSE(all(".n, .no"));
  CHECK(any(".n, .no"));
}

TEST_CASE("jq: several filters run as one, and an error makes the record bad", "[mix]") {
  Names names;
  const i64 one = names.selector(".n # one", Syntax::kJq, "w", ErrorKind::kUsage);
  const i64 two = names.selector("def f: .no; f", Syntax::kJq, "w", ErrorKind::kUsage);
  CHECK(names.selector(".n # one", Syntax::kJq, "w", ErrorKind::kUsage) == one);
  Record record(names, kRecord);
  CHECK(*record.values.selection().picks(one, true));
  CHECK_FALSE(*record.values.selection().picks(two, true));
  CHECK(*record.values.selection().picks(one, false));

  Names wrong;
  wrong.selector(".id.x", Syntax::kJq, "w", ErrorKind::kUsage);
  Record bad(wrong, kRecord);
  const Result<bool> out = bad.values.selection().picks(0, true);
  REQUIRE_FALSE(out);
  CHECK(out.fault().code == "jq");
  CHECK(contains(out.fault().detail, "Cannot index string with"));
  CHECK(refusal(".a |", Syntax::kJq).starts_with("where: is no jq filter: syntax error"));
  CHECK(refusal("sum", Syntax::kJq) == "where: is no jq filter: sum/0 is not defined");
  CHECK(refusal(") , (1", Syntax::kJq).starts_with("where: is no jq filter: syntax error"));
  CHECK(refusal(" ", Syntax::kJq) == "where: an empty jq filter");
}

TEST_CASE("selectors lead to JSON values", "[mix]") {
  CHECK(values("$.list[*]") == std::vector<std::string>{"1", "2", "{\"x\":3}"});
  CHECK(values("$.attributes.words[?(@[2] > 5)]") == std::vector<std::string>{"[0,5,12.5]"});
  CHECK(values(".list[0], .id", Syntax::kJq) == std::vector<std::string>{"1", "\"a\""});
  CHECK(values(".attributes.words | map(select(.[2] > 5))", Syntax::kJq) ==
        std::vector<std::string>{"[[0,5,12.5]]"});
}

TEST_CASE("names alone are a field, and attributes that selectors spell out are named", "[mix]") {
  const auto fields = [](const char* text, Syntax syntax) {
    return selector_fields(text, syntax, "w", ErrorKind::kUsage).value_or("-");
  };
  CHECK(fields("$.attributes.pii.email", Syntax::kJsonPath) == "attributes.pii.email");
  CHECK(fields("$['a']['b']", Syntax::kJsonPath) == "a.b");
  CHECK(fields("$.a[0]", Syntax::kJsonPath) == "-");
  CHECK(fields("$", Syntax::kJsonPath) == "-");
  CHECK(fields(".attributes?.pii?.email?", Syntax::kJq) == "attributes.pii.email");
  CHECK(fields(".a[\"b-c\"].\"d\"", Syntax::kJq) == "a.b-c.d");
  CHECK(fields(".a[0]", Syntax::kJq) == "-");
  CHECK(fields(".a | .b", Syntax::kJq) == "-");
  CHECK(fields(".", Syntax::kJq) == "-");

  Names names;
  const auto add = [&](const char* text, Syntax syntax) {
    names.selector(text, syntax, "w", ErrorKind::kUsage);
  };
  add("$.attributes[?(@.b && @['c'][0] && @.b[?(@.inner)])]", Syntax::kJsonPath);
  add("$.attributes.a[0]", Syntax::kJsonPath);
  add("$.metadata[?(@.length < $.attributes.d)]", Syntax::kJsonPath);
  add("(.attributes.e | length) > 0 and .attributes?[\"f\"] and \".attributes.no\" != "
      ".x.attributes.y",
      Syntax::kJq);
  CHECK(names.attributes() == std::vector<std::string>{"b", "c", "a", "d", "e", "f"});
}

TEST_CASE("include is one rule of which one selector is enough, exclude one each", "[mix]") {
  Names names;
  RuleSet rules(OnMissing::kFalse);
  const std::vector<PlacedText> include = {{"$.a", "w"}, {"$.b", "w"}};
  rules.include(include, Syntax::kJsonPath, names, ErrorKind::kUsage);
  rules.exclude({"$[?(@.n > 1)]", "w"}, Syntax::kJsonPath, names, ErrorKind::kUsage);
  rules.exclude({"big=$[?(@.n > 2)]", "w"}, Syntax::kJsonPath, names, ErrorKind::kUsage);
  REQUIRE(rules.size() == 3);
  CHECK(rules.name(0) == "include");
  CHECK(rules.name(1) == "exclude1");
  CHECK(rules.name(2) == "big");
  CHECK_THROWS_WITH(rules.exclude({"big=$", "w"}, Syntax::kJsonPath, names, ErrorKind::kUsage),
                    "w: two rules are called \"big\"");
  std::vector<RuleCounts> counts(3);
  const auto judge = [&](const char* line) {
    Record record(names, line);
    return *rules.judge(record.values, 10, 0, counts);
  };
  CHECK(judge(R"({"a":1,"n":1})"));
  CHECK(judge(R"({"b":1})"));
  CHECK_FALSE(judge(R"({"c":1})"));
  CHECK_FALSE(judge(R"({"b":1,"n":2})"));
  CHECK_FALSE(judge(R"({"b":1,"n":3})"));
  CHECK(counts[0].matched == 1);
  CHECK(counts[1].matched == 2);
  CHECK(counts[1].alone == 1);
  CHECK(counts[2].matched == 1);
  CHECK(counts[2].alone == 0);
}

}  // namespace
}  // namespace lm::mix
