// Permutation flow shops.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "accord/solve.h"

namespace lm::accord {

namespace {

constexpr i64 kRounds = 400;       // of iterated greedy
constexpr i64 kRemoved = 4;        // jobs that a round takes out
constexpr i64 kNodes = 1000000;    // of branch and bound
constexpr f64 kTemperature = 0.4;  // Ruiz and Stuetzle's T

i64 makespan(const Fssp& it, std::span<const i64> order) {
  std::vector<i64> ready(it.times[0].size());
  for (const i64 job : order) {
    i64 end = 0;
    for (std::size_t m = 0; m < ready.size(); ++m)
      ready[m] = end = std::max(end, ready[m]) + it.times[usize(job)][m];
  }
  return ready.back();
}

std::vector<i64> johnson(const Fssp& it) {
  std::vector<i64> order(it.times.size());
  std::iota(order.begin(), order.end(), i64{0});
  const auto first = [&](i64 job) { return it.times[usize(job)][0]; };
  const auto second = [&](i64 job) { return it.times[usize(job)][1]; };
  std::stable_sort(order.begin(), order.end(), [&](i64 a, i64 b) {
    const bool early_a = first(a) < second(a), early_b = first(b) < second(b);
    if (early_a != early_b) return early_a;
    return early_a ? first(a) < first(b) : second(a) > second(b);
  });
  return order;
}

/// Puts a job where the makespan is least, first of equals; returns it. O(jobs^2 machines).
i64 insert_best(const Fssp& it, std::vector<i64>& order, i64 job) {
  i64 best = -1, best_at = 0;
  order.push_back(job);
  for (i64 at = isize(order) - 1;; --at) {
    const i64 span = makespan(it, order);
    if (best < 0 || span <= best) {
      best = span;
      best_at = at;
    }
    if (at == 0) break;
    std::swap(order[usize(at)], order[usize(at) - 1]);
  }
  std::rotate(order.begin(), order.begin() + 1, order.begin() + best_at + 1);
  return best;
}

std::vector<i64> neh(const Fssp& it) {
  std::vector<i64> jobs(it.times.size()), order;
  std::iota(jobs.begin(), jobs.end(), i64{0});
  const auto total = [&](i64 job) {
    const std::vector<i64>& times = it.times[usize(job)];
    return std::accumulate(times.begin(), times.end(), i64{0});
  };
  std::stable_sort(jobs.begin(), jobs.end(), [&](i64 a, i64 b) { return total(a) > total(b); });
  for (const i64 job : jobs)
    insert_best(it, order, job);
  return order;
}

/// Takes jobs out and puts each back where it is best; worse orders are kept at times.
std::vector<i64> iterated_greedy(const Fssp& it, std::vector<i64> order, i64 enough, Draws& draws) {
  f64 mean = 0;
  for (const std::vector<i64>& times : it.times)
    for (const i64 time : times)
      mean += static_cast<f64>(time);
  mean /= static_cast<f64>(it.times.size() * it.times[0].size());
  const f64 temperature = std::max(1e-9, kTemperature * mean / 10);
  std::vector<i64> best = order;
  i64 span = makespan(it, order), best_span = span;
  for (i64 round = 0; round < kRounds && best_span > enough; ++round) {
    std::vector<i64> next = order, out;
    for (i64 i = std::min(kRemoved, isize(next) - 1); i > 0; --i) {
      const i64 at = draws.below(isize(next));
      out.push_back(next[usize(at)]);
      next.erase(next.begin() + at);
    }
    i64 next_span = span;
    for (const i64 job : out)
      next_span = insert_best(it, next, job);
    const f64 worse = static_cast<f64>(next_span - span);
    if (worse <= 0 || draws.uniform() < std::exp(-worse / temperature)) {
      order = std::move(next);
      span = next_span;
    }
    if (span < best_span) {
      best_span = span;
      best = order;
    }
  }
  return best;
}

/// Depth first over orders; a branch is cut where the jobs left, on one machine and behind it, do
/// not end sooner than the best.
class BranchAndBound {
 public:
  BranchAndBound(const Fssp& it, std::vector<i64> best)
      : it_(it),
        best_(best),
        best_span_(makespan(it, best)),
        left_(it.times[0].size()),
        used_(it.times.size()) {
    for (const std::vector<i64>& times : it.times)
      for (std::size_t m = 0; m < left_.size(); ++m)
        left_[m] += times[m];
  }
  bool run() {
    search(std::vector<i64>(left_.size()));
    return nodes_ < kNodes;
  }
  /// What no order undercuts.
  i64 bound() const { return bound_of(std::vector<i64>(left_.size())); }
  const std::vector<i64>& best() const { return best_; }

 private:
  void search(const std::vector<i64>& ready) {
    if (++nodes_ >= kNodes) return;
    if (order_.size() == it_.times.size()) {
      if (ready.back() >= best_span_) return;
      best_span_ = ready.back();
      best_ = order_;
      return;
    }
    for (std::size_t j = 0; j < used_.size(); ++j) {
      if (used_[j] != 0) continue;
      used_[j] = 1;
      std::vector<i64> next = ready;
      i64 end = 0;
      for (std::size_t m = 0; m < next.size(); ++m) {
        next[m] = end = std::max(end, next[m]) + it_.times[j][m];
        left_[m] -= it_.times[j][m];
      }
      order_.push_back(static_cast<i64>(j));
      if (bound_of(next) < best_span_) search(next);
      order_.pop_back();
      for (std::size_t m = 0; m < left_.size(); ++m)
        left_[m] += it_.times[j][m];
      used_[j] = 0;
    }
  }
  i64 bound_of(const std::vector<i64>& ready) const {
    if (order_.size() == it_.times.size()) return ready.back();
    i64 bound = 0;
    for (std::size_t m = 0; m < ready.size(); ++m) {
      i64 head = -1, tail = -1;  // before and behind machine m, at least
      for (std::size_t j = 0; j < used_.size(); ++j) {
        if (used_[j] != 0) continue;
        i64 before = ready[0], behind = 0;
        for (std::size_t k = 0; k < m; ++k)
          before = std::max(before, ready[k]) + it_.times[j][k];
        for (std::size_t k = m + 1; k < ready.size(); ++k)
          behind += it_.times[j][k];
        if (head < 0 || before < head) head = before;
        if (tail < 0 || behind < tail) tail = behind;
      }
      bound = std::max(bound, std::max(head, ready[m]) + left_[m] + tail);
    }
    return bound;
  }

  const Fssp& it_;
  std::vector<i64> best_;
  i64 best_span_;
  std::vector<i64> left_;  // time on each machine of jobs not placed
  std::vector<u8> used_;
  std::vector<i64> order_;
  i64 nodes_ = 0;
};

}  // namespace

Solved solve_fssp(const Fssp& it, Draws& draws) {
  Solved out;
  std::vector<i64> order;
  if (it.times[0].size() <= 2) {
    order.resize(it.times.size());
    std::iota(order.begin(), order.end(), i64{0});
    if (it.times[0].size() == 2) order = johnson(it);
    out.proved = true;
  } else {
    order = neh(it);
    const i64 bound = BranchAndBound(it, order).bound();
    order = iterated_greedy(it, std::move(order), bound, draws);
    out.proved = makespan(it, order) == bound;
    if (!out.proved && isize(order) <= kExactJobs) {
      BranchAndBound search(it, std::move(order));
      out.proved = search.run();
      order = search.best();
    }
  }
  out.objective = makespan(it, order);
  out.solution = {std::move(order)};
  return out;
}

}  // namespace lm::accord
