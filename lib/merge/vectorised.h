#pragma once
// One text of a loop, compiled for any x86-64 machine and for AVX2; the machine decides which runs.
// Both round alike: AVX2 alone has no fused multiply-add, and sums are written as fixed lanes,
// which no compiler may reorder. Files that use this are compiled with -O3 (CMakeLists.txt).

#include "core/types.h"

// After a lambda's parameter list: its body becomes part of the function that calls it.
#define LM_INLINE __attribute__((always_inline))

namespace lm::merge {

namespace detail {
#if defined(__x86_64__)
template <class Loop>
__attribute__((target("avx2"))) void run_avx2(const Loop& loop) {
  loop();
}
#endif
template <class Loop>
void run_plain(const Loop& loop) {
  loop();
}
}  // namespace detail

/// Runs `loop`, a lambda marked LM_INLINE.
template <class Loop>
void vectorised(const Loop& loop) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return detail::run_avx2(loop);
#endif
  detail::run_plain(loop);
}

/// Lanes of a sum: element i adds to lane i mod kLanes, lanes are added from the first on.
inline constexpr i64 kLanes = 8;

/// Sum of term(i) for i in [0, count), in fp64 and in an order that is the same on every machine.
template <class Term>
LM_INLINE inline f64 lane_sum(i64 count, const Term& term) {
  f64 lanes[kLanes] = {};
  const i64 whole = count - count % kLanes;
  for (i64 i = 0; i < whole; i += kLanes) {
    for (i64 j = 0; j < kLanes; ++j)
      lanes[j] += term(i + j);
  }
  for (i64 i = whole; i < count; ++i)
    lanes[i - whole] += term(i);
  f64 sum = 0;
  for (const f64 lane : lanes)
    sum += lane;
  return sum;
}

}  // namespace lm::merge
