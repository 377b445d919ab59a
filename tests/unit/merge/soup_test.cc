#include "merge/soup.h"

#include <map>

#include "fixture.h"

using namespace lm;

namespace {

using Members = std::vector<i64>;

/// Scores of sets of candidates, and what was asked.
struct Script {
  std::map<Members, f64> scores;  // by sorted members
  std::vector<Members> asked = {};

  merge::Soup run(i64 candidates, const merge::SoupRule& rule) {
    asked.clear();
    return merge::make_soup(candidates, rule, [&](std::span<const i64> members) {
      Members sorted(members.begin(), members.end());
      std::sort(sorted.begin(), sorted.end());
      asked.push_back(sorted);
      REQUIRE(scores.count(sorted) == 1);
      return scores[sorted];
    });
  }
};

std::vector<bool> accepted(const merge::Soup& soup) {
  std::vector<bool> out;
  for (const merge::SoupStep& step : soup.steps)
    out.push_back(step.accepted);
  return out;
}

// By hand: the order is 2, 0, 3, 1 (0 and 3 are equal); 0 is taken, 3 makes it worse, 1 is as good.
Script script() {
  return {{{{0}, 5}, {{1}, 1}, {{2}, 7}, {{3}, 5}, {{0, 2}, 8}, {{0, 2, 3}, 7.5}, {{0, 1, 2}, 8}}};
}

}  // namespace

TEST_CASE("a greedy soup follows a sequence written by hand", "[merge]") {
  Script s = script();
  const merge::Soup soup = s.run(4, {});
  CHECK(soup.members == Members{2, 0, 1});
  CHECK(accepted(soup) == std::vector<bool>{true, false, true});
  CHECK(soup.scores == std::vector<f64>{5, 1, 7, 5});
  CHECK(soup.score == 8.0);
  CHECK(soup.steps[1].best == 8);
  CHECK(soup.steps[1].score == 7.5);
  CHECK(s.asked == std::vector<Members>{{0}, {1}, {2}, {3}, {0, 2}, {0, 2, 3}, {0, 1, 2}});
}

TEST_CASE("a strict soup takes only what makes it better", "[merge]") {
  Script s = script();
  const merge::Soup soup = s.run(4, {.strict = true});
  CHECK(soup.members == Members{2, 0});
  CHECK(accepted(soup) == std::vector<bool>{true, false, false});
}

TEST_CASE("lower scores are better where they are losses", "[merge]") {
  Script s = script();
  for (auto& [members, score] : s.scores)
    score = -score;
  const merge::Soup soup = s.run(4, {.minimize = true});
  CHECK(soup.members == Members{2, 0, 1});
  CHECK(soup.score == -8.0);
}

TEST_CASE("max takes the first of the best, uniform takes all and scores nothing", "[merge]") {
  Script s{{{{0}, 1}, {{1}, 3}, {{2}, 3}}};
  const merge::Soup max = s.run(3, {.mode = merge::SoupMode::kMax});
  CHECK(max.members == Members{1});
  CHECK(s.asked.size() == 3);
  const merge::Soup uniform = s.run(3, {.mode = merge::SoupMode::kUniform});
  CHECK(uniform.members == Members{0, 1, 2});
  CHECK(!uniform.score);
  CHECK(s.asked.empty());
}

TEST_CASE("a greedy soup never scores below the best candidate", "[merge]") {
  const RandomStream random(3, RandomPurpose::kOther);
  for (u64 round = 0; round < 50; ++round) {
    i64 asked = 0;
    const auto score = [&](std::span<const i64> members) {
      u64 key = round * 64;
      for (const i64 one : members)
        key += u64{1} << one;
      ++asked;
      return random.normal(key);
    };
    const merge::Soup soup = merge::make_soup(5, {}, score);
    CHECK(*soup.score >= *std::max_element(soup.scores.begin(), soup.scores.end()));
    CHECK(asked == 2 * 5 - 1);
  }
}
