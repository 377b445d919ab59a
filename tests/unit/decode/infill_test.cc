#include "decode/infill.h"

#include <set>

#include "catch.h"
#include "core/random.h"

using namespace lm;
using decode::InfillConstraint;
using decode::TokenWeights;
using text::InfillLayout;
using text::InfillTokens;

namespace {

/// Masks 10, 11, 12, sep 13, end 14, eos 15 in a vocabulary of 20.
InfillTokens masks() {
  InfillTokens out;
  out.layout = InfillLayout::kMasks;
  out.masks = {10, 11, 12};
  out.sep = 13;
  out.end = 14;
  out.eos = 15;
  out.sentinels = {10, 11, 12, 13, 14, 15};
  return out;
}

TokenWeights all_of(i32 vocab) {
  TokenWeights out;
  for (i32 id = 0; id < vocab; ++id) {
    out.ids.push_back(id);
    out.w.push_back(0);
  }
  return out;
}

std::set<i32> allowed(const InfillConstraint& constraint) {
  TokenWeights x = all_of(20);
  REQUIRE_FALSE(constraint.mask(x, 5));
  CHECK(x.ids.size() == x.w.size());
  return {x.ids.begin(), x.ids.end()};
}

}  // namespace

TEST_CASE("an answer has the form of its layout, whatever is drawn", "[decode]") {
  const InfillTokens tokens = masks();
  const RandomStream random(3, RandomPurpose::kOther);
  u64 draw = 0;
  for (int text = 0; text < 200; ++text) {
    const i64 holes = 1 + text % 3;
    std::unique_ptr<decode::Constraint> constraint =
        std::make_unique<InfillConstraint>(tokens, holes, 0);
    std::vector<i32> answer;
    std::vector<std::vector<i32>> wanted(usize(holes));
    i64 hole = 0;
    while (!constraint->end("")) {
      if (text % 2 == 1) constraint = constraint->clone();
      const std::set<i32> may = allowed(static_cast<const InfillConstraint&>(*constraint));
      REQUIRE_FALSE(may.empty());
      if (!constraint->forced().empty()) {
        CHECK(may == std::set<i32>{constraint->forced()[0]});
        CHECK(constraint->forced()[0] == tokens.masks[usize(hole)]);
      }
      std::set<i32>::const_iterator at = may.begin();
      std::advance(at, static_cast<i64>(random.below(draw++, may.size())));
      answer.push_back(*at);
      if (*at == tokens.eos) break;  // ends the text before the constraint hears of it
      if (*at == tokens.end) ++hole;
      if (!tokens.is_sentinel(*at)) wanted[usize(hole)].push_back(*at);
      constraint->accept(*at);
    }
    CHECK(decode::read_fillings(tokens, answer, holes) == wanted);
    if (answer.back() != tokens.eos) CHECK(hole == holes);
  }
}

TEST_CASE("special tokens end a filling and nothing else of them comes", "[decode]") {
  const InfillTokens tokens = masks();
  const InfillConstraint constraint(tokens, 2, 0);
  CHECK(allowed(constraint) == std::set<i32>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 15, 16, 17, 18, 19});
  // A single hole ends after so many lines; of several holes none is cut early.
  InfillConstraint lines(tokens, 1, 2);
  CHECK_FALSE(lines.end("one\ntw"));
  const std::optional<decode::TextEnd> end = lines.end("one\ntwo\nth");
  REQUIRE(end);
  CHECK(end->bytes == 8);
  CHECK(std::string(end->reason) == "lines");
  CHECK_FALSE(InfillConstraint(tokens, 2, 1).end("a\nb\n"));
}

TEST_CASE("an answer that was cut short leaves holes empty", "[decode]") {
  const InfillTokens tokens = masks();
  using Fillings = std::vector<std::vector<i32>>;
  CHECK(decode::read_fillings(tokens, std::vector<i32>{1, 2}, 2) == Fillings{{1, 2}, {}});
  CHECK(decode::read_fillings(tokens, std::vector<i32>{1, 14, 11, 3}, 2) == Fillings{{1}, {3}});
  CHECK(decode::read_fillings(tokens, std::vector<i32>{1, 15}, 3) == Fillings{{1}, {}, {}});
  CHECK(decode::read_fillings(tokens, {}, 1) == Fillings{{}});
}

TEST_CASE("texts with marks are cut at them, and put together again", "[decode]") {
  CHECK(decode::kept_pieces("a<|fill|>b") == std::vector<std::string>{"a", "b"});
  CHECK(decode::kept_pieces("<|fill|><|fill|>") == std::vector<std::string>{"", "", ""});
  CHECK(decode::kept_pieces("a<|fill|b") == std::vector<std::string>{"a<|fill|b"});
}

TEST_CASE("fillings lose what follows them anyway, and lines beyond those asked for", "[decode]") {
  CHECK(decode::kept_filling("x = 1\nreturn x", "return x\n", {0, false}) == 14);
  CHECK(decode::kept_filling("x = 1\nreturn x", "return x\n", {0, true}) == 6);
  CHECK(decode::kept_filling("aaa", "aa", {0, true}) == 1);
  CHECK(decode::kept_filling("abc", "", {0, true}) == 3);
  CHECK(decode::kept_filling("", "abc", {0, true}) == 0);
  CHECK(decode::kept_filling("one\ntwo\nthree", "", {2, false}) == 8);
  CHECK(decode::kept_filling("one\ntwo", "two", {1, true}) == 4);
  CHECK(decode::kept_filling("one", "", {2, false}) == 3);
}
