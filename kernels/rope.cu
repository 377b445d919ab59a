// Rotary positions. x, y [rows, cols] f32; one thread per pair, then one per component that is not
// rotated (only when y is another matrix). A thread reads both of its components before it writes.

#include "report.h"
#include "rope.h"

namespace lm::cuda {

namespace {

LM_GLOBAL void rotate(Rope p, const f32* x, i64 ldx, f32* y, i64 ldy, Fault* fault) {
  const i64 half = p.rotary_dim / 2;
  const i64 per_row = p.heads * half;
  for (i64 i = cu::index(); i < p.rows * per_row; i += cu::stride()) {
    const i64 r = i / per_row;
    const i64 in_row = i - r * per_row;
    const i64 head = in_row / half;
    const i64 j = in_row - head * half;
    i32 pos = p.pos[r];
    if (pos < 0 || pos >= p.positions) {
      report(fault, FaultKind::kPosition, r, pos, p.positions);
      pos = 0;
    }
    const f32 c = p.cos[pos * half + j];
    const f32 s = p.inverse ? -p.sin[pos * half + j] : p.sin[pos * half + j];
    const i64 at = head * p.head_dim + (p.interleaved ? 2 * j : j);
    const i64 step = p.interleaved ? 1 : half;
    const f32 a = x[r * ldx + at];
    const f32 b = x[r * ldx + at + step];
    y[r * ldy + at] = a * c - b * s;
    y[r * ldy + at + step] = b * c + a * s;
  }
}

LM_GLOBAL void copy_rest(Rope p, const f32* x, i64 ldx, f32* y, i64 ldy) {
  for (i64 i = cu::index(); i < p.rows * p.cols; i += cu::stride()) {
    const i64 r = i / p.cols;
    const i64 c = i - r * p.cols;
    const bool rotated = c < p.heads * p.head_dim && c % p.head_dim < p.rotary_dim;
    if (!rotated) y[r * ldy + c] = x[r * ldx + c];
  }
}

}  // namespace

void rope(const Rope& p, const f32* x, i64 ldx, f32* y, i64 ldy, Fault* fault, Stream* stream) {
  const i64 pairs = p.rows * p.heads * (p.rotary_dim / 2);
  cu::launch("rope", rotate, cu::blocks_for(pairs, 256), 256, stream, p, x, ldx, y, ldy, fault);
  if (x == y) return;
  cu::launch("rope_copy", copy_rest, cu::blocks_for(p.rows * p.cols, 256), 256, stream, p, x, ldx,
             y, ldy);
}

}  // namespace lm::cuda
