#pragma once
// How long calls take together: rules for independent calls, and for calls that wait for others.
// Times are in any unit, at least 0. Pure functions; everything depends on the order given, never
// on threads. Source: Graham 1969 (list scheduling and its bounds).

#include <span>
#include <vector>

#include "core/types.h"

namespace lm::flow {

/// Independent calls in blocks of p in the order given, each block as long as its longest call: the
/// sum over blocks. p >= 1. O(n).
f64 block_latency(std::span<const f64> times, i64 p);

/// Independent calls, each taken by the worker that is free first: never more than
/// block_latency, and max(max t, sum t / p) <= it <= sum t / p + (1 - 1/p) max t.
/// O(n log p).
f64 list_latency(std::span<const f64> times, i64 p);

/// A step of a flow: a call, which needs a worker, or what only waits for others.
struct Step {
  f64 seconds = 0;
  i64 held_tokens = 0;     // prompt and replies, in memory while the call runs
  bool call = false;       // else it takes no time
  std::vector<i64> after;  // indices of earlier steps
};

struct Timeline {
  f64 seconds = 0;
  i64 peak_tokens = 0;  // most held at once
};

/// List scheduling: a free worker takes the first call in the list whose steps before are done.
/// workers 0: as many as there are calls, so that seconds is the critical path.
/// O(n log n + edges).
Timeline list_timeline(std::span<const Step> steps, i64 workers);

/// Calls of equal depth (calls on the longest way before them) are blocks' calls in the order of
/// the list; the levels follow each other.
f64 block_timeline(std::span<const Step> steps, i64 workers);

/// Units of input with half-overlapping windows and p workers take least time where the windows
/// are p: m = 2n / (p + 1).
inline f64 overlap_piece(f64 n, f64 p) {
  return 2 * n / (p + 1);
}

}  // namespace lm::flow
