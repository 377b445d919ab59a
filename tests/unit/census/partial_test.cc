#include "census/partial.h"

#include "core/str.h"
#include "unit/census/observed.h"

using namespace lm;
using census::Observer;
using census::PartialReader;
using census::Plan;
using census::Survey;
using test::json_report;
using test::observe;
using test::partial_lines;

namespace {

Plan everything(i64 values) {
  Plan plan;
  plan.tokens = "n";
  plan.tops = {"host(url)", "source"};
  plan.group = "source";
  plan.cross = {"source", "n"};
  plan.edges = {census::EdgeLabel::parse("n=2,40"), census::EdgeLabel::parse("attributes.x=0.5")};
  plan.examples = 3;
  plan.values = values;
  plan.ids = values;
  return plan;
}

Survey survey_of(i64 values) {
  return Survey(everything(values), mix::OnMissing::kFalse,
                {{mix::RuleKind::kDrop, "many=n > 50", "--drop"},
                 {mix::RuleKind::kWhere, "score(\"x\") < 0.9", "--where"}},
                {"third=n / 3"});
}

std::string line(i64 i) {
  return cat(R"({"id":)", i % 1500, R"(,"n":)", i % 101, R"(,"source":"s)", i % 7,
             R"(","url":"http://h)", i, R"(.org/","text":"text )", i, R"(","attributes":{"x":[[0,)",
             i % 9, ",0.", i % 10, R"(]],"y)", i % 5, R"(":[]}})");
}

std::vector<std::string> counted(const Survey& survey, i64 first, i64 step, i64 n) {
  Observer observer(survey);
  for (i64 i = first; i < n; i += step)
    REQUIRE(observe(observer, line(i)).empty());
  observer.census().rejected = first + 1;
  return partial_lines(observer.census());
}

void read(PartialReader& reader, const std::vector<std::string>& lines, const std::string& file) {
  i64 number = 0;
  for (const std::string& one : lines)
    reader.line(one, file, ++number);
  reader.end();
}

}  // namespace

TEST_CASE("partial results add up to the result of everything, in any order", "[census]") {
  for (const i64 values : {i64{200}, i64{100000}}) {  // beyond the limits, and within
    const Survey survey = survey_of(values);
    Observer whole(survey);
    for (i64 i = 0; i < 2000; ++i)
      REQUIRE(observe(whole, line(i)).empty());
    whole.census().rejected = 1 + 2 + 3;
    const census::Layout layout;
    for (const std::vector<i64>& order : {std::vector<i64>{0, 1, 2}, {2, 0, 1}}) {
      PartialReader reader(".");
      for (const i64 part : order)
        read(reader, counted(survey, part, 3, 2000), cat("part", part));
      CHECK(reader.partials() == 3);
      CHECK(partial_lines(*reader.census()) == partial_lines(whole.census()));
      CHECK(json_report(*reader.census(), layout) == json_report(whole.census(), layout));
      CHECK(census::report_html(*reader.census(), layout) ==
            census::report_html(whole.census(), layout));
    }
  }
}

TEST_CASE("a census whose groups and values spill is the one that fits", "[census]") {
  for (const i64 values : {i64{200}, i64{100000}}) {
    const Survey survey = survey_of(values);
    Observer whole(survey);
    for (i64 i = 0; i < 2000; ++i)
      REQUIRE(observe(whole, line(i)).empty());
    census::Spill spill(".", survey.plan);
    census::Census sum(survey.plan, &spill);
    for (i64 part = 0; part < 3; ++part) {
      Observer observer(survey, &spill);
      for (i64 i = part; i < 2000; i += 3) {
        REQUIRE(observe(observer, line(i)).empty());
        if (i % (19 + 40 * part) != 0) continue;
        observer.census().spill();
        CHECK(observer.census().spillable() == 0);
      }
      sum.add(std::move(observer.census()));
      CHECK(observer.census().spillable() == 0);
    }
    CHECK(spill.bytes() > 0);
    sum.settle();
    CHECK(partial_lines(sum) == partial_lines(whole.census()));
    const census::Layout layout;
    CHECK(json_report(sum, layout) == json_report(whole.census(), layout));
    CHECK(census::report_html(sum, layout) == census::report_html(whole.census(), layout));
    CHECK(sum.cross.top_bytes() == whole.census().cross.top_bytes());
  }
}

TEST_CASE("groups beyond the limit are refused, spilled or not", "[census]") {
  const Survey survey = survey_of(200);
  census::Spill spill(".", survey.plan);
  census::Census sum(survey.plan, &spill);
  for (i64 i = 0; i < census::Groups::kMost; ++i) {
    sum.groups.at(cat("=", i));
    if (i % 1000 == 0) sum.groups.spill();
  }
  sum.groups.at("=3");
  CHECK(sum.groups.size() == census::Groups::kMost);
  CHECK_THROWS_AS(sum.groups.at("=one more"), Error);
}

TEST_CASE("partial results that are cut, changed or foreign are refused by name", "[census]") {
  const Survey survey = survey_of(100000);
  const std::vector<std::string> lines = counted(survey, 0, 1, 50);
  const auto refused = [](const std::vector<std::string>& some, const std::string& what) {
    PartialReader reader(".");
    CHECK_THROWS_WITH(read(reader, some, "f"), Catch::Matchers::ContainsSubstring(what));
  };
  for (std::size_t cut = 1; cut < lines.size(); ++cut)
    refused({lines.begin(), lines.begin() + static_cast<i64>(cut)},
            "f:1: a partial result without");
  for (std::size_t gone = 1; gone + 1 < lines.size(); ++gone) {
    std::vector<std::string> some = lines;
    some.erase(some.begin() + static_cast<i64>(gone));
    refused(some, "f:");
  }
  std::vector<std::string> changed = lines;
  const std::size_t digit = changed[2].find("\"data\":[") + 8;
  changed[2][digit] = changed[2][digit] == '1' ? '2' : '1';
  refused(changed, "f:");
  refused({R"({"id":1,"text":"a record"})"}, "f:1: is no partial result");
  refused({R"([1])"}, "f:1: is no partial result");
  std::string newer = lines[0];
  newer.replace(newer.find(":1,"), 3, ":2,");
  refused({newer}, "version 2");
  std::vector<std::string> twice = {lines[0]};
  twice.insert(twice.end(), lines.begin(), lines.end());
  refused(twice, "f:1: a partial result without");
}

TEST_CASE("parts that fit nothing are refused", "[census]") {
  const Survey survey = survey_of(100000);
  census::Census census(survey.plan);
  const auto refused = [&](const char* part, const char* name, const std::string& data) {
    const io::JsonDocument document(data);
    CHECK_THROWS_AS(
        [&] {
          census::PartReader in(document.root("f"));
          census.load(part, "", name, in);
        }(),
        Error);
  };
  refused("nothing", "", "[]");
  refused("totals", "", "[1]");
  refused("totals", "", "[-1,0,0,0,0,0,0,0,0,0,0,0,0,\"\",\"\"]");
  refused("number", "1", "[0,0,0,0,0,0,0,0,0,0]");
  refused("number", "0", "[0,0,0,0,0,0,0,0,0,0,5]");
  refused("number", "0", "[0,30,7,0,0,0,0,0,0,0]");
  refused("top", "9", "[0,\"\"]");
  refused("top", "0", "[0,\"zz\"]");
  refused("top", "0", "[0,\"\",99,\"v\",1]");
  refused("edges", "0", "[3,1,0]");
  refused("ids", "", "[0,1]");
  refused("ids", "", "[0,1,0]");
  refused("run", "", "[1.5]");
}

TEST_CASE("partial results of other options are refused, and the option is named", "[census]") {
  PartialReader reader(".");
  read(reader, counted(survey_of(100000), 0, 1, 5), "a");
  CHECK_THROWS_WITH(
      read(reader, counted(survey_of(5000), 0, 1, 5), "b"),
      Catch::Matchers::ContainsSubstring("b:1: was made with other options than a:1: values"));
}
