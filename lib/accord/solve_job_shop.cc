// Job shops.

#include <algorithm>
#include <limits>
#include <numeric>

#include "accord/solve.h"

namespace lm::accord {

namespace {

constexpr i64 kRounds = 1500;    // of tabu search
constexpr i64 kNodes = 2000000;  // of branch and bound

/// Operations of all jobs, numbered one behind the other.
struct Shop {
  explicit Shop(const Jssp& it) : machines(machine_count(it)) {
    for (i64 j = 0; j < isize(it.jobs); ++j) {
      first.push_back(isize(time));
      for (const Operation& op : it.jobs[usize(j)]) {
        job.push_back(j);
        machine.push_back(op.machine);
        time.push_back(op.time);
      }
    }
    first.push_back(isize(time));
  }
  i64 count() const { return isize(time); }
  /// The job's next one, or -1.
  i64 after(i64 op) const { return op + 1 < first[usize(job[usize(op)]) + 1] ? op + 1 : -1; }
  i64 before(i64 op) const { return op > first[usize(job[usize(op)])] ? op - 1 : -1; }

  i64 machines;
  std::vector<i64> first;  // of each job, and the end
  std::vector<i64> job, machine, time;
};

/// Each machine's operations in their order.
using Orders = std::vector<std::vector<i64>>;

/// The schedule in which everything begins as soon as it can.
struct Schedule {
  std::vector<i64> begin;
  std::vector<i64> sequence;  // operations, each behind those that it waits for
  i64 span = 0;
  bool sound = true;  // orders that wait for each other in a circle are not
};

Schedule schedule_of(const Shop& shop, const Orders& orders) {
  Schedule out;
  out.begin.assign(usize(shop.count()), 0);
  std::vector<i64> waits(usize(shop.count()), 0), follower(usize(shop.count()), -1);
  for (const std::vector<i64>& order : orders)
    for (std::size_t i = 1; i < order.size(); ++i) {
      follower[usize(order[i - 1])] = order[i];
      ++waits[usize(order[i])];
    }
  for (i64 op = 0; op < shop.count(); ++op) {
    if (shop.before(op) >= 0) ++waits[usize(op)];
    if (waits[usize(op)] == 0) out.sequence.push_back(op);
  }
  for (std::size_t at = 0; at < out.sequence.size(); ++at) {
    const i64 op = out.sequence[at];
    const i64 end = out.begin[usize(op)] + shop.time[usize(op)];
    out.span = std::max(out.span, end);
    for (const i64 next : {shop.after(op), follower[usize(op)]}) {
      if (next < 0) continue;
      out.begin[usize(next)] = std::max(out.begin[usize(next)], end);
      if (--waits[usize(next)] == 0) out.sequence.push_back(next);
    }
  }
  out.sound = isize(out.sequence) == shop.count();
  return out;
}

/// Neighbours on a machine that stand at an end of a block of one longest path: swapping others
/// cannot make it shorter.
std::vector<std::pair<i64, i64>> critical_swaps(const Shop& shop, const Orders& orders,
                                                const Schedule& now) {
  std::vector<i64> leader(usize(shop.count()), -1);
  for (const std::vector<i64>& order : orders)
    for (std::size_t i = 1; i < order.size(); ++i)
      leader[usize(order[i])] = order[i - 1];
  const auto end = [&](i64 op) { return now.begin[usize(op)] + shop.time[usize(op)]; };
  std::vector<i64> path;
  for (i64 op = 0; op < shop.count() && path.empty(); ++op)
    if (end(op) == now.span) path.push_back(op);
  while (now.begin[usize(path.back())] > 0) {
    const i64 op = path.back();
    const i64 on_machine = leader[usize(op)];
    path.push_back(on_machine >= 0 && end(on_machine) == now.begin[usize(op)] ? on_machine
                                                                              : shop.before(op));
  }
  std::reverse(path.begin(), path.end());
  std::vector<std::pair<i64, i64>> out;
  for (std::size_t from = 0; from < path.size();) {
    std::size_t to = from + 1;
    while (to < path.size() && shop.machine[usize(path[to])] == shop.machine[usize(path[from])])
      ++to;
    if (to - from > 1) {
      if (from > 0) out.emplace_back(path[from], path[from + 1]);
      if (to < path.size() && (to - from > 2 || from == 0))
        out.emplace_back(path[to - 2], path[to - 1]);
    }
    from = to;
  }
  return out;
}

/// Begins with the operation that may start first, the job with most left to do among equals.
Orders dispatched(const Shop& shop) {
  Orders orders(usize(shop.machines));
  std::vector<i64> next(shop.first.begin(), shop.first.end() - 1), job_ready(next.size());
  std::vector<i64> machine_ready(usize(shop.machines)), rest(next.size());
  for (i64 op = 0; op < shop.count(); ++op)
    rest[usize(shop.job[usize(op)])] += shop.time[usize(op)];
  for (i64 done = 0; done < shop.count(); ++done) {
    i64 best = -1, best_start = 0;
    for (i64 j = 0; j < isize(next); ++j) {
      const i64 op = next[usize(j)];
      if (op == shop.first[usize(j) + 1]) continue;
      const i64 start =
          std::max(job_ready[usize(j)], machine_ready[usize(shop.machine[usize(op)])]);
      if (best >= 0 &&
          (start > best_start || (start == best_start && rest[usize(j)] <= rest[usize(best)])))
        continue;
      best = j;
      best_start = start;
    }
    const i64 op = next[usize(best)]++;
    job_ready[usize(best)] = machine_ready[usize(shop.machine[usize(op)])] =
        best_start + shop.time[usize(op)];
    rest[usize(best)] -= shop.time[usize(op)];
    orders[usize(shop.machine[usize(op)])].push_back(op);
  }
  return orders;
}

void swap_neighbours(const Shop& shop, Orders& orders, i64 a, i64 b) {
  std::vector<i64>& order = orders[usize(shop.machine[usize(a)])];
  std::iter_swap(std::find(order.begin(), order.end(), a),
                 std::find(order.begin(), order.end(), b));
}

Orders tabu_search(const Shop& shop, Orders now, i64 enough, Draws& draws) {
  Orders best = now;
  Schedule schedule = schedule_of(shop, now);
  i64 best_span = schedule.span;
  // forbidden[a, b]: until when b may not be put before a again.
  std::vector<i64> forbidden(usize(shop.count() * shop.count()), 0);
  for (i64 round = 1; round <= kRounds && best_span > enough; ++round) {
    const std::vector<std::pair<i64, i64>> swaps = critical_swaps(shop, now, schedule);
    if (swaps.empty()) break;  // the path is one job or one block: nothing is shorter
    i64 chosen = -1, chosen_span = std::numeric_limits<i64>::max();
    std::vector<i64> sound;  // without durations a swap can close a circle
    for (i64 i = 0; i < isize(swaps); ++i) {
      const i64 a = swaps[usize(i)].first, b = swaps[usize(i)].second;
      swap_neighbours(shop, now, a, b);
      const Schedule next = schedule_of(shop, now);
      swap_neighbours(shop, now, a, b);
      if (!next.sound) continue;
      sound.push_back(i);
      const bool tabu = forbidden[usize(b * shop.count() + a)] > round && next.span >= best_span;
      if (tabu || next.span >= chosen_span) continue;
      chosen = i;
      chosen_span = next.span;
    }
    if (sound.empty()) break;
    if (chosen < 0) chosen = sound[usize(draws.below(isize(sound)))];  // all are forbidden
    const i64 a = swaps[usize(chosen)].first, b = swaps[usize(chosen)].second;
    swap_neighbours(shop, now, a, b);
    forbidden[usize(a * shop.count() + b)] = round + 6 + draws.below(7);
    schedule = schedule_of(shop, now);
    if (schedule.span >= best_span) continue;
    best_span = schedule.span;
    best = now;
  }
  return best;
}

/// Active schedules only: the machine on which some operation can end first is taken by one of
/// those that could begin there before that. Bound: each machine alone, with interruptions.
class ActiveSearch {
 public:
  ActiveSearch(const Shop& shop, Orders best, i64 best_span)
      : shop_(shop),
        best_(std::move(best)),
        best_span_(best_span),
        next_(shop.first.begin(), shop.first.end() - 1),
        job_ready_(next_.size()),
        machine_ready_(usize(shop.machines)),
        orders_(usize(shop.machines)),
        tail_(usize(shop.count())) {
    for (i64 op = shop.count() - 1; op >= 0; --op)
      if (const i64 after = shop.after(op); after >= 0)
        tail_[usize(op)] = tail_[usize(after)] + shop.time[usize(after)];
  }
  bool run() {
    search();
    return nodes_ < kNodes;
  }
  /// What no schedule undercuts.
  i64 bound() const {
    i64 out = 0;
    for (i64 m = 0; m < shop_.machines; ++m)
      out = std::max(out, alone(m));
    return out;
  }
  const Orders& best() const { return best_; }

 private:
  struct Part {
    i64 ready, time, tail;
  };
  i64 start_of(i64 op) const {
    return std::max(job_ready_[usize(shop_.job[usize(op)])],
                    machine_ready_[usize(shop_.machine[usize(op)])]);
  }
  bool done(i64 job) const { return next_[usize(job)] == shop_.first[usize(job) + 1]; }

  /// Jackson: at every moment the part with the longest tail of those that are ready.
  i64 alone(i64 machine) const {
    std::vector<Part> parts;
    i64 longest = 0;
    for (i64 j = 0; j < isize(next_); ++j) {
      i64 ready = job_ready_[usize(j)];
      for (i64 op = next_[usize(j)]; op < shop_.first[usize(j) + 1]; ++op) {
        ready = std::max(ready, machine_ready_[usize(shop_.machine[usize(op)])]);
        if (shop_.machine[usize(op)] == machine)
          parts.push_back({ready, shop_.time[usize(op)], tail_[usize(op)]});
        ready += shop_.time[usize(op)];
      }
      longest = std::max(longest, ready);
    }
    i64 now = 0;
    for (i64 left = isize(parts); left > 0;) {
      Part* turn = nullptr;
      i64 next_ready = std::numeric_limits<i64>::max();
      for (Part& part : parts) {
        if (part.time < 0) continue;
        if (part.ready > now)
          next_ready = std::min(next_ready, part.ready);
        else if (turn == nullptr || part.tail > turn->tail)
          turn = &part;
      }
      if (turn == nullptr) {
        now = next_ready;
        continue;
      }
      const i64 run = std::min(turn->time, next_ready - now);
      now += run;
      turn->time -= run;
      if (turn->time > 0) continue;
      longest = std::max(longest, now + turn->tail);
      turn->time = -1;
      --left;
    }
    return longest;
  }

  void search() {
    if (++nodes_ >= kNodes) return;
    i64 first_end = std::numeric_limits<i64>::max(), machine = -1;
    for (i64 j = 0; j < isize(next_); ++j) {
      if (done(j)) continue;
      const i64 op = next_[usize(j)];
      const i64 end = start_of(op) + shop_.time[usize(op)];
      if (end >= first_end) continue;
      first_end = end;
      machine = shop_.machine[usize(op)];
    }
    if (machine < 0) {
      const i64 span = *std::max_element(job_ready_.begin(), job_ready_.end());
      if (span >= best_span_) return;
      best_span_ = span;
      best_ = orders_;
      return;
    }
    struct Branch {
      i64 bound, job;
    };
    std::vector<Branch> branches;
    for (i64 j = 0; j < isize(next_); ++j) {
      if (done(j)) continue;
      const i64 op = next_[usize(j)];
      const i64 start = start_of(op);
      // An operation without a duration ends where it starts, and goes before the others there.
      if (shop_.machine[usize(op)] != machine ||
          (start >= first_end && start + shop_.time[usize(op)] > first_end))
        continue;
      const Saved saved = take(j);
      branches.push_back({bound(), j});
      give_back(j, saved);
    }
    std::stable_sort(branches.begin(), branches.end(),
                     [](const Branch& a, const Branch& b) { return a.bound < b.bound; });
    for (const Branch& branch : branches) {
      if (branch.bound >= best_span_) return;
      const Saved saved = take(branch.job);
      search();
      give_back(branch.job, saved);
    }
  }

  struct Saved {
    i64 job_ready, machine_ready;
  };
  Saved take(i64 job) {
    const i64 op = next_[usize(job)]++;
    i64& machine_ready = machine_ready_[usize(shop_.machine[usize(op)])];
    const Saved saved{job_ready_[usize(job)], machine_ready};
    job_ready_[usize(job)] = machine_ready =
        std::max(saved.job_ready, saved.machine_ready) + shop_.time[usize(op)];
    orders_[usize(shop_.machine[usize(op)])].push_back(op);
    return saved;
  }
  void give_back(i64 job, const Saved& saved) {
    const i64 op = --next_[usize(job)];
    job_ready_[usize(job)] = saved.job_ready;
    machine_ready_[usize(shop_.machine[usize(op)])] = saved.machine_ready;
    orders_[usize(shop_.machine[usize(op)])].pop_back();
  }

  const Shop& shop_;
  Orders best_;
  i64 best_span_;
  std::vector<i64> next_, job_ready_, machine_ready_;
  Orders orders_;
  std::vector<i64> tail_;  // time of the job behind each operation
  i64 nodes_ = 0;
};

}  // namespace

Solved solve_jssp(const Jssp& it, Draws& draws) {
  const Shop shop(it);
  Orders orders = dispatched(shop);
  const i64 bound = ActiveSearch(shop, orders, 0).bound();
  orders = tabu_search(shop, std::move(orders), bound, draws);
  Solved out;
  out.objective = schedule_of(shop, orders).span;
  out.proved = out.objective == bound;
  if (!out.proved && shop.count() <= kExactOperations) {
    ActiveSearch search(shop, orders, out.objective);
    out.proved = search.run();
    orders = search.best();
  }
  const Schedule schedule = schedule_of(shop, orders);
  out.objective = schedule.span;
  // By start; where that is equal, as they wait for each other.
  std::vector<i64> sequence = schedule.sequence;
  std::vector<i64> rank(sequence.size());
  for (i64 i = 0; i < isize(sequence); ++i)
    rank[usize(sequence[usize(i)])] = i;
  std::sort(sequence.begin(), sequence.end(), [&](i64 a, i64 b) {
    if (schedule.begin[usize(a)] != schedule.begin[usize(b)])
      return schedule.begin[usize(a)] < schedule.begin[usize(b)];
    return rank[usize(a)] < rank[usize(b)];
  });
  out.solution.emplace_back();
  for (const i64 op : sequence)
    out.solution[0].push_back(shop.job[usize(op)]);
  return out;
}

}  // namespace lm::accord
