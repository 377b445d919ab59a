// Softmax rows. [rows, cols] f32, a block per row, three passes (maximum, sum, result) over a row
// that stays in cache; the maximum is subtracted first, so no overflow. A row of -inf gives NaN, as
// on the CPU.

#include "block.h"
#include "softmax.h"

namespace lm::cuda {

namespace {

LM_DEVICE f32 negative_infinity() {
  return -INFINITY;
}

// log sum exp(scale x) of one row by the whole block.
LM_DEVICE f32 row_lse(i64 cols, f32 scale, const f32* x) {
  f32 top = negative_infinity();
  for (i64 c = cu::thread(); c < cols; c += cu::block_size()) {
    const f32 v = scale * x[c];
    top = v > top ? v : top;
  }
  top = cu::block_max(top);
  f32 sum = 0;
  for (i64 c = cu::thread(); c < cols; c += cu::block_size())
    sum += expf(scale * x[c] - top);
  return top + logf(cu::block_sum(sum));
}

LM_GLOBAL void softmax_rows(i64 rows, i64 cols, f32 scale, const f32* x, i64 ldx, f32* y, i64 ldy) {
  for (i64 r = cu::block(); r < rows; r += cu::grid_size()) {
    const f32* from = x + r * ldx;
    f32 top = negative_infinity();
    for (i64 c = cu::thread(); c < cols; c += cu::block_size()) {
      const f32 v = scale * from[c];
      top = v > top ? v : top;
    }
    top = cu::block_max(top);
    f32 sum = 0;
    for (i64 c = cu::thread(); c < cols; c += cu::block_size())
      sum += expf(scale * from[c] - top);
    const f32 inverse = 1.0f / cu::block_sum(sum);
    for (i64 c = cu::thread(); c < cols; c += cu::block_size()) {
      y[r * ldy + c] = expf(scale * from[c] - top) * inverse;
    }
  }
}

LM_GLOBAL void softmax_grad_rows(i64 rows, i64 cols, f32 scale, const f32* y, i64 ldy,
                                 const f32* dy, i64 lddy, f32* dx, i64 lddx) {
  for (i64 r = cu::block(); r < rows; r += cu::grid_size()) {
    f32 sum = 0;
    for (i64 c = cu::thread(); c < cols; c += cu::block_size()) {
      sum += y[r * ldy + c] * dy[r * lddy + c];
    }
    sum = cu::block_sum(sum);
    for (i64 c = cu::thread(); c < cols; c += cu::block_size()) {
      dx[r * lddx + c] = scale * (y[r * ldy + c] * (dy[r * lddy + c] - sum));
    }
  }
}

LM_GLOBAL void lse_rows(i64 rows, i64 cols, const f32* x, i64 ldx, f32* out) {
  for (i64 r = cu::block(); r < rows; r += cu::grid_size()) {
    const f32 lse = row_lse(cols, 1.0f, x + r * ldx);
    if (cu::thread() == 0) out[r] = lse;
  }
}

LM_GLOBAL void pick_rows(i64 rows, i64 cols, const f32* x, i64 ldx, const i32* index, f32* out) {
  for (i64 r = cu::index(); r < rows; r += cu::stride()) {
    const i32 c = index[r];
    out[r] = c >= 0 && c < cols ? x[r * ldx + c] : 0.0f;
  }
}

LM_GLOBAL void pick_grad_rows(i64 rows, i64 cols, const f32* d, const i32* index, f32* dx,
                              i64 lddx) {
  for (i64 i = cu::index(); i < rows * cols; i += cu::stride()) {
    const i64 r = i / cols;
    const i64 c = i - r * cols;
    dx[r * lddx + c] = c == index[r] ? d[r] : 0.0f;
  }
}

}  // namespace

void softmax(i64 rows, i64 cols, f32 scale, const f32* x, i64 ldx, f32* y, i64 ldy,
             Stream* stream) {
  cu::launch("softmax", softmax_rows, cu::blocks_for(rows, 1), cu::row_threads(cols), stream, rows,
             cols, scale, x, ldx, y, ldy);
}

void softmax_grad(i64 rows, i64 cols, f32 scale, const f32* y, i64 ldy, const f32* dy, i64 lddy,
                  f32* dx, i64 lddx, Stream* stream) {
  cu::launch("softmax_grad", softmax_grad_rows, cu::blocks_for(rows, 1), cu::row_threads(cols),
             stream, rows, cols, scale, y, ldy, dy, lddy, dx, lddx);
}

void logsumexp(i64 rows, i64 cols, const f32* x, i64 ldx, f32* out, Stream* stream) {
  cu::launch("logsumexp", lse_rows, cu::blocks_for(rows, 1), cu::row_threads(cols), stream, rows,
             cols, x, ldx, out);
}

void pick(i64 rows, i64 cols, const f32* x, i64 ldx, const i32* index, f32* out, Stream* stream) {
  cu::launch("pick", pick_rows, cu::blocks_for(rows, 256), 256, stream, rows, cols, x, ldx, index,
             out);
}

void pick_grad(i64 rows, i64 cols, const f32* d, const i32* index, f32* dx, i64 lddx,
               Stream* stream) {
  cu::launch("pick_grad", pick_grad_rows, cu::blocks_for(rows * cols, 256), 256, stream, rows, cols,
             d, index, dx, lddx);
}

}  // namespace lm::cuda
