#pragma once
// What rows of a batch carry beside numbers, for graphs and for the kernels of every backend: which
// keys a row sees, and the target that counts for nothing.

#include "core/types.h"

namespace lm {

/// The keys of one query row: slots [a0,a1) and [b0,b1). Slot a0 has logical index la, slot b0 lb,
/// with la + (a1-a0) <= lb where both are non-empty. Sums run in logical order, cut at fixed
/// multiples of the logical index, so equal logical order means equal bits however keys are stored.
/// causal, sequence from s: {s, i+1, 0, 0, 0, 0}. window w: {max(s,i-w+1), i+1, 0, 0, a0-s, 0}.
/// prompt [p0,p1) then own rows [s,i+1): {p0, p1, s, i+1, 0, p1-p0}. No keys: all zero.
struct RowSpan {
  i32 a0 = 0, a1 = 0, b0 = 0, b1 = 0, la = 0, lb = 0;
};
inline constexpr i64 kSpanInts = 6;

/// A row with this target counts for nothing.
inline constexpr i32 kIgnoreTarget = -100;

}  // namespace lm
