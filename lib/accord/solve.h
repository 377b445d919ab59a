#pragma once
// Good solutions, and proofs where they are cheap.
//   knapsack  dynamic programming over capacities: proved
//   binpack   fewest bins that a search packs, above bound L2
//   tsp       Held and Karp 1962 to 13 cities: proved; else nearest neighbours, 2-opt, Or-opt
//   vrp       to 12 customers over all subsets: proved; else savings (Clarke and Wright 1964) and a
//             packing, improved by relocation, exchange and swapped ends
//   jssp      tabu search (Nowicki and Smutnicki 1996, ends of critical blocks); to 25 operations
//             branch and bound (Giffler and Thompson 1960, Jackson's preemptive bound)
//   fssp      two machines: Johnson 1954, proved; else NEH (Nawaz, Enscore and Ham 1983) and
//   iterated
//             greedy (Ruiz and Stuetzle 2007); to 10 jobs branch and bound
// Solutions are in one fixed order where several are the same: knapsack by falling value per
// weight; bins' items by falling weight, bins likewise, equal weights by id; a round trip's first
// customer below its last, round trips by their first; operations by start.

#include "accord/instance.h"
#include "core/draws.h"

namespace lm::accord {

struct Solved {
  Solution solution;
  i64 objective = 0;
  bool proved = false;  // no solution is better
};

inline constexpr i64 kExactCities = 13;
inline constexpr i64 kExactCustomers = 12;
inline constexpr i64 kExactOperations = 25;
inline constexpr i64 kExactJobs = 10;

/// draws: of iterated greedy and of tabu search's times. Fault "infeasible": vrp alone, as
/// make_automaton has it. Costs at most a few hundred milliseconds for 50 places, 100 operations or
/// 100 jobs on 20 machines.
Result<Solved> solve(const Instance& instance, Draws& draws);

/// Puts a solution into the fixed order above. jssp and fssp: as it is.
Solution ordered(const Instance& instance, Solution solution);

/// What one problem's solver returns: ordered, the objective as its automaton counts it.
Solved solve_knapsack(const Knapsack& it);
Solved solve_binpack(const Binpack& it);
Solved solve_tsp(const Tsp& it);
Result<Solved> solve_vrp(const Vrp& it);
Solved solve_jssp(const Jssp& it, Draws& draws);
Solved solve_fssp(const Fssp& it, Draws& draws);

/// The objective of a feasible solution.
i64 objective_of(const Instance& instance, const Solution& solution);

}  // namespace lm::accord
