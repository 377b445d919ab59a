#include "accord/check.h"

#include "accord/solve.h"
#include "catch.h"
#include "core/str.h"
#include "random_instances.h"

using namespace lm;
using namespace lm::accord;
using lm::accord::test::kProblems;
using lm::accord::test::random_instance;

namespace {

struct Number {
  std::size_t begin, end;
};
std::vector<Number> numbers_in(const std::string& text) {
  std::vector<Number> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') continue;
    const std::size_t begin = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9')
      ++i;
    out.push_back({begin, i});
  }
  return out;
}

Solution best_of(const Instance& instance, i64 number) {
  Draws draws(3, "solver", number);
  return (*solve(instance, draws)).solution;
}

std::string reason(const Instance& instance, std::string_view text) {
  const Verdict verdict = check(instance, text);
  CHECK(verdict.feasible == verdict.reason.empty());
  return verdict.reason;
}

}  // namespace

TEST_CASE("Reading what was written and writing it again is the identity", "[accord]") {
  for (const Problem problem : kProblems)
    for (i64 number = 0; number < 60; ++number) {
      const Instance instance = random_instance(problem, number);
      const Solution solution = best_of(instance, number);
      for (const Format format : {Format::kAccord, Format::kLists}) {
        const std::string text = render(instance, solution, format);
        const Verdict verdict = check(instance, text);
        CAPTURE(text, verdict.reason);
        REQUIRE(verdict.feasible);
        CHECK(render(instance, verdict.solution, format) == text);
      }
      const Result<Instance> again = read_instance(instance_json(instance));
      REQUIRE(again);
      CHECK(instance_json(*again) == instance_json(instance));
    }
}

TEST_CASE("Every number that is another is refused", "[accord]") {
  for (const Problem problem : kProblems) {
    i64 tried = 0;
    for (i64 number = 0; number < 15; ++number) {
      const Instance instance = random_instance(problem, number);
      const std::string text = render(instance, best_of(instance, number), Format::kAccord);
      for (const Number& at : numbers_in(text)) {
        const i64 value = *parse_int(text.substr(at.begin, at.end - at.begin));
        for (const i64 other : {value + 1, value - 1, value + 10, i64{0}, i64{7}, value * 10}) {
          if (other == value) continue;
          const std::string changed = cat(text.substr(0, at.begin), other, text.substr(at.end));
          CAPTURE(instance_json(instance), text, changed);
          CHECK_FALSE(check(instance, changed, Format::kAccord).feasible);
          ++tried;
        }
      }
    }
    CHECK(tried > 1000);
  }
}

TEST_CASE("Every piece of a text that is missing or twice is refused", "[accord]") {
  for (const Problem problem : kProblems)
    for (i64 number = 0; number < 10; ++number) {
      const Instance instance = random_instance(problem, number);
      const std::string text = render(instance, best_of(instance, number), Format::kAccord);
      for (const std::string_view separator : {"\n", " -> "}) {
        std::vector<std::string> parts;
        std::string_view rest = text;
        for (std::size_t at = rest.find(separator); at != std::string_view::npos;
             at = rest.find(separator)) {
          parts.emplace_back(rest.substr(0, at));
          rest.remove_prefix(at + separator.size());
        }
        parts.emplace_back(rest);
        if (parts.size() < 2) continue;
        for (std::size_t i = 0; i < parts.size(); ++i) {
          std::vector<std::string> without = parts, twice = parts;
          without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
          twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), parts[i]);
          // Fewer items of a knapsack whose totals still fit would be no fault: they never do here.
          CAPTURE(text, i);
          CHECK_FALSE(check(instance, join(without, separator), Format::kAccord).feasible);
          CHECK_FALSE(check(instance, join(twice, separator), Format::kAccord).feasible);
        }
      }
    }
}

TEST_CASE("Knapsack: what is wrong is said", "[accord]") {
  const Knapsack sack{{{9, 2}, {20, 17}, {9, 2}, {5, 10}}, 20};
  const std::string good =
      "Solution:\n[[9, 2] -> value:0+9=9, weight:0+2=2<=20],\n"
      "[[20, 17] -> value:9+20=29, weight:2+17=19<=20],\nTotal Value: 29\nTotal Weight: 19<=20";
  CHECK(render(sack, {{0, 1}}, Format::kAccord) == good);
  CHECK(reason(sack, good) == "");
  CHECK(check(sack, good).objective == 29);
  // One brace or two: a line is never passed over.
  CHECK(reason(sack,
               "Solution:\n[9, 2] -> value:0+9=9, weight:0+2=2<=20,\n"
               "[20, 17] -> value:9+20=29, weight:2+17=19<=20\nTotal Value: 29\n"
               "Total Weight: 19<=20") == "");
  CHECK(reason(sack, "[[9, 2], [20, 17]]") == "");
  CHECK(reason(sack, "Solution: [[9,2],[9,2]]") == "");  // two items are alike
  CHECK(reason(sack, "[]") == "");
  CHECK(reason(sack, "[[9, 2], [9, 2], [9, 2]]") == "item [9, 2] is not one of those left");
  CHECK(reason(sack, "[[20, 17], [9, 2], [9, 2]]") == "weight 21 is above the capacity 20");
  CHECK(reason(sack,
               "Solution:\n[[20, 17] -> value:0+20=20, weight:0+17=17<=27],\n"
               "Total Value: 20\nTotal Weight: 17<=27") ==
        "the capacity is given as 27, and is 20");
  CHECK(reason(sack, good + " and more") == "\"and more\" where the end is expected (byte 139)");
  CHECK(reason(sack, "") == "ends where \"Solution:\" is expected (byte 0)");
  CHECK(reason(sack, "[[9, 2.5]]") == "expected a list of pairs of value and weight");
}

TEST_CASE("Vehicles: capacity is what it is, and a second visit is seen", "[accord]") {
  const Vrp it{{{0, 0}, {3, 4}, {6, 8}, {0, 5}}, {0, 4, 4, 3}, 8, 2};
  CHECK(reason(it, "[[0, 1, 2, 0], [0, 3, 0]]") == "");
  CHECK(check(it, "[[0, 1, 2, 0], [0, 3, 0]]").objective == 30);
  // Three units above for three visits: what one more unit for each visit would allow.
  CHECK(reason(it, "[[0, 1, 2, 3, 0]]") == "round trip 1 carries 11, above the capacity 8");
  CHECK(reason(it, "[[0, 1, 2, 1, 0], [0, 3, 0]]") == "place 1 is there twice");
  CHECK(reason(it, "[[0, 1, 2, 0], [0, 3, 1, 0]]") == "place 1 is there twice");
  CHECK(reason(it, "[[0, 1, 0], [0, 2, 0], [0, 3, 0]]") == "3 round trips for 2 vehicles");
  CHECK(reason(it, "[[0, 1, 2, 0]]") == "place 3 is missing");
  CHECK(reason(it, "[[1, 2, 0], [0, 3, 0]]") == "a round trip does not begin and end at place 0");
  CHECK(reason(it, "[[0, 1, 0, 2, 0], [0, 3, 0]]") == "place 0 is inside of a round trip");
  CHECK(reason(it, "[[0, 1, 2, 0], [0, 4, 0]]") == "place 4 does not exist");
}

TEST_CASE("Bins and shops: what is wrong is said", "[accord]") {
  const Binpack bins{{5, 4, 7}, 10};
  CHECK(reason(bins, "Bin 1: (0, 5) -> (1, 4) <= 10\nBin 2: (2, 7) <= 10") == "");
  CHECK(reason(bins, "Bin 1: (0, 5) -> (2, 7) <= 10\nBin 2: (1, 4) <= 10") ==
        "bin 1 holds 12, above the capacity 10");
  CHECK(reason(bins, "Bin 1: (0, 5) -> (1, 5) <= 10\nBin 2: (2, 7) <= 10") ==
        "an item's weight is given as 5, and is 4");
  CHECK(reason(bins, "[[0, 1], [2], []]") == "bin 3 is empty");
  CHECK(reason(bins, "[[0, 1]]") == "item 2 is missing");

  const Jssp shop{{{{0, 3}, {1, 2}}, {{1, 4}, {0, 1}}}};
  CHECK(reason(shop,
               "J0-M0: 0+3 -> 3\nJ1-M1: 0+4 -> 4\nJ0-M1: 4+2 -> 6\nJ1-M0: 4+1 -> 5\n"
               "Makespan: 6") == "");
  // A pause is allowed; beginning before the machine is free is not.
  CHECK(check(shop,
              "J0-M0: 0+3 -> 3\nJ1-M1: 0+4 -> 4\nJ0-M1: 5+2 -> 7\nJ1-M0: 4+1 -> 5\n"
              "Makespan: 7")
            .objective == 7);
  CHECK(reason(shop,
               "J0-M0: 0+3 -> 3\nJ1-M1: 0+4 -> 4\nJ0-M1: 3+2 -> 5\nJ1-M0: 4+1 -> 5\n"
               "Makespan: 5") == "machine 1 has two operations at 3");
  CHECK(reason(shop,
               "J0-M0: 0+3 -> 3\nJ0-M1: 2+2 -> 4\nJ1-M1: 4+4 -> 8\nJ1-M0: 8+1 -> 9\n"
               "Makespan: 9") ==
        "operation 2 of job 0 begins at 2, before the one before it ends at 3");
  CHECK(reason(shop, "[[0, 1], [0, 0], [1, 1], [1, 0]]") ==
        "operation 1 of job 0 is on machine 0, not 1");
  CHECK(reason(shop, "[[0, 0], [0, 1], [1, 1]]") == "operation 2 of job 1 is missing");
  CHECK(check(shop, "[[0, 0], [1, 1], [0, 1], [1, 0]]").objective == 6);

  const Fssp flow{{{3, 2}, {1, 4}}};
  CHECK(reason(flow, "J1: M1(0+1=1) -> M2(1+4=5)\nJ0: M1(1+3=4) -> M2(5+2=7)\nMakespan: 7") == "");
  CHECK(reason(flow, "J1: M1(0+1=1) -> M2(1+4=5)\nJ0: M1(1+3=4) -> M2(4+2=6)\nMakespan: 6") ==
        "job 0 begins on machine 2 at 4, before 5");
  CHECK(reason(flow, "[1, 1]") == "job 1 is there twice");
  CHECK(check(flow, "[0, 1]").objective == 9);
}

TEST_CASE("No text is too odd to be judged", "[accord]") {
  for (const Problem problem : kProblems) {
    const Instance instance = random_instance(problem, 1);
    const std::string text = render(instance, best_of(instance, 1), Format::kAccord);
    Draws draws(1, "odd", static_cast<i64>(problem));
    for (i64 i = 0; i < 2000; ++i) {
      std::string odd = text;
      for (i64 k = draws.within(1, 4); k > 0; --k) {
        const std::size_t at = usize(draws.below(isize(odd)));
        if (draws.below(3) == 0)
          odd.erase(at, usize(draws.within(1, 9)));
        else
          odd[at] = "0123456789[](),->:+=<JMB \n\xff\0"[draws.below(27)];
        if (odd.empty()) odd = "x";
      }
      (void)check(instance, odd);
    }
    CHECK_FALSE(check(instance, "99999999999999999999").feasible);
    CHECK_FALSE(check(instance, "[[999999999999999, 9223372036854775807]]").feasible);
    CHECK_FALSE(check(instance, "J0-M0: 9223372036854775807+1 -> 5\nMakespan: 5").feasible);
    CHECK_FALSE(check(instance, std::string(100000, '[')).feasible);
  }
}

TEST_CASE("Long solutions are judged in one go", "[accord]") {
  // 10000 operations on one machine, and as many items of one kind: quadratic work would show.
  Jssp shop;
  std::string text;
  for (i64 j = 0; j < 10000; ++j) {
    shop.jobs.push_back({{0, 1}});
    append(text, "J", j, "-M0: ", 9999 - j, "+1 -> ", 10000 - j, "\n");
  }
  CHECK(check(shop, text + "Makespan: 10000").objective == 10000);
  shop.jobs[5000][0].time = 0;  // stated as 1
  CHECK_FALSE(check(shop, text + "Makespan: 10000").feasible);
  Knapsack sack{std::vector<Item>(10000, {1, 1}), 10000};
  std::string list = "[";
  for (i64 i = 0; i < 10000; ++i)
    append(list, i > 0 ? "," : "", "[1,1]");
  CHECK(check(sack, list + "]").objective == 10000);
  CHECK_FALSE(check(sack, list + ",[1,1]]").feasible);
}

TEST_CASE("Instances that mean nothing are refused with the place", "[accord]") {
  const auto why = [](std::string_view json) {
    const Result<Instance> read = read_instance(json);
    return read ? std::string() : cat(read.fault().code, ": ", read.fault().detail);
  };
  CHECK(why(R"({"problem":"tsp","cities":[[0,0],[1,1]],"else":1})") == "");
  CHECK(why(R"({"cities":[]})") == "missing: field \"instance.problem\" is missing");
  CHECK(why(R"([1])") == "type: field \"instance\" is not an object");
  CHECK(
      why(R"({"problem":"sat"})") ==
      "type: instance.problem is \"sat\", expected one of knapsack, binpack, tsp, vrp, jssp, fssp");
  CHECK(why(R"({"problem":"tsp","cities":[[0,0]]})") ==
        "range: instance.cities has 1 parts, expected 2 to 10000");
  CHECK(why(R"({"problem":"tsp","cities":[[0,0],[1]]})") ==
        "type: instance.cities has a part that is not a pair of numbers");
  CHECK(why(R"({"problem":"tsp","cities":[[0,0],[1,1.5]]})") ==
        "type: instance.cities has a value that is no whole number");
  CHECK(why(R"({"problem":"knapsack","items":[[1,-1]],"capacity":3})") ==
        "range: instance.items has -1, expected 0 to 1000000");
  CHECK(why(R"({"problem":"knapsack","items":[[1,1]]})") ==
        "missing: field \"instance.capacity\" is missing");
  CHECK(why(R"({"problem":"binpack","weights":[9],"capacity":3})") ==
        "range: instance.weights has 9, which no bin of capacity 3 takes");
  CHECK(
      why(R"({"problem":"vrp","places":[[0,0],[1,1]],"demands":[0],"capacity":3,"vehicles":1})") ==
      "range: instance.demands has 1 parts, expected 2 to 10000");
  CHECK(
      why(R"({"problem":"vrp","places":[[0,0],[1,1]],"demands":[1,1],"capacity":3,"vehicles":1})") ==
      "range: instance.demands has no 0 for place 0, from which all leave");
  CHECK(why(R"({"problem":"jssp","jobs":[[[10000,1]]]})") ==
        "range: instance.jobs has machine 10000, expected 0 to 9999");
  CHECK(why(R"({"problem":"fssp","times":[[1,2],[3]]})") ==
        "range: instance.times has jobs of 2 and of 1 machines");
}

TEST_CASE("Instances are the same in another order, and only then", "[accord]") {
  CHECK(canonical(Tsp{{{1, 1}, {2, 2}, {0, 3}}}) == canonical(Tsp{{{0, 3}, {1, 1}, {2, 2}}}));
  CHECK(canonical(Vrp{{{5, 5}, {2, 2}, {0, 3}}, {0, 1, 2}, 3, 1}) ==
        canonical(Vrp{{{5, 5}, {0, 3}, {2, 2}}, {0, 2, 1}, 3, 1}));
  CHECK(canonical(Vrp{{{5, 5}, {2, 2}, {0, 3}}, {0, 1, 2}, 3, 1}) !=
        canonical(Vrp{{{2, 2}, {5, 5}, {0, 3}}, {0, 1, 2}, 3, 1}));
  CHECK(canonical(Binpack{{3, 1, 2}, 5}) == canonical(Binpack{{1, 2, 3}, 5}));
  CHECK(canonical(Binpack{{3, 1, 2}, 5}) != canonical(Binpack{{1, 2, 3}, 6}));
  CHECK(canonical(Fssp{{{1, 2}, {0, 3}}}) == canonical(Fssp{{{0, 3}, {1, 2}}}));
  CHECK(canonical(Fssp{{{1, 2}, {0, 3}}}) != canonical(Fssp{{{2, 1}, {0, 3}}}));
}

TEST_CASE("Gaps are shares of the best", "[accord]") {
  CHECK(gap(12, 10) == 0.2);
  CHECK(gap(8, 10) == 0.2);
  CHECK(gap(0, 0) == 0.0);
  CHECK(gap(1, 0) == std::nullopt);
  CHECK(distance({93, 95}, {57, 116}) == 41);  // 41.68, cut
  CHECK(distance({0, 0}, {-1000000, 1000000}) == 1414213);
}
