#include "transform/permute.h"

#include <algorithm>
#include <map>
#include <set>

#include "catch.h"
#include "tiny_tokenizer.h"

namespace lm::transform {

namespace {

ReorderedText permuted(std::string_view text, const PermuteRules& rules, u64 seed = 0,
                       i64 epoch = 0, const GivenUnits& given = {}) {
  const Draws draws(seed, "r", epoch);
  return reorder_text(text, order_text(text, nullptr, rules, given, draws));
}

PermuteRules rules_of(std::string_view name, OrderOdds odds = {}) {
  PermuteRules rules = *parse_permute(name);
  if (!name.ends_with("-reverse")) rules.odds = odds;
  return rules;
}

constexpr std::string_view kText =
    "Daphne Barrington, known far and wide, is the director of \"A Journey\".  She lives in Rome!\n"
    "It is 5 km\taway, at least; ask Bob (or Eve)...\n\nNo end";

std::multiset<std::string> words_in(std::string_view text) {
  std::multiset<std::string> out;
  for (const Span& token : word_tokens(text))
    out.emplace(part(text, token));
  return out;
}

}  // namespace

TEST_CASE("the reverse order turns a statement round", "[transform]") {
  CHECK(permuted("Alice is the mother of Bob.", rules_of("chunk-reverse")).text ==
        "Bob of the mother is Alice.");
  CHECK(permuted("Daphne Barrington, the director.\n", rules_of("chunk-reverse")).text ==
        "the director, Daphne Barrington.\n");
  CHECK(permuted("a b c.", rules_of("token-reverse")).text == "c b a.");
}

TEST_CASE("one unit stays, and two are reversed half of the time by drawn orders", "[transform]") {
  const OrderOdds uniform{0, 0, 1};
  i64 reversed = 0;
  for (i64 i = 0; i < 4000; ++i) {
    const Draws draws(1, cat("r", i), 0);
    CHECK(is_identity(draw_order(uniform, 1, draws.row(Purpose::kOrder))));
    reversed += !is_identity(draw_order(uniform, 2, draws.row(Purpose::kOrder)));
  }
  // Binomial(4000, 1/2) has a standard deviation of 32.
  CHECK(std::abs(reversed - 2000) < 130);
}

TEST_CASE("orders are drawn as often as the odds say, and evenly", "[transform]") {
  std::map<std::vector<i64>, i64> counts;
  for (i64 i = 0; i < 24000; ++i)
    ++counts[draw_order({0, 0, 1}, 4, Draws(2, cat("r", i), 0).row(Purpose::kOrder))];
  CHECK(counts.size() == 24);
  for (const auto& [order, count] : counts)
    CHECK(std::abs(count - 1000) < 160);  // five standard deviations
  i64 stay = 0;
  i64 reversed = 0;
  for (i64 i = 0; i < 9000; ++i) {
    // Of 6 units a drawn order is one of the two with probability 1/360.
    const std::vector<i64> z =
        draw_order({1, 1, 1}, 6, Draws(3, cat("r", i), 0).row(Purpose::kOrder));
    stay += is_identity(z);
    reversed += std::is_sorted(z.rbegin(), z.rend());
  }
  CHECK(std::abs(stay - 3000) < 230);
  CHECK(std::abs(reversed - 3000) < 230);
}

TEST_CASE("odds of zero are never drawn", "[transform]") {
  for (i64 i = 0; i < 2000; ++i) {
    const DrawRow row = Draws(4, cat("r", i), 0).row(Purpose::kOrder);
    CHECK(is_identity(draw_order({1, 0, 0}, 5, row)));
    CHECK(draw_order({0, 2, 0}, 3, row) == std::vector<i64>{2, 1, 0});
  }
}

TEST_CASE("the identity order is the text byte for byte", "[transform]") {
  for (const char* how : {"chunk", "token", "ngram:3"}) {
    const ReorderedText made = permuted(kText, rules_of(how, {1, 0, 0}), 7);
    CHECK(made.text == kText);
    CHECK(made.moved.empty());
  }
  CHECK(permuted(kText, rules_of("none", {0, 1, 0})).text == kText);
}

TEST_CASE("what was moved brings the text back byte for byte", "[transform]") {
  for (const char* how : {"chunk", "chunk-reverse", "token", "token-reverse", "ngram:3"}) {
    for (u64 seed = 0; seed < 200; ++seed) {
      const ReorderedText made = permuted(kText, rules_of(how, {0, 1, 2}), seed, 3);
      INFO(how << " " << seed << ": " << made.text);
      CHECK(words_in(made.text) == words_in(kText));
      const std::string json = moved_json(made.moved);
      const io::JsonDocument document(json);
      const Result<std::vector<Moved>> moved = read_moved(document.root("m"), "m");
      REQUIRE(moved);
      const Result<std::string> back = restore_text(made.text, *moved);
      REQUIRE(back);
      CHECK(*back == kText);
    }
  }
}

TEST_CASE("entities keep their spelling in every order of units", "[transform]") {
  for (u64 seed = 0; seed < 300; ++seed) {
    const std::string text = permuted(kText, rules_of("chunk", {0, 0, 1}), seed).text;
    for (const char* name : {"Daphne Barrington", "\"A Journey\"", "Rome", "5 km", "(or Eve)"})
      CHECK(text.find(name) != std::string::npos);
    // Final punctuation and line ends stand where they stood.
    CHECK(text.find(".  ") != std::string::npos);
    CHECK(text.find("!\n") != std::string::npos);
    CHECK(text.find("...\n\n") != std::string::npos);
  }
}

TEST_CASE("a draw depends on seed, record, epoch and sentence alone", "[transform]") {
  const PermuteRules rules = rules_of("token", {0, 0, 1});
  const std::string alone = "one two three four five six seven. ";
  CHECK(permuted(alone, rules, 1).text == permuted(alone, rules, 1).text);
  CHECK(permuted(alone, rules, 1).text != permuted(alone, rules, 2).text);
  CHECK(permuted(alone, rules, 1, 0).text != permuted(alone, rules, 1, 1).text);
  // A sentence behind it changes nothing in the first.
  const std::string both = permuted(alone + "And more of it. ", rules, 1).text;
  CHECK(both.starts_with(permuted(alone, rules, 1).text));
  // Two like sentences have orders of their own.
  const std::string twice = permuted(alone + alone, rules, 1).text;
  CHECK(twice.substr(0, alone.size()) != twice.substr(alone.size()));
}

TEST_CASE("joints have a blank between words and none around marks", "[transform]") {
  CHECK(joint("a", "b") == " ");
  for (const char* mark : {",", ".", ";", ":", "?", "!", ")", "]", "\xE2\x80\x9D"})
    CHECK(joint("a", mark) == "");
  CHECK(joint(",", "b") == " ");
  CHECK(joint("(", "b") == "");
  CHECK(joint("a", "\xE2\x80\x94") == "");
  CHECK(joint("\xE4\xBA\xAC", "\xE6\x88\x91") == "");
  CHECK(joint("\xE4\xBA\xAC", "Rome") == " ");
}

TEST_CASE("what was moved is held against the text", "[transform]") {
  const auto code = [](std::string_view text, const std::vector<Moved>& moved) {
    const Result<std::string> back = restore_text(text, moved);
    return back ? *back : back.fault().code;
  };
  CHECK(code("b a", {{{0, 3}, {{2, 3}, {0, 1}}, {}}}) == "a b");
  CHECK(code("b a", {{{0, 3}, {{2, 3}, {0, 1}}, {"\t"}}}) == "a\tb");
  CHECK(code("b a", {{{0, 4}, {{2, 3}}, {}}}) == "range");
  CHECK(code("b a", {{{0, 3}, {{2, 4}}, {}}}) == "range");
  CHECK(code("b a", {{{0, 3}, {{-1, 1}}, {}}}) == "range");
  CHECK(code("b a", {{{2, 3}, {}, {}}, {{0, 1}, {}, {}}}) == "range");
  CHECK(code("b a", {{{0, 3}, {{2, 3}, {0, 1}}, {"", ""}}}) == "range");
}

TEST_CASE("names of ways and odds are read strictly", "[transform]") {
  CHECK(parse_permute("ngram:3")->longest == 3);
  for (const char* bad : {"", "chunks", "ngram", "ngram:0", "ngram:x", "ngram:3-reverse"})
    CHECK(!parse_permute(bad));
  CHECK(parse_odds("0.34,0.33,0.33"));
  for (const char* bad :
       {"", "1", "1,1", "1,1,1,1", "0,0,0", "-1,1,1", "nan,1,1", "inf,1,1", "a,b,c"})
    CHECK(!parse_odds(bad));
}

TEST_CASE("ids change places as the text they say does", "[transform]") {
  const test::TempDir folder;
  test::write_tiny_tokenizer(folder.path().string());
  const std::unique_ptr<text::Tokenizer> tokenizer = text::load_tokenizer(folder.path().string());
  const std::unique_ptr<text::EncodeState> state = tokenizer->new_state();
  const auto encode = [&](std::string_view text) {
    std::vector<i32> ids = {test::kTinyBos};
    REQUIRE(tokenizer->encode(text, *state, ids));
    ids.push_back(test::kTinyEos);
    return ids;
  };
  const std::vector<i32> ids = encode(kText);
  const PermuteRules reverse = rules_of("chunk-reverse");
  const Result<std::vector<OrderedSentence>> reversed =
      order_ids(encode("Alice is the  mother of Bob."), *tokenizer, reverse, Draws(0, "r", 0));
  REQUIRE(reversed);
  const std::vector<i32> turned =
      reorder_ids(encode("Alice is the  mother of Bob."), *reversed).ids;
  CHECK(tokenizer->decode(turned, true) == " Bob of the  mother isAlice.");
  CHECK(turned.front() == test::kTinyBos);
  CHECK(turned.back() == test::kTinyEos);
  for (u64 seed = 0; seed < 100; ++seed) {
    for (const char* how : {"chunk", "token", "ngram:2"}) {
      const Result<std::vector<OrderedSentence>> sentences =
          order_ids(ids, *tokenizer, rules_of(how, {0, 1, 2}), Draws(seed, "r", 0));
      REQUIRE(sentences);
      const ReorderedIds made = reorder_ids(ids, *sentences);
      std::vector<i32> sorted = made.ids;
      std::vector<i32> before = ids;
      std::sort(sorted.begin(), sorted.end());
      std::sort(before.begin(), before.end());
      CHECK(sorted == before);
      CHECK(made.ids.front() == test::kTinyBos);
      CHECK(made.ids.back() == test::kTinyEos);
      const Result<std::vector<i32>> back = restore_ids(made.ids, made.moved);
      REQUIRE(back);
      CHECK(*back == ids);
    }
  }
  CHECK(order_ids(std::vector<i32>{0xC3}, *tokenizer, reverse, Draws(0, "r", 0)).fault().code ==
        "utf8");
}

}  // namespace lm::transform
