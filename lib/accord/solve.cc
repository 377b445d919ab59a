#include "accord/solve.h"

#include <algorithm>

#include "accord/automaton.h"
#include "accord/packing.h"

namespace lm::accord {

namespace {

Solution ordered_of(const Knapsack& it, Solution solution) {
  std::sort(solution[0].begin(), solution[0].end(), [&](i64 a, i64 b) {
    const Item& x = it.items[usize(a)];
    const Item& y = it.items[usize(b)];
    const i64 left = x.value * y.weight;
    const i64 right = y.value * x.weight;
    if (left != right) return left > right;
    if (x.weight != y.weight) return x.weight < y.weight;
    return a < b;
  });
  return solution;
}

Solution ordered_of(const Binpack& it, Solution solution) {
  const auto weight = [&](i64 item) { return it.weights[usize(item)]; };
  for (std::vector<i64>& bin : solution)
    std::sort(bin.begin(), bin.end(), [&](i64 a, i64 b) { return weight(a) > weight(b); });
  std::stable_sort(
      solution.begin(), solution.end(), [&](const std::vector<i64>& a, const std::vector<i64>& b) {
        return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                            [&](i64 x, i64 y) { return weight(x) > weight(y); });
      });
  // Items of one weight stand for each other.
  std::vector<i64> ids(it.weights.size());
  for (std::size_t i = 0; i < ids.size(); ++i)
    ids[i] = static_cast<i64>(i);
  std::stable_sort(ids.begin(), ids.end(), [&](i64 a, i64 b) { return weight(a) > weight(b); });
  std::vector<i64*> places;
  for (std::vector<i64>& bin : solution)
    for (i64& item : bin)
      places.push_back(&item);
  std::stable_sort(places.begin(), places.end(),
                   [&](const i64* a, const i64* b) { return weight(*a) > weight(*b); });
  for (std::size_t i = 0; i < ids.size(); ++i)
    *places[i] = ids[i];
  return solution;
}

Solution ordered_trips(Solution solution) {
  for (std::vector<i64>& trip : solution)
    if (trip.back() < trip.front()) std::reverse(trip.begin(), trip.end());
  std::sort(solution.begin(), solution.end());
  return solution;
}
Solution ordered_of(const Tsp&, Solution solution) {
  return ordered_trips(std::move(solution));
}
Solution ordered_of(const Vrp&, Solution solution) {
  return ordered_trips(std::move(solution));
}
Solution ordered_of(const Jssp&, Solution solution) {
  return solution;
}
Solution ordered_of(const Fssp&, Solution solution) {
  return solution;
}

}  // namespace

Solution ordered(const Instance& instance, Solution solution) {
  return std::visit([&](const auto& it) { return ordered_of(it, std::move(solution)); }, instance);
}

i64 objective_of(const Instance& instance, const Solution& solution) {
  const Result<std::unique_ptr<Automaton>> made = make_automaton(instance, Format::kLists);
  LM_CHECK(bool(made), "an instance with a solution");
  Automaton& walk = **made;
  for (std::size_t i = 0; i < solution.size(); ++i) {
    if (i > 0) walk.accept(kStop);
    for (const i64 choice : solution[i])
      walk.accept(choice);
  }
  return walk.objective();
}

Solved solve_knapsack(const Knapsack& it) {
  const std::size_t room = usize(it.capacity) + 1;
  const std::size_t count = it.items.size();
  std::vector<i64> best(room, 0);
  std::vector<u8> takes(count * room, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const Item& item = it.items[i];
    for (i64 c = it.capacity; c >= item.weight; --c) {
      const i64 with = best[usize(c - item.weight)] + item.value;
      if (with <= best[usize(c)]) continue;
      best[usize(c)] = with;
      takes[i * room + usize(c)] = 1;
    }
  }
  Solved out;
  out.solution.emplace_back();
  i64 left = it.capacity;
  for (std::size_t i = count; i-- > 0;) {
    if (takes[i * room + usize(left)] == 0) continue;
    out.solution[0].push_back(static_cast<i64>(i));
    left -= it.items[i].weight;
  }
  out.solution = ordered_of(it, std::move(out.solution));
  out.objective = best.back();
  out.proved = true;
  return out;
}

Solved solve_binpack(const Binpack& it) {
  Solved out;
  out.proved = true;
  for (i64 bins = bins_needed(it.weights, it.capacity);; ++bins) {
    bool proved = false;
    const std::optional<std::vector<i64>> found =
        pack(it.weights, std::vector<i64>(usize(bins), it.capacity), proved);
    if (!found) {
      out.proved = out.proved && proved;
      continue;
    }
    out.solution.resize(usize(bins));
    for (std::size_t i = 0; i < found->size(); ++i)
      out.solution[usize((*found)[i])].push_back(static_cast<i64>(i));
    std::erase_if(out.solution, [](const std::vector<i64>& bin) { return bin.empty(); });
    out.solution = ordered_of(it, std::move(out.solution));
    out.objective = isize(out.solution);
    return out;
  }
}

Result<Solved> solve(const Instance& instance, Draws& draws) {
  switch (problem_of(instance)) {
    case Problem::kKnapsack:
      return solve_knapsack(std::get<Knapsack>(instance));
    case Problem::kBinpack:
      return solve_binpack(std::get<Binpack>(instance));
    case Problem::kTsp:
      return solve_tsp(std::get<Tsp>(instance));
    case Problem::kVrp:
      return solve_vrp(std::get<Vrp>(instance));
    case Problem::kJssp:
      return solve_jssp(std::get<Jssp>(instance), draws);
    case Problem::kFssp:
      return solve_fssp(std::get<Fssp>(instance), draws);
  }
  LM_CHECK(false, "a problem is one of six");
}

}  // namespace lm::accord
