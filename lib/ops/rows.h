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

/// The largest logical index that a row sees; -1: it sees nothing.
constexpr i64 last_index(const RowSpan& s) {
  const i64 a = s.a1 > s.a0 ? i64{s.la} + s.a1 - s.a0 : 0;
  const i64 b = s.b1 > s.b0 ? i64{s.lb} + s.b1 - s.b0 : 0;
  return (a > b ? a : b) - 1;
}

/// Sparse attention of fixed patterns (Child et al. 2019). Logical indices fall into blocks of
/// `block`, these into windows of `local`. A row sees of its span the keys of its own window, and
/// of earlier windows `global` blocks: the last ones in heads 0, `patterns`, 2 `patterns` ...,
/// those before them in heads 1, 1 + `patterns` ..., and so on. A row's own index is last_index(),
/// so the span has to be causal. block 0: the whole span.
struct SparseMask {
  i32 block = 0, local = 0, global = 0, patterns = 0;
  friend constexpr bool operator==(const SparseMask&, const SparseMask&) = default;

  constexpr bool on() const { return block > 0; }
  constexpr i64 window() const { return i64{block} * local; }
  /// Where the blocks of a head begin in each window, and how many indices they have.
  constexpr i64 summary(i64 head) const {
    return (local - (1 + head % patterns) * i64{global}) * block;
  }
  constexpr i64 summary_size() const { return i64{global} * block; }
  /// Whether index q sees index k <= q.
  constexpr bool sees(i64 head, i64 q, i64 k) const {
    if (!on() || q / window() == k / window()) return true;
    const i64 in = k % window() - summary(head);
    return in >= 0 && in < summary_size();
  }
  /// Pairs q >= k >= 0 of n indices that see each other.
  constexpr i64 pairs(i64 n) const {
    if (!on()) return n * (n + 1) / 2;
    const i64 w = window(), whole = n / w, rest = n % w;
    return whole * (w * (w + 1) / 2) + rest * (rest + 1) / 2 +
           summary_size() * (w * (whole * (whole - 1) / 2) + rest * whole);
  }
};
/// Blocks are of a multiple of this, windows shorter than kMaxWindow.
inline constexpr i64 kSparseUnit = 16;
inline constexpr i64 kMaxSparseWindow = i64{1} << 20;
constexpr bool possible(const SparseMask& m) {
  return m.block > 0 && m.block % kSparseUnit == 0 && m.local > 0 && m.global > 0 &&
         m.patterns > 0 && i64{m.global} * m.patterns <= m.local && m.window() <= kMaxSparseWindow;
}

/// Block diffusion (Arriola et al. 2025): a text of `count` tokens stands twice, noisy from slot
/// `noisy` on and clean from `clean` on, both in blocks of `block`. Noisy token i sees the clean
/// blocks before its own and all of its own noisy block; clean token i sees the clean blocks up to
/// its own. Logical indices are those of a text whose last block alone is noisy, as decoding has
/// it.
constexpr RowSpan clean_span(i64 clean, i64 i, i64 block, i64 count) {
  const i64 end = (i / block + 1) * block;
  return {
      static_cast<i32>(clean), static_cast<i32>(clean + (end < count ? end : count)), 0, 0, 0, 0};
}
constexpr RowSpan noisy_span(i64 noisy, i64 clean, i64 i, i64 block, i64 count) {
  const i64 begin = i / block * block;
  const i64 end = begin + block < count ? begin + block : count;
  const i32 b0 = static_cast<i32>(noisy + begin), b1 = static_cast<i32>(noisy + end);
  if (begin == 0) return {b0, b1, 0, 0, 0, 0};
  return {static_cast<i32>(clean), static_cast<i32>(clean + begin), b0, b1, 0,
          static_cast<i32>(begin)};
}

/// A row with this target counts for nothing.
inline constexpr i32 kIgnoreTarget = -100;

/// Features that linear attention makes of a query or key of so many components: 1, each, and each
/// product of two.
constexpr i64 taylor_features(i64 dim) {
  return 1 + dim + dim * (dim + 1) / 2;
}

}  // namespace lm
