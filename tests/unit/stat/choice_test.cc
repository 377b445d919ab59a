// Ranking of ways by their means over the same items.

#include "stat/choice.h"

#include <cmath>
#include <limits>

#include "catch.h"

namespace {

using namespace lm;
using namespace lm::stat;

constexpr f64 kNan = std::numeric_limits<f64>::quiet_NaN();
constexpr f64 kInf = std::numeric_limits<f64>::infinity();

std::vector<std::string> order(const std::vector<Way>& ways, bool highest = false) {
  std::vector<std::string> out;
  for (const RankedWay& one : rank_ways(ways, highest, {.draws = 50}))
    out.push_back(ways[usize(one.way)].name);
  return out;
}

}  // namespace

TEST_CASE("the least mean is first, or the largest", "[stat]") {
  const std::vector<Way> ways = {{"a", {1, 2, 3}}, {"b", {0, 1, 2}}, {"c", {5, 5, 5}}};
  CHECK(order(ways) == std::vector<std::string>{"b", "a", "c"});
  CHECK(order(ways, true) == std::vector<std::string>{"c", "a", "b"});
  const std::vector<RankedWay> ranked = rank_ways(ways, false, {.draws = 50});
  CHECK(ranked[0].mean.mean == Approx(1));
  CHECK(ranked[0].mean.standard_error == Approx(1 / std::sqrt(3.0)));
  CHECK(ranked[0].p_best == Approx(1));  // it is better on every item
  CHECK(ranked[1].p_best == 0);
  // a - b is 1 on every item: no spread, so no tie. c - b: 5, 4, 3, se .577.
  CHECK_FALSE(ranked[1].tied);
  CHECK_FALSE(ranked[2].tied);
}

TEST_CASE("ways within two standard errors of the paired difference are tied", "[stat]") {
  // b - a: 1, -1, 1, -1, 1 has mean .2 and standard error sqrt(1.2 / 5) = .49.
  const std::vector<Way> ways = {{"a", {0, 1, 0, 1, 0}}, {"b", {1, 0, 1, 0, 1}}};
  const std::vector<RankedWay> ranked = rank_ways(ways, false, {.draws = 400});
  CHECK(ranked[0].way == 0);
  CHECK(ranked[1].tied);
  CHECK(ranked[0].p_best + ranked[1].p_best == Approx(1));
  CHECK(ranked[1].p_best > 0.1);
  CHECK(ranked[1].p_best < ranked[0].p_best);
}

TEST_CASE("equal means go by the tie breaker, then by name; what is missing comes last", "[stat]") {
  CHECK(order({{"b", {1, 1}, 7}, {"a", {1, 1}, 7}, {"c", {2, 0}, 3}}) ==
        std::vector<std::string>{"c", "a", "b"});
  CHECK(order({{"none", {kNan, kNan}}, {"never", {1, kInf}}, {"half", {kNan, 9}}}) ==
        std::vector<std::string>{"half", "never", "none"});
  const std::vector<Way> ways = {{"half", {kNan, 9}}, {"never", {1, kInf}}};
  const std::vector<RankedWay> ranked = rank_ways(ways, false, {.draws = 200});
  CHECK(ranked[0].mean.n == 1);
  CHECK(std::isinf(ranked[1].mean.mean));
  CHECK(ranked[1].tried == 2);
  CHECK(ranked[1].infinite == 1);
  CHECK_FALSE(ranked[1].tied);
  CHECK(ranked[0].p_best == Approx(1));
  CHECK(rank_ways({}, false, {}).empty());
}

TEST_CASE("ways are compared over the items that all were tried on", "[stat]") {
  // Over its own items "easy" has the lower mean, 2 to 3; over items 1 and 2, which both have, the
  // higher one, 3 to 1.5.
  const std::vector<Way> ways = {
      {"easy", {0, 3, 3, kNan}}, {"hard", {kNan, 1, 2, 6}}, {"none", {kNan, kNan, kNan, kNan}}};
  CHECK(common_items(ways) == std::vector<i64>{1, 2});
  const std::vector<RankedWay> ranked = rank_ways(ways, false, {.draws = 20});
  REQUIRE(ranked.size() == 3);
  CHECK(ranked[0].way == 1);
  CHECK(ranked[0].mean.mean == Approx(1.5));
  CHECK(ranked[0].mean.n == 2);
  CHECK(ranked[0].tried == 3);
  CHECK(ranked[1].mean.mean == Approx(3));
  CHECK(ranked[2].tried == 0);
  const std::vector<Way> apart = {{"a", {1, kNan}}, {"b", {kNan, 1}}};
  CHECK(common_items(apart).empty());
  for (const RankedWay& one : rank_ways(apart, false, {.draws = 20})) {
    CHECK(std::isnan(one.mean.mean));
    CHECK(one.p_best == 0);
    CHECK_FALSE(one.tied);
  }
}

TEST_CASE("infinite means come behind all others and tie with none", "[stat]") {
  for (const bool highest : {false, true}) {
    const f64 bad = highest ? -kInf : kInf;
    const std::vector<Way> ways = {{"twice", {bad, bad, 1}, 1},
                                   {"a", {bad, 1, 1}, 5},
                                   {"fair", {7, 8, 9}},
                                   {"b", {bad, 2, 2}, 4}};
    CHECK(order(ways, highest) == std::vector<std::string>{"fair", "b", "a", "twice"});
    const std::vector<RankedWay> ranked = rank_ways(ways, highest, {.draws = 20});
    CHECK(ranked[0].p_best == Approx(1));
    for (std::size_t r = 1; r < 4; ++r) {
      CHECK_FALSE(ranked[r].tied);
      CHECK(ranked[r].p_best == 0);
    }
    // Where all are infinite none is best.
    const std::vector<Way> all = {ways[0], ways[1]};
    CHECK(rank_ways(all, highest, {.draws = 20})[0].p_best == 0);
  }
}

TEST_CASE("a ranking does not depend on the order of the ways", "[stat]") {
  const Way a{"a", {3, 1, 2, 5}}, b{"b", {2, 2, 2, 2}}, c{"c", {1, 4, 1, 3}};
  const std::vector<Way> one = {a, b, c};
  const std::vector<Way> two = {c, a, b};
  const auto x = rank_ways(one, false, {.draws = 100, .seed = 5});
  const auto y = rank_ways(two, false, {.draws = 100, .seed = 5});
  for (std::size_t r = 0; r < 3; ++r) {
    CHECK(one[usize(x[r].way)].name == two[usize(y[r].way)].name);
    CHECK(x[r].p_best == y[r].p_best);
    CHECK(x[r].tied == y[r].tied);
  }
}

TEST_CASE("a choice is judged by the outcomes of all ways", "[stat]") {
  // Lowest first: b, then a, then c. Outcomes order them a, b, c. Ranks of merit 2 3 1 and of
  // outcomes 3 2 1 about their mean 2: 0 1 -1 and 1 0 -1, so 1 / 2.
  const std::vector<f64> scores = {2, 1, 9};
  const std::vector<f64> outcomes = {.8, .6, .1};
  const Foresight low = foresight(scores, outcomes, false);
  CHECK(low.spearman == Approx(0.5));
  CHECK(low.chosen == 1);
  CHECK(low.outcome == .6);
  CHECK(low.best == .8);
  CHECK(low.mean == Approx(.5));
  CHECK(low.spread == Approx(std::sqrt((.09 + .01 + .16) / 2)));
  const Foresight high = foresight(scores, outcomes, true);
  CHECK(high.spearman == Approx(-0.5));
  CHECK(high.chosen == 2);
}

TEST_CASE("equal scores share their rank, a constant side has no correlation", "[stat]") {
  // Merits -1 -1 -5: ranks 2.5 2.5 1 about 2: .5 .5 -1; outcomes 3 1 2: 1 -1 0. Products sum to 0.
  const Foresight tied = foresight(std::vector<f64>{1, 1, 5}, std::vector<f64>{3, 1, 2}, false);
  CHECK(tied.spearman == Approx(0).margin(1e-12));
  CHECK(tied.chosen == 0);
  CHECK(std::isnan(foresight(std::vector<f64>{1, 2}, std::vector<f64>{3, 3}, false).spearman));
  const Foresight alone = foresight(std::vector<f64>{kInf}, std::vector<f64>{.3}, false);
  CHECK(std::isnan(alone.spearman));
  CHECK(std::isnan(alone.spread));
  CHECK(alone.outcome == .3);
  const Foresight never = foresight(std::vector<f64>{kInf, 7}, std::vector<f64>{.3, .2}, false);
  CHECK(never.chosen == 1);
  CHECK(never.spearman == Approx(-1));
}
