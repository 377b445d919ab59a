#include "accord/automaton.h"

#include <algorithm>

#include "accord/packing.h"
#include "core/str.h"

namespace lm::accord {

namespace {

class KnapsackAutomaton final : public Automaton {
 public:
  KnapsackAutomaton(const Knapsack& it, Format format)
      : it_(it), accord_(format == Format::kAccord), taken_(it.items.size()) {
    solution_.emplace_back();
  }
  std::string opening() const override { return accord_ ? "Solution:\n" : "["; }

  std::vector<i64> choices() const override {
    std::vector<i64> out;
    if (stopped_) return out;
    out.push_back(kStop);
    std::vector<Item> offered;  // equal items have equal texts
    for (i64 i = 0; i < isize(it_.items); ++i) {
      const Item& item = it_.items[usize(i)];
      if (taken_[usize(i)] != 0 || weight_ + item.weight > it_.capacity) continue;
      if (std::find(offered.begin(), offered.end(), item) != offered.end()) continue;
      offered.push_back(item);
      out.push_back(i);
    }
    return out;
  }

  std::string text(i64 choice) const override {
    if (choice == kStop)
      return accord_
                 ? cat("Total Value: ", objective_, "\nTotal Weight: ", weight_, "<=", it_.capacity)
                 : "]";
    const Item& item = it_.items[usize(choice)];
    if (!accord_)
      return cat(solution_[0].empty() ? "" : ", ", "[", item.value, ", ", item.weight, "]");
    return cat("[[", item.value, ", ", item.weight, "] -> value:", objective_, "+", item.value, "=",
               objective_ + item.value, ", weight:", weight_, "+", item.weight, "=",
               weight_ + item.weight, "<=", it_.capacity, "],\n");
  }

  void accept(i64 choice) override {
    LM_CHECK(!stopped_, "nothing follows a complete solution");
    if (choice == kStop) {
      stopped_ = true;
      return;
    }
    const Item& item = it_.items[usize(choice)];
    LM_CHECK(taken_[usize(choice)] == 0 && weight_ + item.weight <= it_.capacity,
             "an item that fits");
    taken_[usize(choice)] = 1;
    weight_ += item.weight;
    objective_ += item.value;
    solution_[0].push_back(choice);
  }
  bool complete() const override { return stopped_; }
  std::unique_ptr<Automaton> clone() const override {
    return std::make_unique<KnapsackAutomaton>(*this);
  }

 private:
  Knapsack it_;
  bool accord_;
  std::vector<u8> taken_;
  i64 weight_ = 0;
  bool stopped_ = false;
};

class BinpackAutomaton final : public Automaton {
 public:
  BinpackAutomaton(const Binpack& it, Format format)
      : it_(it),
        accord_(format == Format::kAccord),
        packed_(it.weights.size()),
        left_(isize(it.weights)),
        room_(it.capacity) {
    solution_.emplace_back();
    objective_ = 1;
  }
  std::string opening() const override { return accord_ ? "Bin 1: " : "[["; }

  std::vector<i64> choices() const override {
    std::vector<i64> out;
    if (left_ == 0) return out;
    if (!solution_.back().empty()) out.push_back(kStop);
    for (i64 i = 0; i < isize(it_.weights); ++i)
      if (packed_[usize(i)] == 0 && it_.weights[usize(i)] <= room_) out.push_back(i);
    return out;
  }

  std::string text(i64 choice) const override {
    if (choice == kStop)
      return accord_ ? cat(" <= ", it_.capacity, "\nBin ", objective_ + 1, ": ") : "], [";
    const bool first = solution_.back().empty();
    if (!accord_) return cat(first ? "" : ", ", choice, left_ == 1 ? "]]" : "");
    return cat(first ? "" : " -> ", "(", choice, ", ", it_.weights[usize(choice)], ")",
               left_ == 1 ? cat(" <= ", it_.capacity) : "");
  }

  void accept(i64 choice) override {
    LM_CHECK(left_ > 0, "nothing follows a complete solution");
    if (choice == kStop) {
      LM_CHECK(!solution_.back().empty(), "no bin stays empty");
      solution_.emplace_back();
      room_ = it_.capacity;
      ++objective_;
      return;
    }
    LM_CHECK(packed_[usize(choice)] == 0 && it_.weights[usize(choice)] <= room_,
             "an item that fits");
    packed_[usize(choice)] = 1;
    room_ -= it_.weights[usize(choice)];
    --left_;
    solution_.back().push_back(choice);
  }
  bool complete() const override { return left_ == 0; }
  std::unique_ptr<Automaton> clone() const override {
    return std::make_unique<BinpackAutomaton>(*this);
  }

 private:
  Binpack it_;
  bool accord_;
  std::vector<u8> packed_;
  i64 left_;
  i64 room_;
};

/// Round trips from place 0 over places that are visited once: one of them, or, with loads, as many
/// as there are vehicles. A packing of the customers that are left, into what the vehicle on its
/// way has room for and into those that stand, is always known: what agrees with it is legal
/// without a search, so that no state is without a choice.
class RouteAutomaton final : public Automaton {
 public:
  RouteAutomaton(const Vrp& it, Format format)
      : it_(it),
        accord_(format == Format::kAccord),
        visited_(it.places.size()),
        customers_(isize(it.places) - 1),
        waiting_(it.vehicles - 1),
        room_(it.capacity) {
    visited_[0] = 1;
    solution_.emplace_back();
  }
  bool begin() {
    plan_ = find(rooms(room_, waiting_), visited_);
    return plan_.has_value();
  }
  std::string opening() const override {
    return accord_ ? cat("Vehicle Route: ", place(0)) : "[[0";
  }

  std::vector<i64> choices() const override {
    std::vector<i64> out;
    if (customers_ == 0) return out;
    if (may_stop()) out.push_back(kStop);
    std::vector<std::pair<i64, bool>> known;  // by demand: customers of one demand are alike
    for (i64 c = 1; c < isize(it_.places); ++c) {
      if (visited_[usize(c)] != 0 || it_.demands[usize(c)] > room_) continue;
      const i64 demand = it_.demands[usize(c)];
      auto at = std::find_if(known.begin(), known.end(),
                             [demand](const auto& one) { return one.first == demand; });
      if (at == known.end()) {
        known.emplace_back(demand, may_visit(c));
        at = known.end() - 1;
      }
      if (at->second) out.push_back(c);
    }
    return out;
  }

  std::string text(i64 choice) const override {
    if (choice == kStop)
      return accord_ ? cat(step(at_, 0), "\nVehicle Route: ", place(0)) : ", 0], [0";
    const bool last = customers_ == 1;
    if (!accord_) return cat(", ", choice, last ? ", 0]]" : "");
    if (!last) return step(at_, choice);
    const i64 total = objective_ + way(at_, choice) + way(choice, 0);
    return cat(step(at_, choice), step(choice, 0), "\nOverall Total Distance: ", total);
  }

  void accept(i64 choice) override {
    LM_CHECK(customers_ > 0, "nothing follows a complete solution");
    if (choice == kStop) {
      LM_CHECK(waiting_ > 0 && !solution_.back().empty(), "another vehicle takes over");
      if (plan_ && !in_plan(0).empty())
        plan_ = find(rooms(it_.capacity, waiting_ - 1), visited_);
      else if (plan_)
        for (i64& bin : *plan_)
          if (bin > 0) --bin;
      --waiting_;
      room_ = it_.capacity;
      objective_ += way(at_, 0);
      at_ = 0;
      solution_.emplace_back();
      return;
    }
    LM_CHECK(choice > 0 && visited_[usize(choice)] == 0 && it_.demands[usize(choice)] <= room_,
             "a customer that is left and fits");
    room_ -= it_.demands[usize(choice)];
    visited_[usize(choice)] = 1;
    if (plan_ && !swap_in(choice)) plan_ = find(rooms(room_, waiting_), visited_);
    objective_ += way(at_, choice);
    at_ = choice;
    solution_.back().push_back(choice);
    if (--customers_ == 0) objective_ += way(at_, 0);
  }
  bool complete() const override { return customers_ == 0; }
  std::unique_ptr<Automaton> clone() const override {
    return std::make_unique<RouteAutomaton>(*this);
  }

 private:
  i64 way(i64 a, i64 b) const { return distance(it_.places[usize(a)], it_.places[usize(b)]); }
  std::string place(i64 c) const {
    return cat("(", c, "): (", it_.places[usize(c)].x, ", ", it_.places[usize(c)].y, ")");
  }
  std::string step(i64 from, i64 to) const { return cat(" -> ", place(to), " + ", way(from, to)); }

  std::vector<i64> rooms(i64 first, i64 others) const {
    std::vector<i64> out(usize(others) + 1, it_.capacity);
    out[0] = first;
    return out;
  }
  /// By place: the bin of those that are not visited, -1 of others.
  std::optional<std::vector<i64>> find(const std::vector<i64>& room,
                                       const std::vector<u8>& visited) const {
    std::vector<i64> left, weights;
    for (i64 c = 1; c < isize(it_.places); ++c) {
      if (visited[usize(c)] != 0) continue;
      left.push_back(c);
      weights.push_back(it_.demands[usize(c)]);
    }
    bool proved = false;
    const std::optional<std::vector<i64>> bins = pack(weights, room, proved);
    if (!bins) return std::nullopt;
    std::vector<i64> out(it_.places.size(), -1);
    for (std::size_t i = 0; i < left.size(); ++i)
      out[usize(left[i])] = (*bins)[i];
    return out;
  }
  std::vector<i64> in_plan(i64 bin) const {
    std::vector<i64> out;
    for (i64 c = 1; c < isize(it_.places); ++c)
      if (visited_[usize(c)] == 0 && (*plan_)[usize(c)] == bin) out.push_back(c);
    return out;
  }
  /// Keeps the plan where a visited customer was in it, or one of the same demand is, which then
  /// goes in its stead.
  bool swap_in(i64 choice) {
    const i64 bin = (*plan_)[usize(choice)];
    (*plan_)[usize(choice)] = -1;
    if (bin == 0) return true;
    for (const i64 c : in_plan(0)) {
      if (it_.demands[usize(c)] != it_.demands[usize(choice)]) continue;
      (*plan_)[usize(c)] = bin;
      return true;
    }
    return false;
  }
  bool may_stop() const {
    if (waiting_ == 0 || solution_.back().empty()) return false;
    if (plan_ && in_plan(0).empty()) return true;
    return find(rooms(it_.capacity, waiting_ - 1), visited_).has_value();
  }
  bool may_visit(i64 c) const {
    if (plan_)
      for (const i64 other : in_plan(0))
        if (it_.demands[usize(other)] == it_.demands[usize(c)]) return true;
    std::vector<u8> visited = visited_;
    visited[usize(c)] = 1;
    return find(rooms(room_ - it_.demands[usize(c)], waiting_), visited).has_value();
  }

  Vrp it_;
  bool accord_;
  std::vector<u8> visited_;
  i64 customers_;  // left
  i64 waiting_;    // vehicles at place 0
  i64 room_;
  i64 at_ = 0;
  /// Nothing after a choice that choices() did not offer.
  std::optional<std::vector<i64>> plan_;
};

class JsspAutomaton final : public Automaton {
 public:
  JsspAutomaton(const Jssp& it, Format format)
      : it_(it),
        accord_(format == Format::kAccord),
        next_(it.jobs.size()),
        job_ready_(it.jobs.size()),
        machine_ready_(usize(machine_count(it))) {
    for (const std::vector<Operation>& job : it.jobs)
      left_ += isize(job);
    solution_.emplace_back();
  }
  std::string opening() const override { return accord_ ? "" : "["; }

  std::vector<i64> choices() const override {
    std::vector<i64> out;
    for (i64 j = 0; j < isize(it_.jobs); ++j)
      if (next_[usize(j)] < isize(it_.jobs[usize(j)])) out.push_back(j);
    return out;
  }

  std::string text(i64 choice) const override {
    const Operation& op = operation(choice);
    const bool first = solution_[0].empty();
    if (!accord_)
      return cat(first ? "" : ", ", "[", choice, ", ", op.machine, "]", left_ == 1 ? "]" : "");
    const i64 start = begin_of(choice);
    const i64 end = start + op.time;
    return cat(first ? "" : "\n", "J", choice, "-M", op.machine, ": ", start, "+", op.time, " -> ",
               end, left_ == 1 ? cat("\nMakespan: ", std::max(objective_, end)) : "");
  }

  void accept(i64 choice) override {
    LM_CHECK(next_[usize(choice)] < isize(it_.jobs[usize(choice)]), "a job that is not done");
    const Operation& op = operation(choice);
    const i64 end = begin_of(choice) + op.time;
    job_ready_[usize(choice)] = machine_ready_[usize(op.machine)] = end;
    objective_ = std::max(objective_, end);
    ++next_[usize(choice)];
    --left_;
    solution_[0].push_back(choice);
  }
  bool complete() const override { return left_ == 0; }
  std::unique_ptr<Automaton> clone() const override {
    return std::make_unique<JsspAutomaton>(*this);
  }

 private:
  const Operation& operation(i64 job) const {
    return it_.jobs[usize(job)][usize(next_[usize(job)])];
  }
  i64 begin_of(i64 job) const {
    return std::max(job_ready_[usize(job)], machine_ready_[usize(operation(job).machine)]);
  }
  Jssp it_;
  bool accord_;
  std::vector<i64> next_;
  std::vector<i64> job_ready_;
  std::vector<i64> machine_ready_;
  i64 left_ = 0;
};

class FsspAutomaton final : public Automaton {
 public:
  FsspAutomaton(const Fssp& it, Format format)
      : it_(it),
        accord_(format == Format::kAccord),
        placed_(it.times.size()),
        left_(isize(it.times)),
        ready_(it.times[0].size()) {
    solution_.emplace_back();
  }
  std::string opening() const override { return accord_ ? "" : "["; }

  std::vector<i64> choices() const override {
    std::vector<i64> out;
    for (i64 j = 0; j < isize(it_.times); ++j)
      if (placed_[usize(j)] == 0) out.push_back(j);
    return out;
  }

  std::string text(i64 choice) const override {
    const bool first = solution_[0].empty();
    if (!accord_) return cat(first ? "" : ", ", choice, left_ == 1 ? "]" : "");
    std::string out = cat(first ? "" : "\n", "J", choice, ": ");
    i64 end = 0;
    for (std::size_t m = 0; m < ready_.size(); ++m) {
      const i64 start = std::max(end, ready_[m]);
      const i64 time = it_.times[usize(choice)][m];
      end = start + time;
      append(out, m == 0 ? "" : " -> ", "M", m + 1, "(", start, "+", time, "=", end, ")");
    }
    if (left_ == 1) append(out, "\nMakespan: ", end);
    return out;
  }

  void accept(i64 choice) override {
    LM_CHECK(placed_[usize(choice)] == 0, "a job that is left");
    i64 end = 0;
    for (std::size_t m = 0; m < ready_.size(); ++m)
      ready_[m] = end = std::max(end, ready_[m]) + it_.times[usize(choice)][m];
    objective_ = end;
    placed_[usize(choice)] = 1;
    --left_;
    solution_[0].push_back(choice);
  }
  bool complete() const override { return left_ == 0; }
  std::unique_ptr<Automaton> clone() const override {
    return std::make_unique<FsspAutomaton>(*this);
  }

 private:
  Fssp it_;
  bool accord_;
  std::vector<u8> placed_;
  i64 left_;
  std::vector<i64> ready_;
};

std::unique_ptr<Automaton> start(const Knapsack& it, Format format) {
  return std::make_unique<KnapsackAutomaton>(it, format);
}
std::unique_ptr<Automaton> start(const Binpack& it, Format format) {
  return std::make_unique<BinpackAutomaton>(it, format);
}
std::unique_ptr<Automaton> start(const Vrp& it, Format format) {
  auto out = std::make_unique<RouteAutomaton>(it, format);
  if (!out->begin()) return nullptr;
  return out;
}
std::unique_ptr<Automaton> start(const Tsp& it, Format format) {
  return start(Vrp{it.cities, std::vector<i64>(it.cities.size(), 0), 0, 1}, format);
}
std::unique_ptr<Automaton> start(const Jssp& it, Format format) {
  return std::make_unique<JsspAutomaton>(it, format);
}
std::unique_ptr<Automaton> start(const Fssp& it, Format format) {
  return std::make_unique<FsspAutomaton>(it, format);
}

}  // namespace

Result<std::unique_ptr<Automaton>> make_automaton(const Instance& instance, Format format) {
  std::unique_ptr<Automaton> out =
      std::visit([format](const auto& it) { return start(it, format); }, instance);
  if (!out)
    return Fault{"infeasible",
                 "no assignment of all customers to the vehicles was found within their capacity",
                 -1};
  return out;
}

std::string render(const Instance& instance, const Solution& solution, Format format) {
  // Places that a solution lists are choices; what it opens next, the one before ends.
  Result<std::unique_ptr<Automaton>> made = make_automaton(instance, format);
  LM_CHECK(bool(made), "an instance with a solution");
  Automaton& walk = **made;
  std::string out = walk.opening();
  const auto take = [&](i64 choice) {
    out += walk.text(choice);
    walk.accept(choice);
  };
  for (std::size_t i = 0; i < solution.size(); ++i) {
    if (i > 0) take(kStop);
    for (const i64 choice : solution[i])
      take(choice);
  }
  if (problem_of(instance) == Problem::kKnapsack) take(kStop);
  LM_CHECK(walk.complete(), "a whole solution");
  return out;
}

Result<Solution> random_feasible(const Instance& instance, Draws& draws) {
  Result<std::unique_ptr<Automaton>> made = make_automaton(instance, Format::kLists);
  if (!made) return made.fault();
  Automaton& walk = **made;
  while (!walk.complete()) {
    const std::vector<i64> choices = walk.choices();
    walk.accept(choices[usize(draws.below(isize(choices)))]);
  }
  return walk.solution();
}

}  // namespace lm::accord
