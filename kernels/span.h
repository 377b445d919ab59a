#pragma once
// The keys of an attention row as kernels read them (ops/attr.h): checked, and cut to a window.

#include "device.h"

namespace lm::cuda {

/// Slots [a0,a1) with logical index la at a0, and [b0,b1) with lb at b0; an empty interval may lie
/// anywhere.
struct KeySpan {
  i32 a0 = 0, a1 = 0, b0 = 0, b1 = 0, la = 0, lb = 0;
};

LM_DEVICE KeySpan read_span(const i32* six) {
  return {six[0], six[1], six[2], six[3], six[4], six[5]};
}

/// The span less the keys whose logical index is `window` or more below the largest; 0: whole.
LM_DEVICE KeySpan windowed(KeySpan s, i32 window) {
  if (window <= 0) return s;
  const i32 a = s.a1 > s.a0 ? s.a1 - s.a0 : 0;
  const i32 b = s.b1 > s.b0 ? s.b1 - s.b0 : 0;
  const i32 end_a = a > 0 ? s.la + a : 0;
  const i32 end_b = b > 0 ? s.lb + b : 0;
  const i32 first = (end_a > end_b ? end_a : end_b) - window;  // the smallest index that is seen
  const i32 early_a = first - s.la;
  const i32 early_b = first - s.lb;
  const i32 skip_a = early_a < 0 ? 0 : early_a < a ? early_a : a;
  const i32 skip_b = early_b < 0 ? 0 : early_b < b ? early_b : b;
  s.a0 += skip_a;
  s.la += skip_a;
  s.b0 += skip_b;
  s.lb += skip_b;
  return s;
}

LM_DEVICE bool inside(i32 begin, i32 end, i64 keys) {
  return begin >= end || (begin >= 0 && end <= keys);
}
/// Whether both intervals lie in [0, keys).
LM_DEVICE bool inside(const KeySpan& s, i64 keys) {
  return inside(s.a0, s.a1, keys) && inside(s.b0, s.b1, keys);
}
/// The end of a span outside that is reported.
LM_DEVICE i32 outside_end(const KeySpan& s, i64 keys) {
  const bool a_fits = inside(s.a0, s.a1, keys);
  const i32 begin = a_fits ? s.b0 : s.a0;
  return begin < 0 ? begin : a_fits ? s.b1 : s.a1;
}

}  // namespace lm::cuda
