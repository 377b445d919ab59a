#include "synth/judge.h"

#include <cmath>

#include "catch.h"
#include "core/draws.h"
#include "core/str.h"
#include "synth/fields.h"

using namespace lm;
using namespace lm::synth;

namespace {

constexpr const char* kSack =
    R"({"problem":"knapsack","items":[[9,2],[20,17],[3,3]],"capacity":20})";

std::string fault_of(std::string_view instance) {
  Judge judge;
  const std::optional<Fault> fault = judge.read(instance);
  return fault ? cat(fault->code, ": ", fault->detail) : "";
}

}  // namespace

TEST_CASE("A reward is the sum of its weights, and reads back", "[synth]") {
  const Reward reward(5, 3, 0.5);
  Draws draws(5, "prefs reward", 0);
  std::vector<f64> w;
  for (i64 i = 0; i < 12; ++i)
    w.push_back(0.5 * draws.normal());
  // Weights 0..2 are of symbols, 3 + 3 a + b of a before b.
  CHECK(reward(std::vector<i64>{}) == 0);
  CHECK(std::abs(reward(std::vector<i64>{2}) - (w[2] - 0.1)) < 1e-12);
  CHECK(std::abs(reward(std::vector<i64>{2, 0, 1}) -
                 (w[2] + w[0] + w[1] + w[3 + 6 + 0] + w[3 + 0 + 1] - 0.3)) < 1e-12);
  Judge judge;
  REQUIRE_FALSE(judge.read(reward.json()));
  CHECK(judged_names()[usize(judge.problem())] == "prefs");
  CHECK(judge.maximised());
  CHECK(judge(" c a  b ", std::nullopt, std::nullopt).objective ==
        reward(std::vector<i64>{2, 0, 1}));
  const Judged odd = judge("a d", std::nullopt, std::nullopt);
  CHECK_FALSE(odd.feasible);
  CHECK(odd.json == R"("feasible":false,"reason":"\"d\" is none of the 3 symbols")");
  // Of another instance in between, and of the same again.
  REQUIRE_FALSE(judge.read(kSack));
  CHECK(judge.problem() == 0);
  REQUIRE_FALSE(judge.read(reward.json()));
  CHECK(judge("c", std::nullopt, std::nullopt).objective == reward(std::vector<i64>{2}));
  REQUIRE_FALSE(judge.read(Reward(~u64{0}, 3, 0.5).json()));
  CHECK(judge("c", std::nullopt, std::nullopt).objective ==
        Reward(~u64{0}, 3, 0.5)(std::vector<i64>{2}));
}

TEST_CASE("Symbols are words of one spelling", "[synth]") {
  for (i64 id = 0; id < 200; ++id)
    CHECK(symbol_id(symbol(id)) == id);
  for (const std::string_view odd : {"", "-", "s5", "s062", "s+62", "t70", "ab"})
    CHECK(symbol_id(odd) == std::nullopt);
}

TEST_CASE("The best is the best without the optimum; with it fewer are taken", "[synth]") {
  Judge judge;
  REQUIRE_FALSE(judge.read(kSack));
  std::vector<Judged> all;
  for (const std::string_view text :
       {"[[3, 3]]", "[[9, 2], [9, 2]]", "[[20, 17], [3, 3]]", "[[9, 2], [20, 17]]", "[[3, 3]]"})
    all.push_back(judge(text, std::nullopt, 29));
  CHECK(best_of(all, 5, true) == 3);
  CHECK(best_of(all, 3, true) == 2);
  CHECK(best_of(all, 5, false) == 0);  // the first of equals
  CHECK(best_of(std::span(all).subspan(1), 1, true) == -1);
  CHECK(taken_until(all, 0.25) == 3);
  CHECK(taken_until(all, 0.05) == 4);
  CHECK(taken_until(std::span(all).first(3), 0.05) == 3);
  CHECK(all[3].json == R"("feasible":true,"objective":29,"gap":0,"solution":[[0,1]])");
  CHECK(judge("[]", std::nullopt, 0).json ==
        R"("feasible":true,"objective":0,"gap":0,"solution":[[]])");
  CHECK(judge("[[3, 3]]", std::nullopt, 0).json ==
        R"("feasible":true,"objective":3,"gap":null,"solution":[[2]])");
  CHECK_FALSE(judge("[[3, 3]]", accord::Format::kAccord, 29).feasible);
}

TEST_CASE("Rewards that mean nothing are refused", "[synth]") {
  CHECK(fault_of(R"({"problem":"prefs","seed":"1","vocab":16,"scale":1})") == "");
  CHECK(fault_of(R"({"problem":"prefs","seed":"1","vocab":16})") ==
        "missing: field \"instance.scale\" is missing");
  CHECK(fault_of(R"({"problem":"prefs","seed":1,"vocab":16,"scale":1})") ==
        "type: instance.seed is no whole number in a text");
  CHECK(fault_of(R"({"problem":"prefs","seed":"1","vocab":1001,"scale":1})") ==
        "range: instance.vocab is no whole number from 2 to 1000");
  CHECK(fault_of(R"({"problem":"prefs","seed":"1","vocab":16,"scale":-1})") ==
        "range: instance.scale is no number from 0 to 100");
  CHECK(fault_of(R"({"problem":7})").substr(0, 31) == "type: instance.problem is 7, ex");
  CHECK(fault_of("[]") == "type: field \"instance\" is not an object");
}
