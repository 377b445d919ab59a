#include "accord/generate.h"

#include <algorithm>

#include "accord/packing.h"
#include "core/str.h"

namespace lm::accord {

namespace {

std::vector<Point> draw_places(i64 count, i64 grid, Draws& draws) {
  std::vector<Point> out;
  while (isize(out) < count) {
    const Point at{draws.below(grid), draws.below(grid)};
    if (std::find(out.begin(), out.end(), at) == out.end()) out.push_back(at);
  }
  return out;
}

std::vector<i64> draw_numbers(i64 count, i64 most, Draws& draws) {
  std::vector<i64> out(usize(count));
  for (i64& number : out)
    number = draws.within(1, most);
  return out;
}

Instance draw_knapsack(i64 size, const Shape& shape, Draws& draws) {
  Knapsack out;
  i64 all = 0;
  for (i64 i = 0; i < size; ++i) {
    out.items.push_back({draws.within(1, shape.number), draws.within(1, shape.number)});
    all += out.items.back().weight;
  }
  const f64 share = std::clamp(shape.tightness + 0.4 * (draws.uniform() - 0.5), 0.0, 1.0);
  out.capacity = std::max<i64>(1, static_cast<i64>(share * static_cast<f64>(all)));
  return out;
}

Instance draw_vrp(i64 size, const Shape& shape, Draws& draws) {
  Vrp out;
  out.places = draw_places(size + 1, shape.grid, draws);
  out.capacity = shape.capacity;
  out.demands = draw_numbers(size, std::min(shape.number, shape.capacity), draws);
  bool proved = false;
  for (out.vehicles = bins_needed(out.demands, out.capacity);
       !pack(out.demands, std::vector<i64>(usize(out.vehicles), out.capacity), proved);)
    ++out.vehicles;
  out.vehicles += draws.within(0, shape.spare);
  out.demands.insert(out.demands.begin(), 0);
  return out;
}

Instance draw_jssp(i64 size, const Shape& shape, Draws& draws) {
  Jssp out;
  const i64 machines = draws.within(2, shape.machines);
  for (i64 j = 0; j < size; ++j) {
    std::vector<Operation>& job = out.jobs.emplace_back();
    for (const i64 machine : draws.permutation(machines))
      job.push_back({machine, draws.within(1, shape.number)});
  }
  return out;
}

Instance draw_fssp(i64 size, const Shape& shape, Draws& draws) {
  Fssp out;
  const i64 machines = draws.within(2, shape.machines);
  for (i64 j = 0; j < size; ++j)
    out.times.push_back(draw_numbers(machines, shape.number, draws));
  return out;
}

struct Words {
  std::string instruction;
  std::string input;
};

std::string way_list(const std::vector<Point>& places) {
  std::string out = "Distances: ";
  for (std::size_t a = 0; a < places.size(); ++a)
    for (std::size_t b = a + 1; b < places.size(); ++b)
      append(out, a + b > 1 ? " " : "", "(", a, "):(", b, ")=", distance(places[a], places[b]));
  return out;
}

Words words_of(const Knapsack& it) {
  Words out{
      "Choose items of the largest total value. Their total weight may not exceed the "
      "capacity.",
      "Items [value, weight]: ["};
  for (std::size_t i = 0; i < it.items.size(); ++i)
    append(out.input, i > 0 ? ", " : "", "[", it.items[i].value, ", ", it.items[i].weight, "]");
  append(out.input, "]\nCapacity: ", it.capacity);
  return out;
}

Words words_of(const Binpack& it) {
  Words out{
      "Put every item into a bin. No bin may hold more than the capacity; use as few bins as "
      "possible.",
      "Items (id, weight): "};
  for (std::size_t i = 0; i < it.weights.size(); ++i)
    append(out.input, i > 0 ? ", " : "", "(", i, ", ", it.weights[i], ")");
  append(out.input, "\nCapacity: ", it.capacity);
  return out;
}

Words words_of(const Tsp& it) {
  Words out{
      "Find the shortest round trip that begins at city (0), visits every other city once and "
      "returns.",
      "Cities: "};
  for (std::size_t i = 0; i < it.cities.size(); ++i)
    append(out.input, i > 0 ? ", " : "", "(", i, "): (", it.cities[i].x, ", ", it.cities[i].y, ")");
  append(out.input, "\n", way_list(it.cities));
  return out;
}

Words words_of(const Vrp& it) {
  Words out{
      "Plan round trips from place (0) on which every customer is visited once. No vehicle may "
      "carry more than its capacity; the total distance is to be as short as possible.",
      "Places (id): (x, y) demand: "};
  for (std::size_t i = 0; i < it.places.size(); ++i)
    append(out.input, i > 0 ? ", " : "", "(", i, "): (", it.places[i].x, ", ", it.places[i].y, ") ",
           it.demands[i]);
  append(out.input, "\nVehicles: ", it.vehicles, "\nCapacity: ", it.capacity, "\n",
         way_list(it.places));
  return out;
}

Words words_of(const Jssp& it) {
  Words out{
      "Schedule the operations of all jobs. Those of a job follow one another, a machine does "
      "one at a time; the last is to end as early as possible.",
      "Jobs machine:duration"};
  for (std::size_t j = 0; j < it.jobs.size(); ++j) {
    append(out.input, "\nJ", j, ":");
    for (const Operation& op : it.jobs[j])
      append(out.input, " M", op.machine, ":", op.time);
  }
  return out;
}

Words words_of(const Fssp& it) {
  Words out{
      "Find the order in which all jobs pass the machines, which is the same on each machine; "
      "the last job is to end as early as possible.",
      "Jobs machine:duration"};
  for (std::size_t j = 0; j < it.times.size(); ++j) {
    append(out.input, "\nJ", j, ":");
    for (std::size_t m = 0; m < it.times[j].size(); ++m)
      append(out.input, " M", m + 1, ":", it.times[j][m]);
  }
  return out;
}

}  // namespace

Instance draw_instance(Problem problem, const Shape& shape, Draws& draws) {
  const i64 size = draws.within(shape.least, shape.most);
  switch (problem) {
    case Problem::kKnapsack:
      return draw_knapsack(size, shape, draws);
    case Problem::kBinpack:
      return Binpack{draw_numbers(size, std::min(shape.number, shape.capacity), draws),
                     shape.capacity};
    case Problem::kTsp:
      return Tsp{draw_places(size, shape.grid, draws)};
    case Problem::kVrp:
      return draw_vrp(size, shape, draws);
    case Problem::kJssp:
      return draw_jssp(size, shape, draws);
    case Problem::kFssp:
      return draw_fssp(size, shape, draws);
  }
  LM_CHECK(false, "a problem is one of six");
}

std::string prompt_of(const Instance& instance) {
  const Words words = std::visit([](const auto& it) { return words_of(it); }, instance);
  return cat("### Instruction:\n", words.instruction, "\n\n### Input:\n", words.input,
             "\n\n### Response:\n");
}

}  // namespace lm::accord
