#pragma once
// Six NP-hard problems as plain values, their JSON, and what makes two instances the same one.
// Whole numbers throughout. Values are bounded so that no sum of an instance overflows.

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.h"
#include "core/types.h"
#include "text/value.h"

namespace lm::accord {

enum class Problem : u8 { kKnapsack, kBinpack, kTsp, kVrp, kJssp, kFssp };
const std::vector<std::string>& problem_names();
std::optional<Problem> problem_of(std::string_view name);

struct Item {
  i64 value = 0;
  i64 weight = 0;
  bool operator==(const Item&) const = default;
  auto operator<=>(const Item&) const = default;  // NOLINT: no pointer, clang-tidy 14
};
struct Point {
  i64 x = 0;
  i64 y = 0;
  bool operator==(const Point&) const = default;
  auto operator<=>(const Point&) const = default;  // NOLINT
};
struct Operation {
  i64 machine = 0;
  i64 time = 0;
  bool operator==(const Operation&) const = default;
  auto operator<=>(const Operation&) const = default;  // NOLINT
};

/// Items of most value within a weight.
struct Knapsack {
  std::vector<Item> items;
  i64 capacity = 0;
};
/// All items in fewest bins. An item's id is its place.
struct Binpack {
  std::vector<i64> weights;
  i64 capacity = 0;
};
/// A shortest round trip through all cities from city 0.
struct Tsp {
  std::vector<Point> cities;
};
/// Shortest round trips of at most `vehicles` vehicles from place 0, each other place on one of
/// them, no load above the capacity. demands[0] is 0.
struct Vrp {
  std::vector<Point> places;
  std::vector<i64> demands;
  i64 capacity = 0;
  i64 vehicles = 0;
};
/// Operations of a job one after the other, one at a time on a machine; the last ends early.
struct Jssp {
  std::vector<std::vector<Operation>> jobs;
};
/// The same where all jobs pass machines 1, 2, ... and all machines take them in one order.
/// times[job][machine].
struct Fssp {
  std::vector<std::vector<i64>> times;
};

/// In the order of Problem.
using Instance = std::variant<Knapsack, Binpack, Tsp, Vrp, Jssp, Fssp>;
inline Problem problem_of(const Instance& instance) {
  return static_cast<Problem>(instance.index());
}

/// Lists of places: knapsack one of items; binpack one a bin, of items; tsp and vrp one a round
/// trip, of the places between leaving place 0 and coming back; jssp one of jobs, whose n-th
/// mention is the job's n-th operation; fssp one of jobs.
using Solution = std::vector<std::vector<i64>>;

/// Bounds of numbers, and of how many an instance has.
inline constexpr i64 kMostNumber = 1000000;
inline constexpr i64 kMostParts = 10000;

/// Of two places: the straight way, cut to a whole number.
i64 distance(const Point& a, const Point& b);

/// Jobs, and machines that an operation names: the largest and one.
i64 machine_count(const Jssp& instance);

/// {"problem":"knapsack","items":[[value,weight],...],"capacity":C}; "weights";
/// "cities":[[x,y],..]; "places", "demands", "vehicles"; "jobs":[[[machine,time],...],...];
/// "times":[[...],...].
std::string instance_json(const Instance& instance);
/// Reads the same. Fault "type" or "range" with what is wrong, "json" or "utf8" for no JSON at all.
/// Other fields are left alone. A vehicle routing instance whose demands do not fit is read.
Result<Instance> read_instance(std::string_view json);
Result<Instance> instance_of(const text::Value& root);

/// Equal for instances that differ in the order of items, bins' ids, cities, customers or jobs.
std::string canonical(const Instance& instance);

/// "[[0,2],[1]]".
std::string solution_json(const Solution& solution);

}  // namespace lm::accord
