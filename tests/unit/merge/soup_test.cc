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
    return merge::make_soup(candidates, rule,
                            [&](std::span<const i64> members, std::span<const f64> weights) {
                              REQUIRE(weights.size() == members.size());
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
    const auto score = [&](std::span<const i64> members, std::span<const f64>) {
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

TEST_CASE("further rounds try those that were left out, until one takes nobody in", "[merge]") {
  // By hand: 2 is left out at first, is good beside 1, and 3 never is.
  Script s{{{{0}, 9},
            {{1}, 5},
            {{2}, 8},
            {{3}, 1},
            {{0, 2}, 7},
            {{0, 1}, 9.5},
            {{0, 1, 3}, 0},
            {{0, 1, 2}, 9.75},
            {{0, 1, 2, 3}, 3}}};
  const merge::Soup one = s.run(4, {});
  CHECK(one.members == Members{0, 1});
  const merge::Soup more = s.run(4, {.rounds = 10});
  CHECK(more.members == Members{0, 1, 2});
  CHECK(accepted(more) == std::vector<bool>{false, true, false, true, false, false});
  CHECK(more.steps[3].round == 2);
  CHECK(more.steps[5].round == 3);
  CHECK(s.run(4, {.rounds = 2}).steps.size() == 5);
}

TEST_CASE("a weighted soup searches each candidate's share", "[merge]") {
  // Scores of mixes of 0, 1 and 2 at 0, 1 and 4 on a line: best at 0.32.
  constexpr f64 kPlaces[] = {0, 1, 4};
  i64 asked = 0;
  const auto score = [&](std::span<const i64> members, std::span<const f64> weights) {
    f64 place = 0;
    f64 sum = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
      place += weights[i] * kPlaces[members[i]];
      sum += weights[i];
    }
    ++asked;
    return std::fabs(place / sum - 0.32);
  };
  const merge::Soup soup = merge::make_soup(3, {.minimize = true, .weighted = true}, score);
  CHECK(asked == 3 + 2 * 10);
  CHECK(soup.members == Members{0, 1});
  REQUIRE(soup.weights.size() == 2);
  CHECK(soup.weights[0] == Approx(0.7));
  CHECK(soup.weights[1] == Approx(0.3));
  CHECK(soup.steps[0].share == Approx(0.3));
  CHECK(soup.steps[0].accepted);
  CHECK(!soup.steps[1].accepted);  // a tenth of 4 is too much
  CHECK(*soup.score == Approx(0.02));
}

TEST_CASE("a share of 1 leaves the candidate alone in the soup", "[merge]") {
  const auto score = [&](std::span<const i64> members, std::span<const f64> weights) {
    f64 of_last = 0;
    for (std::size_t i = 0; i < members.size(); ++i)
      of_last += members[i] == 1 ? weights[i] : 0;
    return members.size() == 1 ? (members[0] == 0 ? 1.0 : 1.0) : of_last / 10;
  };
  const merge::Soup soup = merge::make_soup(2, {.weighted = true}, score);
  CHECK(soup.members == Members{1});
  CHECK(soup.weights == std::vector<f64>{1});
}

TEST_CASE("what the soup would be without each member is scored where that is asked for",
          "[merge]") {
  Script s = script();
  const merge::Soup soup = s.run(4, {.strict = true, .leave_one_out = true});
  CHECK(soup.members == Members{2, 0});
  CHECK(soup.without_member == std::vector<f64>{5, 7});
  CHECK(s.asked.size() == 7 + 2);
  CHECK(s.run(1, {.leave_one_out = true}).without_member.empty());
}
