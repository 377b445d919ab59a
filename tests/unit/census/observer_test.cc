#include "census/observer.h"

#include "core/str.h"
#include "unit/census/observed.h"

using namespace lm;
using census::Observer;
using census::Plan;
using census::RuleText;
using census::Survey;
using test::observe;

namespace {

const census::Field& field(const census::Census& census, std::string_view path) {
  const auto fields = census.whole.fields.sorted();
  const auto found = fields.find(path);
  REQUIRE(found != fields.end());
  return *found->second;
}

}  // namespace

TEST_CASE("totals of documents", "[census]") {
  const Survey survey({}, mix::OnMissing::kFalse, {}, {});
  Observer observer(survey);
  for (const char* const line :
       {R"({"id":"a","source":"s","text":"one two\u00e9\n three"})", R"({"id":1,"text":""})",
        R"({"id":"a","source":"s","text":null})", R"({"text":"\u3000x\u0085"})",
        R"({"id":"z","text":"one two\u00e9\n thre."})"})
    CHECK(observe(observer, line).empty());
  const census::Totals& t = observer.census().whole.totals;
  CHECK(t.documents == 5);
  CHECK(t.without_text == 1);
  CHECK(t.empty == 1);
  CHECK(t.without_id == 1);
  CHECK(t.bytes == 16 + 0 + 6 + 16);
  CHECK(t.chars == 15 + 0 + 3 + 15);
  CHECK(t.words == 3 + 0 + 1 + 3);
  CHECK(t.longest == 16);
  CHECK(t.longest_id == "z");  // no source is less than "s"
  CHECK(observer.census().ids.repeated() == 1);
  CHECK(observer.census().ids.distinct() == 3);
}

TEST_CASE("bad records count nowhere", "[census]") {
  Plan plan;
  plan.tokens = "n";
  plan.tops = {"source"};
  const Survey survey(plan, mix::OnMissing::kError, {{mix::RuleKind::kDrop, "n > m", "--drop"}},
                      {"1 / x", "sum(\"s\")"});
  Observer observer(survey);
  const std::vector<std::string> before = test::partial_lines(observer.census());
  CHECK(observe(observer, R"({"text":5,"n":1,"m":1})") == "type");
  CHECK(observe(observer, R"({"text":"\ud800","n":1,"m":1})") == "utf8");
  CHECK(observe(observer, R"({"id":[],"n":1,"m":1})") == "type");
  CHECK(observe(observer, R"({"source":{},"n":1,"m":1})") == "type");
  CHECK(observe(observer, R"({"attributes":[],"n":1,"m":1})") == "type");
  CHECK(observe(observer, R"({"n":-1,"m":1})") == "range");
  CHECK(observe(observer, R"({"m":1})") == "missing");
  CHECK(observe(observer, R"({"n":1})") == "missing");
  CHECK(observe(observer, R"({"n":1,"m":1,"x":"s"})") == "type");
  CHECK(observe(observer, R"({"n":1,"m":1,"attributes":{"s":[[0,0,1e308],[0,0,1e308]]}})") ==
        "range");
  CHECK(test::partial_lines(observer.census()) == before);
  CHECK(observe(observer, R"({"n":1,"m":1})").empty());
}

TEST_CASE("numbers that are found: missing, null, empty and other values are not zero",
          "[census]") {
  const Survey survey({}, mix::OnMissing::kFalse, {}, {});
  Observer observer(survey);
  for (const char* const line :
       {R"({"id":7,"n":1,"text":"abcd","attributes":{"a":[[0,4,2.5]],"b":[[0,1,9],[1,3,1]]}})",
        R"({"n":2.5,"text":"abcd","attributes":{"a":[],"b":0.5},"metadata":{"stars":3}})",
        R"({"text":"abcd","attributes":{"a":null,"b":[[0,1,1]]},"m":-1e3})",
        R"({"n":"3","attributes":{"a":"x"},"metadata":{"stars":"3"}})",
        R"({"n":null,"attributes":{"a":[[1,2]]}})", R"({"attributes":null})"})
    CHECK(observe(observer, line).empty());
  const census::Census& census = observer.census();
  const census::Field& a = field(census, "attributes.a");
  CHECK(a.value.count() == 1);
  CHECK(a.value.max() == 2.5);
  CHECK(a.whole == 1);
  CHECK(a.empty == 1);
  CHECK(a.nulls == 1);
  CHECK(a.unfit == 2);
  const census::Field& b = field(census, "attributes.b");
  CHECK(b.value.count() == 3);
  CHECK(b.plain == 1);
  CHECK(b.all_spans().count() == 2);
  CHECK(b.all_spans().max() == 2);
  CHECK(b.all_covered().max() == 0.75);
  CHECK(b.all_covered().min() == 0.25);
  CHECK(field(census, "n").value.count() == 2);
  CHECK(field(census, "n").value.max() == 2.5);
  CHECK(field(census, "m").value.min() == -1000);
  CHECK(field(census, "metadata.stars").value.count() == 1);
  CHECK(census.whole.fields.sorted().size() == 5);
}

TEST_CASE("fields are found by their names, however these are spelt", "[census]") {
  const Survey survey({}, mix::OnMissing::kFalse, {}, {});
  Observer observer(survey);
  CHECK(observe(observer, R"({"\u006e":1,"attributes":{"a\u0062":1},"metadata":{"x\"y":2}})")
            .empty());
  CHECK(observe(observer, R"({"n":2,"attributes":{"ab":3},"metadata":{"x\u0022y":4}})").empty());
  const census::Census& census = observer.census();
  CHECK(field(census, "n").value.count() == 2);
  CHECK(field(census, "attributes.ab").value.max() == 3);
  CHECK(field(census, "metadata.x\"y").value.count() == 2);
  CHECK(census.whole.fields.sorted().size() == 3);
}

TEST_CASE("a key that is there twice makes a record bad where keys are read", "[census]") {
  const std::vector<std::string> bad = {
      R"({"n":1,"n":1})", R"({"n":1,"\u006e":"x"})", R"({"attributes":{"a":[],"b":1,"a":2}})",
      R"({"metadata":{"u":"x","u":"x"}})", R"({"metadata":{"\ud800":1}})"};
  Plan plan;
  for (const bool discover : {true, false}) {
    plan.discover = discover;
    const Survey survey(plan, mix::OnMissing::kFalse, {}, {});
    Observer observer(survey);
    const std::vector<std::string> before = test::partial_lines(observer.census());
    for (const std::string& line : bad) {
      const bool key = line.find("ud800") == std::string::npos;
      CHECK(observe(observer, line) == (!discover ? "" : key ? "duplicate_key" : "utf8"));
    }
    if (discover) CHECK(test::partial_lines(observer.census()) == before);
    CHECK(observe(observer, R"({"n":1,"m":{"n":1,"n":2},"attributes":{"n":[]}})").empty());
  }
}

TEST_CASE("rules, groups, values and bins of records", "[census]") {
  Plan plan;
  plan.tokens = "n";
  plan.tops = {"host(url)", "flag"};
  plan.group = "source";
  plan.cross = {"source", "flag"};
  plan.edges = {census::EdgeLabel::parse("n=2,4"), census::EdgeLabel::parse("twice=4")};
  plan.examples = 2;
  const Survey survey(plan, mix::OnMissing::kFalse,
                      {{mix::RuleKind::kDrop, "many=n > 2", "--drop"},
                       {mix::RuleKind::kWhere, "tagged=has(\"x\")", "--where"}},
                      {"twice=n * 2"});
  Observer observer(survey);
  for (i64 n = 0; n < 6; ++n)
    CHECK(observe(observer,
                  cat(R"({"id":)", n, R"(,"n":)", n, n % 2 == 0 ? R"(,"source":"even")" : "",
                      R"(,"flag":)", n < 3, R"(,"url":"http://www.h)", n % 2, R"(.org/","text":"t)",
                      n, R"(","attributes":{"x":)", n == 5 ? "[]" : "[[0,1,1]]", "}}"))
              .empty());
  const census::Census& census = observer.census();
  CHECK(census.whole.totals.documents == 6);
  CHECK(census.whole.totals.tokens == 15);
  CHECK(census.whole.totals.kept == 3);
  CHECK(census.whole.totals.kept_tokens == 3);
  CHECK(census.rules[0].matched == 3);
  CHECK(census.rules[0].alone == 2);
  CHECK(census.rules[0].amount == 12);
  CHECK(census.rules[1].matched == 1);
  CHECK(census.rules[1].alone == 0);
  CHECK(census.rule_examples[0].kept().size() == 2);
  REQUIRE(census.rule_examples[1].kept().size() == 1);
  CHECK(census.rule_examples[1].kept().begin()->text == "t5");
  CHECK(census.rule_examples[1].kept().begin()->notes == "x=none");
  REQUIRE(census.groups.size() == 2);
  std::string groups;
  census.groups.each([&groups](std::string_view key, const census::Cell& cell) {
    append(groups, key, " ", cell.totals.documents, " ", cell.totals.tokens, " ",
           cell.numbers[0].max(), ";");
  });
  CHECK(groups == "- 3 9 10;=even 3 6 8;");
  CHECK(census.tops[0].top(1)[0].value == "h0.org");
  CHECK(census.tops[1].top(1)[0].value == "false");
  CHECK(census.edges[0].counts == std::vector<i64>{2, 2, 2});
  CHECK(census.edges[1].counts == std::vector<i64>{2, 4});
  const census::CrossTable cross = census::cross_table(census.cross, 1, 5);
  CHECK(cross.rows == std::vector<std::string>{"(none)", "(other)"});
  CHECK(cross.columns == std::vector<std::string>{"false", "true"});
  CHECK(cross.counts == std::vector<std::vector<i64>>{{2, 1}, {1, 2}});
}

TEST_CASE("attributes that rules name have to be in some record", "[census]") {
  Survey survey({}, mix::OnMissing::kFalse,
                {{mix::RuleKind::kDrop, "score(\"t.wrod\") > 1", "--drop"}}, {});
  survey.require_attributes({});
  Observer observer(survey);
  CHECK_NOTHROW(census::check_seen(observer.census()));  // of no records
  CHECK(observe(observer, R"({"attributes":{"t__t__word":[]}})").empty());
  CHECK_THROWS_WITH(census::check_seen(observer.census()),
                    Catch::Matchers::ContainsSubstring("near it: \"t__t__word\""));
  CHECK(observe(observer, R"({"attributes":{"t__t__wrod":[]}})").empty());
  CHECK_NOTHROW(census::check_seen(observer.census()));
}

TEST_CASE("rules of a file", "[census]") {
  const std::vector<RuleText> rules = census::read_rules(
      "# rules\n\nshort=n < 5\r\n where ok=n > 1\ndrop  b=a == \"drop x\"\n", "f");
  REQUIRE(rules.size() == 3);
  CHECK(rules[0].text == "short=n < 5");
  CHECK(rules[0].kind == mix::RuleKind::kDrop);
  CHECK(rules[1].kind == mix::RuleKind::kWhere);
  CHECK(rules[1].text == "ok=n > 1");
  CHECK(rules[2].text == "b=a == \"drop x\"");
  CHECK(rules[2].option == "f:5");
  CHECK_THROWS_AS(census::read_rules("n < 5\n", "f"), Error);
}

TEST_CASE("numbers and edges that are wrong are refused", "[census]") {
  const auto make = [](Plan plan, std::vector<std::string> numbers) {
    const Survey survey(std::move(plan), mix::OnMissing::kFalse, {}, numbers);
  };
  CHECK_THROWS_AS(make({}, {"a=n", "a=m"}), Error);
  CHECK_THROWS_AS(make({}, {"n >"}), Error);
  Plan twice;
  twice.edges = {census::EdgeLabel::parse("n=1"), census::EdgeLabel::parse("n=2")};
  CHECK_THROWS_AS(make(twice, {}), Error);
  Plan nothing;
  nothing.discover = false;
  nothing.edges = {census::EdgeLabel::parse("n=1")};
  CHECK_THROWS_AS(make(nothing, {}), Error);
  CHECK_NOTHROW(make(nothing, {"n"}));
}

TEST_CASE("extracts of texts", "[census]") {
  CHECK(census::extract("short", 10, -1) == "short");
  CHECK(census::extract("0123456789abcdef", 8, -1) == "012345 ... ef");
  CHECK(census::extract("0123456789abcdef", 8, 10) == "... 89abcdef");
  CHECK(census::extract("0123456789abcdef", 8, 3) == "... 12345678 ...");
  CHECK(census::extract("0123456789abcdef", 8, 0) == "01234567 ...");
  CHECK(census::extract("\xC3\xA9\xC3\xA9\xC3\xA9", 2, 0) == "\xC3\xA9\xC3\xA9 ...");
}
