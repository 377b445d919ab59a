#pragma once
// The mask of a query row (RowSpan, ops/rows.h): as data may have it, and as a window leaves it.

#include "device.h"
#include "ops/rows.h"

namespace lm::cuda {

/// Whether both intervals of p = a0 a1 b0 b1 la lb lie inside the keys, at logical indices from 0;
/// empty ones may lie anywhere. culprit: the first number that is out of place otherwise.
LM_DEVICE bool span_fits(const i32* p, i64 keys, i32* culprit) {
  for (int part = 0; part < 2; ++part) {
    const i32 begin = p[2 * part], end = p[2 * part + 1], logical = p[4 + part];
    if (begin >= end || (begin >= 0 && end <= keys && logical >= 0)) continue;
    *culprit = begin < 0 ? begin : end > keys ? end : logical;
    return false;
  }
  return true;
}

/// The span of p = a0 a1 b0 b1 la lb, cut to a window.
LM_DEVICE RowSpan read_span(const i32* p, i32 window) {
  return windowed({p[0], p[1], p[2], p[3], p[4], p[5]}, window);
}

}  // namespace lm::cuda
