#include "accord/automaton.h"

#include <set>

#include "accord/check.h"
#include "catch.h"
#include "core/str.h"
#include "random_instances.h"

using namespace lm;
using namespace lm::accord;
using lm::accord::test::kProblems;
using lm::accord::test::random_instance;

namespace {

std::unique_ptr<Automaton> start(const Instance& instance, Format format) {
  Result<std::unique_ptr<Automaton>> made = make_automaton(instance, format);
  REQUIRE(made);
  return std::move(*made);
}

}  // namespace

TEST_CASE("A thousand random walks of each problem end in feasible solutions", "[accord]") {
  for (const Problem problem : kProblems) {
    i64 feasible = 0, branches = 0;
    for (i64 number = 0; number < 1000; ++number) {
      const Instance instance = random_instance(problem, number, 10);
      const Format format = number % 2 == 0 ? Format::kAccord : Format::kLists;
      const std::unique_ptr<Automaton> walk = start(instance, format);
      Draws draws(11, "walk", number);
      std::string text = walk->opening();
      while (!walk->complete()) {
        const std::vector<i64> choices = walk->choices();
        REQUIRE_FALSE(choices.empty());
        branches += isize(choices);
        const i64 choice = choices[usize(draws.below(isize(choices)))];
        text += walk->text(choice);
        walk->accept(choice);
      }
      CHECK(walk->choices().empty());
      const Verdict verdict = check(instance, text);
      CAPTURE(instance_json(instance), text, verdict.reason);
      CHECK(verdict.feasible);
      CHECK(verdict.objective == walk->objective());
      CHECK(verdict.solution == walk->solution());
      feasible += verdict.feasible;
    }
    CHECK(feasible == 1000);
    CHECK(branches > 3000);  // there was something to choose
  }
}

TEST_CASE("Choices are distinct texts, and a clone goes its own way", "[accord]") {
  for (const Problem problem : kProblems)
    for (i64 number = 0; number < 50; ++number) {
      const Instance instance = random_instance(problem, number, 9);
      const std::unique_ptr<Automaton> walk = start(instance, Format::kAccord);
      Draws draws(12, "walk", number);
      while (!walk->complete()) {
        const std::vector<i64> choices = walk->choices();
        CHECK(std::is_sorted(choices.begin(), choices.end()));
        std::set<std::string> texts;
        for (const i64 choice : choices)
          texts.insert(walk->text(choice));
        CHECK(isize(texts) == isize(choices));
        const Solution before = walk->solution();
        walk->clone()->accept(choices.back());
        CHECK(walk->solution() == before);
        CHECK(walk->choices() == choices);
        walk->accept(choices[usize(draws.below(isize(choices)))]);
      }
    }
}

TEST_CASE("Choices are all that can be completed: against enumeration of small instances",
          "[accord]") {
  // Of vehicle routing, the one problem where a legal step can make the rest impossible: a choice
  // is offered exactly if some order of the remaining customers completes it.
  for (i64 number = 0; number < 60; ++number) {
    Draws draws(13, "tight", number);
    Shape shape;
    shape.least = 3;
    shape.most = 6;
    shape.capacity = 12;
    shape.number = 8;
    shape.spare = 0;
    const Instance instance = draw_instance(Problem::kVrp, shape, draws);
    const Vrp& it = std::get<Vrp>(instance);
    std::set<std::vector<i64>>
        prefixes;  // choices of every feasible solution, and their beginnings
    std::vector<i64> order(it.places.size() - 1);
    for (std::size_t i = 0; i < order.size(); ++i)
      order[i] = static_cast<i64>(i) + 1;
    do {
      for (std::size_t cuts = 0; cuts < std::size_t{1} << (order.size() - 1); ++cuts) {
        std::vector<i64> path;
        i64 load = 0, trips = 1;
        bool fits = true;
        for (std::size_t i = 0; i < order.size(); ++i) {
          if (i > 0 && (cuts >> (i - 1) & 1) != 0) {
            path.push_back(kStop);
            load = 0;
            ++trips;
          }
          path.push_back(order[i]);
          load += it.demands[usize(order[i])];
          fits = fits && load <= it.capacity;
        }
        if (!fits || trips > it.vehicles) continue;
        for (std::size_t n = 0; n <= path.size(); ++n)
          prefixes.insert({path.begin(), path.begin() + static_cast<std::ptrdiff_t>(n)});
      }
    } while (std::next_permutation(order.begin(), order.end()));
    for (i64 walks = 0; walks < 10; ++walks) {
      const std::unique_ptr<Automaton> walk = start(instance, Format::kLists);
      std::vector<i64> path;
      while (!walk->complete()) {
        std::vector<i64> wanted;
        for (i64 choice = kStop; choice < isize(it.places); ++choice) {
          std::vector<i64> longer = path;
          longer.push_back(choice);
          if (prefixes.count(longer) != 0) wanted.push_back(choice);
        }
        const std::vector<i64> choices = walk->choices();
        CAPTURE(instance_json(instance), solution_json(walk->solution()));
        CHECK(choices == wanted);
        path.push_back(choices[usize(draws.below(isize(choices)))]);
        walk->accept(path.back());
      }
    }
  }
}

TEST_CASE("Vehicles whose loads can be shared in one way only are always filled", "[accord]") {
  // Pairs that make 100 each; no other pair does (differences are distinct), and vehicles are as
  // many as pairs.
  Vrp it;
  it.capacity = 100;
  it.vehicles = 8;
  it.places.push_back({0, 0});
  it.demands.push_back(0);
  for (i64 i = 0; i < it.vehicles; ++i)
    for (const i64 demand : {51 + 4 * i, 49 - 4 * i}) {
      it.places.push_back({1 + i, demand});
      it.demands.push_back(demand);
    }
  for (i64 number = 0; number < 20; ++number) {
    Draws draws(14, "pairs", number);
    const Result<Solution> found = random_feasible(it, draws);
    REQUIRE(found);
    CHECK(isize(*found) == it.vehicles);
    const Verdict verdict = check(it, render(it, *found, Format::kAccord));
    CHECK(verdict.reason == "");
  }
  it.vehicles = 7;
  Draws draws(14, "pairs", 0);
  const Result<Solution> none = random_feasible(it, draws);
  REQUIRE_FALSE(none);
  CHECK(none.fault().code == "infeasible");
}

TEST_CASE("Solutions in words", "[accord]") {
  const Tsp round{{{93, 95}, {1, 2}, {57, 116}}};
  CHECK(render(round, {{2, 1}}, Format::kAccord) ==
        "Vehicle Route: (0): (93, 95) -> (2): (57, 116) + 41 -> (1): (1, 2) + 127 -> "
        "(0): (93, 95) + 130\nOverall Total Distance: 298");
  CHECK(render(round, {{2, 1}}, Format::kLists) == "[[0, 2, 1, 0]]");
  const Vrp fleet{{{0, 0}, {3, 4}, {6, 8}}, {0, 4, 4}, 4, 2};
  CHECK(render(fleet, {{1}, {2}}, Format::kAccord) ==
        "Vehicle Route: (0): (0, 0) -> (1): (3, 4) + 5 -> (0): (0, 0) + 5\n"
        "Vehicle Route: (0): (0, 0) -> (2): (6, 8) + 10 -> (0): (0, 0) + 10\n"
        "Overall Total Distance: 30");
  const Binpack bins{{5, 4, 7}, 10};
  CHECK(render(bins, {{0, 1}, {2}}, Format::kAccord) ==
        "Bin 1: (0, 5) -> (1, 4) <= 10\nBin 2: (2, 7) <= 10");
  CHECK(render(bins, {{0, 1}, {2}}, Format::kLists) == "[[0, 1], [2]]");
  const Jssp shop{{{{0, 3}, {1, 2}}, {{1, 4}, {0, 1}}}};
  CHECK(render(shop, {{0, 1, 0, 1}}, Format::kAccord) ==
        "J0-M0: 0+3 -> 3\nJ1-M1: 0+4 -> 4\nJ0-M1: 4+2 -> 6\nJ1-M0: 4+1 -> 5\nMakespan: 6");
  CHECK(render(shop, {{0, 1, 0, 1}}, Format::kLists) == "[[0, 0], [1, 1], [0, 1], [1, 0]]");
  const Fssp flow{{{3, 2}, {1, 4}}};
  CHECK(render(flow, {{1, 0}}, Format::kAccord) ==
        "J1: M1(0+1=1) -> M2(1+4=5)\nJ0: M1(1+3=4) -> M2(5+2=7)\nMakespan: 7");
  CHECK_THROWS_AS(render(flow, {{1, 1}}, Format::kAccord), Error);
  CHECK_THROWS_AS(render(flow, {{1}}, Format::kAccord), Error);
}
