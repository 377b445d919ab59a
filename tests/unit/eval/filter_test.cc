#include "eval/filter.h"

#include "catch.h"
#include "core/error.h"
#include "eval/regex.h"

namespace lm::eval {
namespace {

using text::Value;
using text::ValueList;
using text::ValueMap;
using Texts = std::vector<std::string>;

FilterPipe pipe(std::vector<std::pair<std::string, Value>> steps) {
  FilterPipe out{"p", {}};
  for (auto& [name, args] : steps)
    out.steps.push_back({name, std::move(args), "t.yaml:7"});
  return out;
}

const Value kNone(ValueMap{});

std::string filtered(const FilterPipe& steps, Texts answers, const Value& doc = kNone) {
  check_filter(steps, OutputType::kGenerate, isize(answers));
  return FilterChain(steps).apply(std::move(answers), doc);
}

TEST_CASE("majority votes go to the earliest of equally frequent answers", "[eval]") {
  const FilterPipe vote = pipe({{"majority_vote", kNone}, {"take_first", kNone}});
  CHECK(filtered(vote, {"b", "a", "a", "b"}) == "b");
  CHECK(filtered(vote, {"c", "a", "b"}) == "c");
  CHECK(filtered(vote, {"c", "a", "b", "a"}) == "a");
  const FilterPipe first_three =
      pipe({{"take_first_k", ValueMap{{"k", i64{3}}}}, {"majority_vote", kNone}});
  CHECK(filtered(first_three, {"x", "y", "y", "x", "x"}) == "y");
}

TEST_CASE("regex takes a match by number and its first group that took part", "[eval]") {
  const Value doc(ValueMap{});
  const auto one = [](ValueMap args, const std::string& answer) {
    return filtered(pipe({{"regex", std::move(args)}}), {answer});
  };
  CHECK(one({}, "so #### 1,234 and #### 7") == "1,234");
  CHECK(one({{"group_select", i64{-1}}}, "so #### 1,234 and #### 7") == "7");
  CHECK(one({}, "nothing") == "[invalid]");
  CHECK(one({{"regex_pattern", "(-?[$0-9.,]{2,})|(-?[0-9]+)"}, {"group_select", i64{-1}}},
            "a 12 b 5") == "5");
  CHECK(one({{"regex_pattern", "x*"}, {"fallback", "f"}}, "ab") == "");
  CHECK(one({{"regex_pattern", "(?P<n>\\d+)\\Z"}}, "1 22") == "22");
  CHECK(one({{"regex_pattern", "\\u00e9+"}}, "caf\xc3\xa9\xc3\xa9") == "\xc3\xa9\xc3\xa9");
  CHECK(one({{"regex_pattern", " a "}}, "b a c") == "a");
}

TEST_CASE("matches are found as re.findall finds them", "[eval]") {
  // re.findall(r"a|b*", "abbaxb") == ['a', 'bb', 'a', '', 'b', '']
  std::vector<Texts> expected;
  for (const char* each : {"a", "bb", "a", "", "b", ""})
    expected.push_back({each});
  CHECK(Regex("a|b*", "t").find_all("abbaxb") == expected);
  // re.findall(r"(a)|(b)", "ab") == [('a', ''), ('', 'b')]
  CHECK(Regex("(a)|(b)", "t").find_all("ab") == std::vector<Texts>{{"a", ""}, {"", "b"}});
  CHECK(Regex("\\s+", "t").without(" a\xc2\xa0 b ") == "ab");
}

TEST_CASE("case, white space and maps", "[eval]") {
  CHECK(filtered(pipe({{"lowercase", kNone}}), {"\xc3\x89T\xc3\x89"}) == "\xc3\xa9t\xc3\xa9");
  CHECK(filtered(pipe({{"uppercase", kNone}}), {"ab"}) == "AB");
  CHECK(filtered(pipe({{"remove_whitespace", kNone}}), {" \n a b "}) == "a b ");
  const Value args(
      ValueMap{{"mapping_dict", ValueMap{{"A", i64{1}}, {"B", "two"}}}, {"default_value", i64{0}}});
  CHECK(filtered(pipe({{"map", args}}), {"A"}) == "1");
  CHECK(filtered(pipe({{"map", args}}), {"B"}) == "two");
  CHECK(filtered(pipe({{"map", args}}), {"C"}) == "0");
}

TEST_CASE("letters of choices are found by pattern, text and position", "[eval]") {
  const FilterPipe steps = pipe({{"multi_choice_regex", ValueMap{{"regex_pattern", "(\\([A-Z]\\))"},
                                                                 {"ignore_case", true},
                                                                 {"ignore_punctuation", true}}}});
  const Value doc(ValueMap{{"choices", ValueList{"Red wine", "White wine.", "Beer"}}});
  CHECK(filtered(steps, {"The answer is (B)."}, doc) == "(B)");
  CHECK(filtered(steps, {"I would say white wine!"}, doc) == "(B)");
  CHECK(filtered(steps, {"Answer: C"}, doc) == "(C)");
  CHECK(filtered(steps, {"none of these"}, doc) == "[invalid]");
  CHECK_THROWS_WITH(filtered(steps, {"x"}, kNone),
                    Catch::Matchers::ContainsSubstring("needs a list \"choices\""));
}

TEST_CASE("filters are refused with their place", "[eval]") {
  const auto refusal = [](const FilterPipe& steps, OutputType type, i64 repeats) {
    try {
      check_filter(steps, type, repeats);
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::kConfig);
      return e.message();
    }
    return std::string();
  };
  CHECK(refusal(pipe({{"regexp", kNone}}), OutputType::kGenerate, 1) ==
        "t.yaml:7: the filter \"regexp\" is not understood");
  CHECK(refusal(pipe({{"regex", ValueMap{{"pattern", "x"}}}}), OutputType::kGenerate, 1) ==
        "t.yaml:7: the filter \"regex\" has no argument \"pattern\"");
  CHECK_THAT(refusal(pipe({{"regex", ValueMap{{"regex_pattern", "("}}}}), OutputType::kGenerate, 1),
             Catch::Matchers::ContainsSubstring("t.yaml:7: the pattern \"(\": missing closing"));
  CHECK(refusal(pipe({{"lowercase", kNone}}), OutputType::kGenerate, 4) ==
        "t.yaml:7: the filter \"p\" leaves 4 answers");
  CHECK(refusal(pipe({{"take_first_k", ValueMap{{"k", i64{5}}}}}), OutputType::kGenerate, 4) ==
        "t.yaml:7: take_first_k of 5, and there are 4 answers (\"repeats\")");
  CHECK(refusal(pipe({{"lowercase", kNone}}), OutputType::kMultipleChoice, 1) ==
        "t.yaml:7: the filter \"lowercase\" takes texts, and multiple_choice gives likelihoods");
  CHECK(refusal(pipe({{"take_first_k", kNone}}), OutputType::kGenerate, 1) ==
        "t.yaml:7: the filter \"take_first_k\" needs a k of at least 1");
}

}  // namespace
}  // namespace lm::eval
