#include "flow/schedule.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include "core/error.h"

namespace lm::flow {

f64 block_latency(std::span<const f64> times, i64 p) {
  LM_CHECK(p >= 1, "a block has a worker");
  f64 out = 0;
  for (i64 i = 0; i < isize(times); i += p) {
    const std::span<const f64> block =
        times.subspan(usize(i), usize(std::min(p, isize(times) - i)));
    out += *std::max_element(block.begin(), block.end());
  }
  return out;
}

f64 list_latency(std::span<const f64> times, i64 p) {
  LM_CHECK(p >= 1, "somebody works");
  std::priority_queue<f64, std::vector<f64>, std::greater<>> free;
  f64 out = 0;
  for (const f64 time : times) {
    f64 begin = 0;
    if (isize(free) == p) {
      begin = free.top();
      free.pop();
    }
    free.push(begin + time);
    out = std::max(out, begin + time);
  }
  return out;
}

namespace {

/// Steps that wait for each step, and how many each waits for.
struct Waiting {
  explicit Waiting(std::span<const Step> steps) : next(steps.size()), open(steps.size()) {
    for (i64 i = 0; i < isize(steps); ++i) {
      open[usize(i)] = isize(steps[usize(i)].after);
      for (const i64 before : steps[usize(i)].after) {
        LM_CHECK(before >= 0 && before < isize(steps) && before != i, "a step waits for a step");
        next[usize(before)].push_back(i);
      }
    }
  }
  std::vector<std::vector<i64>> next;
  std::vector<i64> open;
};

}  // namespace

Timeline list_timeline(std::span<const Step> steps, i64 workers) {
  Waiting waiting(steps);
  using Ready = std::priority_queue<i64, std::vector<i64>, std::greater<>>;
  using End = std::pair<f64, i64>;  // ends of one moment in the order of the list
  Ready ready;
  std::priority_queue<End, std::vector<End>, std::greater<>> running;
  Timeline out;
  i64 done = 0;
  i64 held = 0;
  f64 now = 0;
  std::vector<i64> finished;
  const auto open = [&](i64 i) {
    if (steps[usize(i)].call) {
      ready.push(i);
    } else {
      finished.push_back(i);
    }
  };
  const auto settle = [&] {
    while (!finished.empty()) {
      const i64 i = finished.back();
      finished.pop_back();
      ++done;
      for (const i64 next : waiting.next[usize(i)])
        if (--waiting.open[usize(next)] == 0) open(next);
    }
  };
  for (i64 i = 0; i < isize(steps); ++i)
    if (waiting.open[usize(i)] == 0) open(i);
  settle();
  while (!ready.empty() || !running.empty()) {
    while (!ready.empty() && (workers == 0 || isize(running) < workers)) {
      const i64 i = ready.top();
      ready.pop();
      held += steps[usize(i)].held_tokens;
      running.emplace(now + steps[usize(i)].seconds, i);
    }
    out.peak_tokens = std::max(out.peak_tokens, held);
    now = running.top().first;
    // All ends of this moment, so that what they free is taken in the order of the list.
    while (!running.empty() && running.top().first == now) {
      held -= steps[usize(running.top().second)].held_tokens;
      finished.push_back(running.top().second);
      running.pop();
    }
    settle();
  }
  LM_CHECK(done == isize(steps), "steps do not wait for each other in a circle");
  out.seconds = now;
  return out;
}

f64 block_timeline(std::span<const Step> steps, i64 workers) {
  Waiting waiting(steps);
  std::vector<i64> depth(steps.size(), 0);  // calls before
  std::vector<i64> todo;
  for (i64 i = 0; i < isize(steps); ++i)
    if (waiting.open[usize(i)] == 0) todo.push_back(i);
  while (!todo.empty()) {
    const i64 i = todo.back();
    todo.pop_back();
    const i64 behind = depth[usize(i)] + (steps[usize(i)].call ? 1 : 0);
    for (const i64 next : waiting.next[usize(i)]) {
      depth[usize(next)] = std::max(depth[usize(next)], behind);
      if (--waiting.open[usize(next)] == 0) todo.push_back(next);
    }
  }
  std::vector<std::vector<f64>> levels;
  for (i64 i = 0; i < isize(steps); ++i) {
    if (!steps[usize(i)].call) continue;
    if (depth[usize(i)] >= isize(levels)) levels.resize(usize(depth[usize(i)] + 1));
    levels[usize(depth[usize(i)])].push_back(steps[usize(i)].seconds);
  }
  f64 out = 0;
  for (const std::vector<f64>& level : levels)
    out += block_latency(level, std::max<i64>(workers == 0 ? isize(level) : workers, 1));
  return out;
}

}  // namespace lm::flow
