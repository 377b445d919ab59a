#include "mix/rules.h"

#include "catch.h"
#include "core/str.h"
#include "mix/strict.h"
#include "unit/mix/record.h"

using namespace lm;
using namespace lm::mix;

namespace {

/// Which of the records stay, one letter each: k kept, r removed, f fault.
std::string run(const RuleSet& rules, const Names& names, const std::vector<std::string>& lines,
                std::vector<RuleCounts>& counts) {
  std::string out;
  counts.assign(usize(rules.size()), {});
  for (const std::string& line : lines) {
    test::Record record(names, line);
    const Result<bool> stays = rules.judge(record.values, isize(line) + 1, 10, counts);
    out += !stays ? 'f' : *stays ? 'k' : 'r';
  }
  return out;
}

}  // namespace

TEST_CASE("every rule is asked about every record, and alone means no other one", "[mix]") {
  Names names;
  RuleSet rules(OnMissing::kFalse);
  rules.add(RuleKind::kWhere, "long=n >= 10", "--where", names);
  rules.add(RuleKind::kDrop, "s == 'web'", "--drop", names);
  CHECK(rules.name(0) == "long");
  CHECK(rules.name(1) == "drop1");
  const std::vector<std::string> lines = {
      R"({"n":10,"s":"a"})",   // kept
      R"({"n":9,"s":"a"})",    // by the first alone
      R"({"n":9,"s":"web"})",  // by both
      R"({"n":11,"s":"web"})"  // by the second alone
  };
  std::vector<RuleCounts> counts;
  CHECK(run(rules, names, lines, counts) == "krrr");
  // Lines of 16, 15, 17 and 18 bytes and their newlines.
  CHECK(counts[0].matched == 2);
  CHECK(counts[0].alone == 1);
  CHECK(counts[0].bytes == 16 + 18);
  CHECK(counts[0].bytes_alone == 16);
  CHECK(counts[1].matched == 2);
  CHECK(counts[1].alone == 1);
  CHECK(counts[1].bytes == 18 + 19);
  CHECK(counts[1].bytes_alone == 19);
  CHECK(counts[1].amount == 20);
  CHECK(counts[1].amount_alone == 10);
}

TEST_CASE("what a rule does without a value is chosen", "[mix]") {
  const std::vector<std::string> lines = {R"({"n":1})", "{}", R"({"n":null})", R"({"n":9})"};
  std::vector<RuleCounts> counts;
  const auto outcome = [&](OnMissing on_missing, RuleKind kind) {
    Names names;
    RuleSet rules(on_missing);
    rules.add(kind, "n > 5", "rule", names);
    return run(rules, names, lines, counts);
  };
  CHECK(outcome(OnMissing::kFalse, RuleKind::kWhere) == "rrrk");
  CHECK(outcome(OnMissing::kKeep, RuleKind::kWhere) == "rkkk");
  CHECK(outcome(OnMissing::kDrop, RuleKind::kWhere) == "rrrk");
  CHECK(outcome(OnMissing::kError, RuleKind::kWhere) == "rffk");
  CHECK(outcome(OnMissing::kFalse, RuleKind::kDrop) == "kkkr");
  CHECK(outcome(OnMissing::kKeep, RuleKind::kDrop) == "kkkr");
  CHECK(outcome(OnMissing::kDrop, RuleKind::kDrop) == "krrr");
  CHECK(outcome(OnMissing::kError, RuleKind::kDrop) == "kffr");
}

TEST_CASE("a record with a fault is not counted", "[mix]") {
  Names names;
  RuleSet rules(OnMissing::kFalse);
  rules.add(RuleKind::kWhere, "n > 5", "--where", names);
  rules.add(RuleKind::kWhere, "last=s == 'a'", "--where", names);
  std::vector<RuleCounts> counts;
  CHECK(run(rules, names, {R"({"n":1,"s":2})"}, counts) == "f");
  CHECK(counts[0].matched == 0);
  test::Record record(names, R"({"n":1,"s":2})");
  CHECK(rules.judge(record.values, 1, 0, counts).fault().detail ==
        "rule \"last\": column 1: field \"s\" is a number, expected a string");
}

TEST_CASE("a rule has a name of its own", "[mix]") {
  CHECK(split_rule("a=b > 1") == std::pair<std::string, std::string_view>("a", "b > 1"));
  CHECK(split_rule("a == 1") == std::pair<std::string, std::string_view>("", "a == 1"));
  CHECK(split_rule("a==1") == std::pair<std::string, std::string_view>("", "a==1"));
  CHECK(split_rule("score('x')>=1") ==
        std::pair<std::string, std::string_view>("", "score('x')>=1"));
  CHECK(split_rule("min-len_2=a==1") ==
        std::pair<std::string, std::string_view>("min-len_2", "a==1"));
  Names names;
  RuleSet rules(OnMissing::kFalse);
  rules.add(RuleKind::kWhere, "x=a == 1", "--where", names);
  try {
    rules.add(RuleKind::kDrop, "x=a == 1", "--drop", names);
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kUsage);
    CHECK(e.message() == "--drop: two rules are called \"x\"");
  }
  try {
    rules.add(RuleKind::kDrop, "y=a ==", "rules.yaml", names, ErrorKind::kConfig);
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kConfig);
    CHECK(e.message() == "rules.yaml y: column 5: expected a value, got the end");
  }
}

TEST_CASE("fields that no record has are known", "[mix]") {
  Names names;
  names.field("metadata.stars");
  names.field("lang");
  names.attribute("a");
  const i64 asked = isize(names.paths());
  const i64 field = names.field("attributes");
  names.field("id");  // of the program, not of a rule
  SeenAttributes one(names, field, asked, asked);
  CHECK(one.unseen_fields().empty());  // nothing was read
  SeenAttributes two(names, field, asked, asked);
  const test::Record record(names, R"({"lang":null,"metadata":{"stars":1}})");
  one.look(record.reader, 0, 1);
  CHECK(one.unseen_fields() == std::vector<std::string>{"lang"});
  SeenAttributes left_out(names, field, 0, asked);  // null is there, too
  left_out.look(record.reader, 0, 1);
  CHECK(left_out.unseen_fields().empty());
  const test::Record other(names, R"({"lang":"x"})");
  two.look(other.reader, 0, 1);
  CHECK(two.unseen_fields() == std::vector<std::string>{"metadata.stars"});
  one.add(two);
  CHECK(one.unseen_fields().empty());
}

TEST_CASE("an attribute that no record has is an error with the nearest names", "[mix]") {
  Names names;
  names.attribute("g__g__most_common_2gram");
  names.attribute("seen");
  const i64 field = names.field("attributes");
  SeenAttributes seen(names, field, isize(names.paths()), isize(names.paths()));
  seen.check({});  // nothing was read
  const auto look = [&](const std::string& line) {
    const test::Record record(names, line);
    seen.look(record.reader, 0, 1);
  };
  look(R"({"attributes":{"g__g__most_common_2grams":[],"seen":[]}})");
  look(R"({"attributes":{"other":[]}})");
  look(R"({"attributes":5})");
  try {
    seen.check({});
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kData);
    CHECK(e.message() ==
          "attribute \"g__g__most_common_2gram\" is in none of 3 records: what names it never "
          "fires; near it: \"g__g__most_common_2grams\"");
  }
  seen.check({"g__g__most_common_2gram"});
  SeenAttributes more(names, field, isize(names.paths()), isize(names.paths()));
  const test::Record record(names, R"({"attributes":{"g__g__most_common_2gram":[]}})");
  more.look(record.reader, 0, 1);
  seen.add(more);
  seen.check({});
}
