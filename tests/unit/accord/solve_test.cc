#include "accord/solve.h"

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
