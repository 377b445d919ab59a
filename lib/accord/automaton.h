#pragma once
// Solutions written choice by choice, so that every prefix can be completed: an automaton offers
// the choices that keep a completion possible and has the bytes of each, arithmetic included.
// Whatever is accepted ends in a feasible solution; there are no dead ends. Its walk is the one
// writer of both forms of a solution.
//
//   accord  with running totals:  [[9, 2] -> value:0+9=9, weight:0+2=2<=20],
//   lists   the same without:     [[9, 2], [20, 17]]
// Source: ACCORD (formats; that work samples and filters). The automaton is ours.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "accord/instance.h"
#include "core/draws.h"

namespace lm::accord {

enum class Format : u8 { kAccord, kLists };

/// The choice to end what is open: the knapsack's solution, a bin, a vehicle's round trip.
inline constexpr i64 kStop = -1;

class Automaton {
 public:
  virtual ~Automaton() = default;
  /// What stands before the first choice.
  virtual std::string opening() const = 0;
  /// Legal choices, ascending, no two of the same text: a place in the instance, or kStop. Empty
  /// exactly when complete. vrp: searches where no assignment is known to allow a choice, at most
  /// kPackNodes placements for each demand that occurs.
  virtual std::vector<i64> choices() const = 0;
  /// The bytes from here to the next decision, or to the end. choice: one of choices().
  virtual std::string text(i64 choice) const = 0;
  /// choice: one of choices(), else the invariants do not hold.
  virtual void accept(i64 choice) = 0;
  virtual bool complete() const = 0;
  virtual std::unique_ptr<Automaton> clone() const = 0;

  const Solution& solution() const { return solution_; }
  /// Of what was accepted: value, bins, distance, makespan.
  i64 objective() const { return objective_; }

 protected:
  Solution solution_;
  i64 objective_ = 0;
};

/// The start of an instance, which is copied. Fault "infeasible": vrp, no assignment of customers
/// to vehicles was found.
Result<std::unique_ptr<Automaton>> make_automaton(const Instance& instance, Format format);

/// A solution in words. Throws Error{kInternal} if it is none.
std::string render(const Instance& instance, const Solution& solution, Format format);

/// A walk along uniform choices. Fault as make_automaton has it.
Result<Solution> random_feasible(const Instance& instance, Draws& draws);

}  // namespace lm::accord
