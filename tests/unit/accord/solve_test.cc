#include "accord/solve.h"

#include <cmath>

#include "accord/check.h"
#include "accord/packing.h"
#include "catch.h"
#include "random_instances.h"

using namespace lm;
using namespace lm::accord;
using lm::accord::test::kProblems;
using lm::accord::test::random_instance;

namespace {

Solved solved(const Instance& instance, i64 number) {
  Draws draws(3, "solver", number);
  Result<Solved> out = solve(instance, draws);
  REQUIRE(out);
  return *out;
}

}  // namespace

TEST_CASE("What solvers prove is what enumeration finds", "[accord]") {
  for (const Problem problem : kProblems) {
    const i64 most = problem == Problem::kKnapsack ? 12
                     : problem == Problem::kVrp    ? 6
                     : problem == Problem::kJssp   ? 3
                                                   : 7;
    for (i64 number = 0; number < 40; ++number) {
      Instance instance = random_instance(problem, number, most);
      // Orders of mentions of three jobs on four machines are too many to go through.
      if (Jssp* const it = std::get_if<Jssp>(&instance); it != nullptr && machine_count(*it) > 3)
        continue;
      const Solved found = solved(instance, number);
      CAPTURE(problem_names()[static_cast<std::size_t>(problem)], number, instance_json(instance));
      CHECK(found.proved);
      CHECK(found.objective ==
            std::visit([](const auto& it) { return accord::test::enumerate(it); }, instance));
      CHECK(found.objective == objective_of(instance, found.solution));
    }
  }
}

TEST_CASE("What solvers find is feasible in both forms, proved or not", "[accord]") {
  for (const Problem problem : kProblems)
    for (i64 number = 100; number < 115; ++number) {
      const Instance instance =
          random_instance(problem, number, problem == Problem::kJssp ? 8 : 22);
      const Solved found = solved(instance, number);
      CAPTURE(instance_json(instance), solution_json(found.solution));
      for (const Format format : {Format::kAccord, Format::kLists}) {
        const Verdict verdict = check(instance, render(instance, found.solution, format));
        CHECK(verdict.reason == "");
        CHECK(verdict.feasible);
        CHECK(verdict.objective == found.objective);
        CHECK(verdict.format == format);
      }
      CHECK(ordered(instance, found.solution) == found.solution);
    }
}

TEST_CASE("Branch and bound agrees with tabu search's bound on 5 x 5 shops", "[accord]") {
  // Two searches of one instance, from other draws: what both prove is the same.
  for (i64 number = 0; number < 12; ++number) {
    Draws draws(5, "five", number);
    Shape shape;
    shape.least = shape.most = 5;
    shape.machines = 5;
    shape.number = 50;
    const Instance instance = draw_instance(Problem::kJssp, shape, draws);
    const Solved a = solved(instance, 1), b = solved(instance, 2);
    CHECK(a.proved);
    CHECK(b.proved);
    CHECK(a.objective == b.objective);
  }
}

TEST_CASE("Searches of instances beyond proofs come near what is known", "[accord]") {
  // Muth and Thompson's 6 x 6 and 10 x 10 shops: 55 and 930.
  const auto shop = [](i64 machines, const std::vector<i64>& numbers) {
    Jssp out;
    for (i64 i = 0; i < isize(numbers); i += 2) {
      if (i % (2 * machines) == 0) out.jobs.emplace_back();
      out.jobs.back().push_back({numbers[usize(i)], numbers[usize(i) + 1]});
    }
    return out;
  };
  const Jssp six =
      shop(6, {2, 1, 0, 3, 1, 6, 3, 7, 5, 3, 4, 6, 1, 8, 2, 5, 4, 10, 5, 10, 0, 10, 3, 4,
               2, 5, 3, 4, 5, 8, 0, 9, 1, 1, 4, 7, 1, 5, 0, 5, 2, 5,  3, 3,  4, 8,  5, 9,
               2, 9, 1, 3, 4, 5, 5, 4, 0, 3, 3, 1, 1, 3, 3, 3, 5, 9,  0, 10, 4, 4,  2, 1});
  const Jssp ten =
      shop(10, {0, 29, 1, 78, 2, 9,  3, 36, 4, 49, 5, 11, 6, 62, 7, 56, 8, 44, 9, 21,  //
                0, 43, 2, 90, 4, 75, 9, 11, 3, 69, 1, 28, 6, 46, 5, 46, 7, 72, 8, 30,  //
                1, 91, 0, 85, 3, 39, 2, 74, 8, 90, 5, 10, 7, 12, 6, 89, 9, 45, 4, 33,  //
                1, 81, 2, 95, 0, 71, 4, 99, 6, 9,  8, 52, 7, 85, 3, 98, 9, 22, 5, 43,  //
                2, 14, 0, 6,  1, 22, 5, 61, 3, 26, 4, 69, 8, 21, 7, 49, 9, 72, 6, 53,  //
                2, 84, 1, 2,  5, 52, 3, 95, 8, 48, 9, 72, 0, 47, 6, 65, 4, 6,  7, 25,  //
                1, 46, 0, 37, 3, 61, 2, 13, 6, 32, 5, 21, 9, 32, 8, 89, 7, 30, 4, 55,  //
                2, 31, 0, 86, 1, 46, 5, 74, 4, 32, 6, 88, 8, 19, 9, 48, 7, 36, 3, 79,  //
                0, 76, 1, 69, 3, 76, 5, 51, 2, 85, 9, 11, 6, 40, 7, 89, 4, 26, 8, 74,  //
                1, 85, 0, 13, 2, 61, 6, 7,  8, 64, 9, 76, 5, 47, 3, 52, 4, 90, 7, 45});
  CHECK(solved(six, 0).objective == 55);
  const i64 span = solved(ten, 0).objective;
  CHECK(span >= 930);
  CHECK(span <= 1000);

  // A third machine that takes no time: as long as Johnson's order of the other two.
  Draws draws(9, "third", 0);
  for (i64 number = 0; number < 5; ++number) {
    Fssp two, three;
    for (i64 j = 0; j < 25; ++j) {
      two.times.push_back({draws.within(1, 50), draws.within(1, 50)});
      three.times.push_back({two.times.back()[0], two.times.back()[1], 0});
    }
    CHECK(solved(three, number).objective == solved(two, number).objective);
  }

  // Cities on a circle, in any order: the shortest way is around it.
  for (i64 number = 0; number < 5; ++number) {
    Tsp round;
    for (i64 i = 0; i < 40; ++i) {
      const f64 angle = 2 * 3.14159265358979 * static_cast<f64>(i) / 40;
      round.cities.push_back(
          {std::lround(3e5 * std::cos(angle)), std::lround(3e5 * std::sin(angle))});
    }
    i64 around = 0;
    for (std::size_t i = 0; i < 40; ++i)
      around += distance(round.cities[i], round.cities[(i + 1) % 40]);
    draws.shuffle(std::span<Point>(round.cities));
    CHECK(solved(round, number).objective == around);
    // Four vehicles that need not share: one goes around.
    Vrp free{round.cities, std::vector<i64>(40, 0), 0, 4};
    CHECK(solved(free, number).objective == around);
  }
}

TEST_CASE("Two machines: Johnson's order of a worked example", "[accord]") {
  // Times (3,6) (5,2) (1,2) (6,6) (7,5): rule gives 2, 0, 3, 4, 1; it ends at 24 (by hand:
  // machine 1 1 4 10 17 22, machine 2 3 10 16 22 24).
  const Fssp it{{{3, 6}, {5, 2}, {1, 2}, {6, 6}, {7, 5}}};
  Draws draws(0, "johnson", 0);
  const Solved found = solve_fssp(it, draws);
  CHECK(found.solution == Solution{{2, 0, 3, 4, 1}});
  CHECK(found.objective == 24);
  CHECK(found.proved);
}

TEST_CASE("Solutions are in one order", "[accord]") {
  const Knapsack sack{{{4, 4}, {9, 2}, {1, 1}, {8, 2}}, 7};
  CHECK(ordered(sack, {{0, 1, 2, 3}}) == Solution{{1, 3, 2, 0}});
  const Binpack bins{{3, 7, 3, 5, 3}, 10};
  CHECK(ordered(bins, {{4, 3}, {0, 1}, {2}}) == Solution{{1, 0}, {3, 2}, {4}});
  const Tsp round{{{0, 0}, {1, 0}, {1, 1}, {0, 1}}};
  CHECK(ordered(round, {{3, 2, 1}}) == Solution{{1, 2, 3}});
}

TEST_CASE("Bins needed is never above a packing, and sees large items", "[accord]") {
  CHECK(bins_needed(std::vector<i64>{6, 6, 6}, 10) == 3);
  CHECK(bins_needed(std::vector<i64>{5, 5, 5, 5}, 10) == 2);
  CHECK(bins_needed(std::vector<i64>{}, 10) == 0);
  CHECK(bins_needed(std::vector<i64>{0, 0}, 0) == 1);
  for (i64 number = 0; number < 60; ++number) {
    const Instance instance = random_instance(Problem::kBinpack, number, 9);
    const Binpack& it = std::get<Binpack>(instance);
    CHECK(bins_needed(it.weights, it.capacity) <= accord::test::enumerate(it));
  }
}

TEST_CASE("A packing is found where there is exactly one, and denied where there is none",
          "[accord]") {
  bool proved = false;
  // 9+1, 7+3, 6+4 fill three bins of 10 and can be shared in no other way.
  const std::vector<i64> weights = {1, 3, 4, 6, 7, 9};
  const std::optional<std::vector<i64>> bins = pack(weights, std::vector<i64>{10, 10, 10}, proved);
  REQUIRE(bins);
  CHECK((*bins)[0] == (*bins)[5]);
  CHECK((*bins)[1] == (*bins)[4]);
  CHECK((*bins)[2] == (*bins)[3]);
  CHECK_FALSE(pack(weights, std::vector<i64>{10, 10, 9}, proved));
  CHECK(proved);
}
