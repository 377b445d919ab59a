#pragma once
// What rows of a batch carry beside numbers, for graphs and for the kernels of every backend: which
// keys a row sees, and the target that counts for nothing.

#include "core/types.h"

namespace lm {

/// The keys of one query row: slots [a0,a1) and [b0,b1). Slot a0 has logical index la, slot b0 lb,
/// with la + (a1-a0) <= lb where both are non-empty. Sums run in logical order, cut at fixed
/// multiples of the logical index, so equal logical order means equal bits however keys are stored.
/// causal, sequence from s: {s, i+1, 0, 0, 0, 0}. last w keys: {max(s,i-w+1), i+1, 0, 0, a0-s, 0}.
/// prompt [p0,p1) then own rows [s,i+1): {p0, p1, s, i+1, 0, p1-p0}. No keys: all zero.
struct RowSpan {
  i32 a0 = 0, a1 = 0, b0 = 0, b1 = 0, la = 0, lb = 0;
};
inline constexpr i64 kSpanInts = 6;

/// The span without the keys whose logical index is `window` or more below the largest; 0: whole.
/// What is left keeps its slots and logical indices, so its sums are cut as before.
constexpr RowSpan windowed(RowSpan span, i64 window) {
  if (window <= 0) return span;
  const i64 a = span.a1 > span.a0 ? i64{span.a1} - span.a0 : 0;
  const i64 b = span.b1 > span.b0 ? i64{span.b1} - span.b0 : 0;
  const i64 end_a = a > 0 ? span.la + a : 0;
  const i64 end_b = b > 0 ? span.lb + b : 0;
  const i64 first = (end_a > end_b ? end_a : end_b) - window;  // the smallest index that is seen
  const i64 early_a = first - span.la;
  const i64 early_b = first - span.lb;
  const i32 skip_a = static_cast<i32>(early_a < 0 ? 0 : early_a < a ? early_a : a);
  const i32 skip_b = static_cast<i32>(early_b < 0 ? 0 : early_b < b ? early_b : b);
  span.a0 += skip_a;
  span.la += skip_a;
  span.b0 += skip_b;
  span.lb += skip_b;
  return span;
}

/// A row with this target counts for nothing.
inline constexpr i32 kIgnoreTarget = -100;

/// Features that linear attention makes of a query or key of so many components: 1, each, and each
/// product of two.
constexpr i64 taylor_features(i64 dim) {
  return 1 + dim + dim * (dim + 1) / 2;
}

}  // namespace lm
