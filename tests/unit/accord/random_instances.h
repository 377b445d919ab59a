#pragma once
// Instances of all problems, and the best solution of small ones by enumeration: no solver is used.

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "accord/generate.h"

namespace lm::accord::test {

inline constexpr std::array kProblems = {Problem::kKnapsack, Problem::kBinpack, Problem::kTsp,
                                         Problem::kVrp,      Problem::kJssp,    Problem::kFssp};

inline Instance random_instance(Problem problem, i64 number, i64 most = 12) {
  Draws draws(7, problem_names()[static_cast<std::size_t>(problem)], number);
  Shape shape;
  shape.least = 2;
  shape.most = most;
  shape.capacity = 30;
  shape.machines = 4;
  return draw_instance(problem, shape, draws);
}

inline i64 way(const Point& a, const Point& b) {
  const i64 square = (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y);
  i64 root = 0;
  while ((root + 1) * (root + 1) <= square)
    ++root;
  return root;
}

inline i64 enumerate(const Knapsack& it) {
  i64 best = 0;
  for (std::size_t set = 0; set < std::size_t{1} << it.items.size(); ++set) {
    i64 value = 0, weight = 0;
    for (std::size_t i = 0; i < it.items.size(); ++i)
      if ((set >> i & 1) != 0) {
        value += it.items[i].value;
        weight += it.items[i].weight;
      }
    if (weight <= it.capacity) best = std::max(best, value);
  }
  return best;
}

// Every way to give items to bins, a new bin only behind the last one.
inline i64 enumerate_bins(const Binpack& it, std::vector<i64>& room, std::size_t item) {
  if (item == it.weights.size()) return isize(room);
  i64 best = std::numeric_limits<i64>::max();
  for (std::size_t b = 0; b < room.size(); ++b) {
    if (room[b] < it.weights[item]) continue;
    room[b] -= it.weights[item];
    best = std::min(best, enumerate_bins(it, room, item + 1));
    room[b] += it.weights[item];
  }
  room.push_back(it.capacity - it.weights[item]);
  best = std::min(best, enumerate_bins(it, room, item + 1));
  room.pop_back();
  return best;
}
inline i64 enumerate(const Binpack& it) {
  std::vector<i64> room;
  return enumerate_bins(it, room, 0);
}

// Every order of the customers, cut into trips in every way.
inline i64 enumerate(const Vrp& it) {
  std::vector<std::size_t> order(it.places.size() - 1);
  std::iota(order.begin(), order.end(), std::size_t{1});
  i64 best = std::numeric_limits<i64>::max();
  do {
    for (std::size_t cuts = 0; cuts < std::size_t{1} << (order.size() - 1); ++cuts) {
      i64 length = way(it.places[0], it.places[order[0]]), load = it.demands[order[0]], trips = 1;
      bool fits = load <= it.capacity;
      for (std::size_t i = 1; i < order.size(); ++i) {
        if ((cuts >> (i - 1) & 1) != 0) {
          length +=
              way(it.places[order[i - 1]], it.places[0]) + way(it.places[0], it.places[order[i]]);
          load = 0;
          ++trips;
        } else {
          length += way(it.places[order[i - 1]], it.places[order[i]]);
        }
        load += it.demands[order[i]];
        fits = fits && load <= it.capacity;
      }
      length += way(it.places[order.back()], it.places[0]);
      if (fits && trips <= it.vehicles) best = std::min(best, length);
    }
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}
inline i64 enumerate(const Tsp& it) {
  return enumerate(Vrp{it.cities, std::vector<i64>(it.cities.size(), 0), 0, 1});
}

// Every order of mentions of the jobs, each operation as early as then possible.
inline i64 enumerate(const Jssp& it) {
  std::vector<std::size_t> mentions;
  for (std::size_t j = 0; j < it.jobs.size(); ++j)
    mentions.insert(mentions.end(), it.jobs[j].size(), j);
  i64 best = std::numeric_limits<i64>::max();
  do {
    std::vector<std::size_t> next(it.jobs.size());
    std::vector<i64> job(it.jobs.size()), machine(100);
    for (const std::size_t j : mentions) {
      const Operation& op = it.jobs[j][next[j]++];
      i64& busy = machine[usize(op.machine)];
      job[j] = busy = std::max(job[j], busy) + op.time;
    }
    best = std::min(best, *std::max_element(job.begin(), job.end()));
  } while (std::next_permutation(mentions.begin(), mentions.end()));
  return best;
}

inline i64 enumerate(const Fssp& it) {
  std::vector<std::size_t> order(it.times.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  i64 best = std::numeric_limits<i64>::max();
  do {
    std::vector<i64> machine(it.times[0].size());
    for (const std::size_t j : order) {
      i64 end = 0;
      for (std::size_t m = 0; m < machine.size(); ++m)
        machine[m] = end = std::max(end, machine[m]) + it.times[j][m];
    }
    best = std::min(best, machine.back());
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

}  // namespace lm::accord::test
