#pragma once
// Sums and maxima over one row in an order fixed by its length: two vectors of lane sums over
// elements in steps of 2*lanes, then the tail, then one tree over the lanes.

#include "cpu/isa/vec.h"

namespace lm::isa::LM_ISA {

/// Sum over i of f(vector at i). `f(i, w)` returns lanes i..i+kLanes-1 of the summand, which must
/// be zero in lanes past w when w < kLanes.
template <typename F>
LM_INLINE f32 reduce_sum(i64 n, F f) {
  V a = {}, b = {};
  i64 i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    a = a + f(i, i64{kLanes});
    b = b + f(i + kLanes, i64{kLanes});
  }
  for (; i + kLanes <= n; i += kLanes)
    a = a + f(i, i64{kLanes});
  if (i < n) b = b + f(i, n - i);
  return lane_sum(a + b);
}

LM_INLINE f32 dot(i64 n, const f32* x, const f32* y) {
  return reduce_sum(n, [x, y](i64 i, i64 w) { return load_n(x + i, w) * load_n(y + i, w); });
}

/// Largest element; -infinity for n = 0.
LM_INLINE f32 reduce_max(i64 n, const f32* x) {
  V m = splat(-__builtin_inff());
  i64 i = 0;
  for (; i + kLanes <= n; i += kLanes)
    m = max(load(x + i), m);
  f32 r = lane_max(m);
  for (; i < n; ++i)
    r = x[i] > r ? x[i] : r;
  return r;
}

/// Lanes below w keep their value, the others become zero.
LM_INLINE V keep_first(V x, i64 w) {
  if (w >= kLanes) return x;
  return iota() < splat_int(static_cast<i32>(w)) ? x : V{};
}

}  // namespace lm::isa::LM_ISA
