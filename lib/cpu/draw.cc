#include "cpu/draw.h"

#include "cpu/isa.h"

namespace lm::cpu {

RowKind scan_row(i64 n, const f32* x, f32* tops) {
  return active().scan_row(n, x, tops);
}

f64 max_of(i64 n, const f64* x) {
  return active().max_of(n, x);
}

f64 exp_shifted(i64 n, const f64* x, f64 shift, f64* out) {
  return active().exp_shifted(n, x, shift, out);
}

i64 near_one(const DrawBlock& block, u32 first, i64 counters, u32 limit, u32* out) {
  return active().near_one(block, first, counters, limit, out);
}

}  // namespace lm::cpu
