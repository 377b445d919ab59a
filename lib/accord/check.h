#pragma once
// Whether a text solves an instance, found from the instance and the numbers of the text alone: no
// code is shared with what writes solutions. Every stated number is held against its own sum;
// items, customers and operations count as often as they are mentioned; a capacity is what the
// instance says. Not copied: the published checker of ACCORD gives a vehicle one unit of capacity
// for every visit, compares sets of cities (a second visit goes unseen), and reads only such
// knapsack lines as begin with two brackets.

#include <optional>
#include <string>
#include <string_view>

#include "accord/claims.h"

namespace lm::accord {

struct Verdict {
  bool feasible = false;
  i64 objective = 0;   // of a feasible one: value, bins, distance, makespan
  std::string reason;  // why it is not feasible
  Solution solution;   // of a feasible one
  Format format = Format::kAccord;
};

/// Never throws for any text.
Verdict check(const Instance& instance, std::string_view text,
              std::optional<Format> format = std::nullopt);

/// More is better: knapsack alone.
inline bool maximised(Problem problem) {
  return problem == Problem::kKnapsack;
}
/// |v - best| / best; 0 where both are 0, and nothing where only best is.
std::optional<f64> gap(i64 value, i64 best);

}  // namespace lm::accord
