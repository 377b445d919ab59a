#pragma once
// What a text claims: every number of a solution in either form, as it stands there and whether
// right or not. Blanks are free between words; nothing else is, and no line is passed over.

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "accord/automaton.h"

namespace lm::accord {

/// Numbers of one step, in the order of the text:
///   knapsack  value weight | total, value, new total | total, weight, new total, capacity
///   binpack   id weight
///   tsp, vrp  place x y | distance from the place before (not of a line's first)
///   jssp      job machine | start time end
///   fssp      machine | start time end
/// Of lists only what stands before the first bar, and of binpack, tsp, vrp and fssp only the
/// place, id or job.
using Step = std::array<i64, 9>;

struct Line {
  i64 label = -1;  // accord: the bin's number, the job
  i64 bound = -1;  // accord: the bin's capacity
  std::vector<Step> steps;
};

/// knapsack and jssp: one line; binpack one a bin, tsp and vrp one a round trip, fssp one a job
/// (lists: all jobs in one).
struct Claims {
  Format format = Format::kAccord;
  std::vector<Line> lines;
  /// accord: value, weight, capacity; distance; makespan; binpack none.
  std::vector<i64> totals;
};

/// format: nothing for the form that the text has: a list of JSON, perhaps behind "Solution:", or
/// else accord. Fault "form" with what was expected and the byte where it is not.
Result<Claims> parse_claims(Problem problem, std::string_view text,
                            std::optional<Format> format = std::nullopt);

}  // namespace lm::accord
