#include "grammar/recogniser.h"

#include "catch.h"
#include "core/random.h"
#include "grammar/grammar.h"

namespace lm::grammar {

TEST_CASE("a recogniser tells what is of a language", "[recogniser]") {
  // Balanced brackets around an optional letter, by counting.
  const Result<GrammarPtr> compiled = compile_gbnf(R"x(root ::= "(" root ")" | "a"?)x");
  REQUIRE(compiled);
  const Result<std::unique_ptr<Recogniser>> made = Recogniser::make(*compiled, 1 << 20);
  REQUIRE(made);
  const auto slow = [](std::string_view text) {
    while (text.starts_with('(') && text.ends_with(')') && text.size() >= 2)
      text = text.substr(1, text.size() - 2);
    return text.empty() || text == "a";
  };
  const RandomStream draws(3, RandomPurpose::kOther);
  i64 inside = 0;
  for (u64 i = 0; i < 3000; ++i) {
    std::string text;
    const u64 size = draws.below(20 * i, 7);
    for (u64 k = 0; k < size; ++k)
      text += "(a)"[draws.below(20 * i + 1 + k, 3)];
    const Result<bool> matches = (*made)->matches(text);
    REQUIRE(matches);
    CHECK(*matches == slow(text));
    inside += *matches ? 1 : 0;
  }
  CHECK(inside > 300);
}

TEST_CASE("a recogniser stays within its budget", "[recogniser]") {
  const Result<GrammarPtr> compiled = compile_regex("[ab]*a[ab]{14}");
  REQUIRE(compiled);
  const Result<std::unique_ptr<Recogniser>> made = Recogniser::make(*compiled, 20000);
  REQUIRE(made);
  std::string text;
  const RandomStream draws(4, RandomPurpose::kOther);
  for (u64 i = 0; i < 20000; ++i)
    text += draws.below(i, 2) == 0 ? 'a' : 'b';
  const Result<bool> matches = (*made)->matches(text);
  REQUIRE(!matches);
  CHECK(matches.fault().code == "budget");
}

}  // namespace lm::grammar
