#pragma once
// Random instances, and the prompts that ask for their solutions.

#include <string>

#include "accord/instance.h"
#include "core/draws.h"

namespace lm::accord {

/// What instances are drawn of; each problem uses its own, and size is the number of items, cities,
/// customers or jobs.
struct Shape {
  i64 least = 5;
  i64 most = 20;
  i64 number = 20;      // largest weight, value, demand or duration
  i64 grid = 120;       // coordinates are 0 .. grid - 1
  f64 tightness = 0.5;  // knapsack: capacity as a share of all weights, drawn within 0.2 of it
  i64 capacity = 50;    // binpack, vrp
  i64 machines = 5;     // jssp, fssp: at most, and at least 2
  i64 spare = 1;        // vrp: at most so many more vehicles than a packing needs
};

/// Sizes are uniform. knapsack: values and weights 1 .. number; binpack: weights 1 .. number, at
/// most the capacity; places are distinct; vrp: demands likewise, vehicles enough; shops: durations
/// 1 .. number, a job of jssp on every machine once in any order.
Instance draw_instance(Problem problem, const Shape& shape, Draws& draws);

/// Instruction, input and the beginning of the response, the same for both formats. Distances of
/// all pairs of places are listed.
std::string prompt_of(const Instance& instance);

}  // namespace lm::accord
