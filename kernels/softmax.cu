// Softmax rows. [rows, cols] of T (f32, bf16), a block per row, three passes (maximum, sum, result)
// over a row that stays in cache; the maximum is subtracted first, so no overflow. A row of -inf
// gives NaN, as on the CPU.

#include "block.h"
#include "element.h"
#include "softmax.h"

namespace lm::cuda {

namespace {

LM_DEVICE f32 negative_infinity() {
  return -INFINITY;
}

// log sum exp(scale x) of one row by the whole block.
template <typename T>
LM_DEVICE f32 row_lse(i64 cols, f32 scale, const T* x) {
  f32 top = negative_infinity();
  for (i64 c = cu::thread(); c < cols; c += cu::block_size()) {
    const f32 v = scale * widen(x[c]);
    top = v > top ? v : top;
  }
  top = cu::block_max(top);
  f32 sum = 0;
  for (i64 c = cu::thread(); c < cols; c += cu::block_size())
    sum += expf(scale * widen(x[c]) - top);
  return top + logf(cu::block_sum(sum));
}

template <typename T>
LM_GLOBAL void softmax_rows(i64 rows, i64 cols, f32 scale, const T* x, i64 ldx, T* y, i64 ldy) {
  for (i64 r = cu::block(); r < rows; r += cu::grid_size()) {
    const T* from = x + r * ldx;
    f32 top = negative_infinity();
    for (i64 c = cu::thread(); c < cols; c += cu::block_size()) {
      const f32 v = scale * widen(from[c]);
      top = v > top ? v : top;
    }
    top = cu::block_max(top);
    f32 sum = 0;
    for (i64 c = cu::thread(); c < cols; c += cu::block_size())
      sum += expf(scale * widen(from[c]) - top);
    const f32 inverse = 1.0f / cu::block_sum(sum);
    for (i64 c = cu::thread(); c < cols; c += cu::block_size()) {
      y[r * ldy + c] = narrow<T>(expf(scale * widen(from[c]) - top) * inverse);
    }
  }
}

template <typename T>
LM_GLOBAL void softmax_grad_rows(i64 rows, i64 cols, f32 scale, const T* y, i64 ldy, const T* dy,
                                 i64 lddy, T* dx, i64 lddx) {
  for (i64 r = cu::block(); r < rows; r += cu::grid_size()) {
    f32 sum = 0;
    for (i64 c = cu::thread(); c < cols; c += cu::block_size()) {
      sum += widen(y[r * ldy + c]) * widen(dy[r * lddy + c]);
    }
    sum = cu::block_sum(sum);
    for (i64 c = cu::thread(); c < cols; c += cu::block_size()) {
      const f32 d = widen(dy[r * lddy + c]) - sum;
      dx[r * lddx + c] = narrow<T>(scale * (widen(y[r * ldy + c]) * d));
    }
  }
}

template <typename T, typename O>
LM_GLOBAL void lse_rows(i64 rows, i64 cols, const T* x, i64 ldx, O* out) {
  for (i64 r = cu::block(); r < rows; r += cu::grid_size()) {
    const f32 lse = row_lse(cols, 1.0f, x + r * ldx);
    if (cu::thread() == 0) out[r] = narrow<O>(lse);
  }
}

template <typename T, typename O>
LM_GLOBAL void pick_rows(i64 rows, i64 cols, const T* x, i64 ldx, const i32* index, O* out) {
  for (i64 r = cu::index(); r < rows; r += cu::stride()) {
    const i32 c = index[r];
    out[r] = narrow<O>(c >= 0 && c < cols ? widen(x[r * ldx + c]) : 0.0f);
  }
}

template <typename T, typename O>
LM_GLOBAL void pick_grad_rows(i64 rows, i64 cols, const O* d, const i32* index, T* dx, i64 lddx) {
  for (i64 i = cu::index(); i < rows * cols; i += cu::stride()) {
    const i64 r = i / cols;
    const i64 c = i - r * cols;
    dx[r * lddx + c] = narrow<T>(c == index[r] ? widen(d[r]) : 0.0f);
  }
}

}  // namespace

template <typename T>
void softmax(i64 rows, i64 cols, f32 scale, const T* x, i64 ldx, T* y, i64 ldy, Stream* stream) {
  cu::launch("softmax", softmax_rows<T>, cu::blocks_for(rows, 1), cu::row_threads(cols), stream,
             rows, cols, scale, x, ldx, y, ldy);
}

template <typename T>
void softmax_grad(i64 rows, i64 cols, f32 scale, const T* y, i64 ldy, const T* dy, i64 lddy, T* dx,
                  i64 lddx, Stream* stream) {
  cu::launch("softmax_grad", softmax_grad_rows<T>, cu::blocks_for(rows, 1), cu::row_threads(cols),
             stream, rows, cols, scale, y, ldy, dy, lddy, dx, lddx);
}

template <typename T, typename O>
void logsumexp(i64 rows, i64 cols, const T* x, i64 ldx, O* out, Stream* stream) {
  cu::launch("logsumexp", lse_rows<T, O>, cu::blocks_for(rows, 1), cu::row_threads(cols), stream,
             rows, cols, x, ldx, out);
}

template <typename T, typename O>
void pick(i64 rows, i64 cols, const T* x, i64 ldx, const i32* index, O* out, Stream* stream) {
  cu::launch("pick", pick_rows<T, O>, cu::blocks_for(rows, 256), 256, stream, rows, cols, x, ldx,
             index, out);
}

template <typename T, typename O>
void pick_grad(i64 rows, i64 cols, const O* d, const i32* index, T* dx, i64 lddx, Stream* stream) {
  cu::launch("pick_grad", pick_grad_rows<T, O>, cu::blocks_for(rows * cols, 256), 256, stream, rows,
             cols, d, index, dx, lddx);
}

#define LM_SOFTMAX(T)                                                    \
  template void softmax(i64, i64, f32, const T*, i64, T*, i64, Stream*); \
  template void softmax_grad(i64, i64, f32, const T*, i64, const T*, i64, T*, i64, Stream*);
LM_SOFTMAX(f32)
LM_SOFTMAX(Bf16)
#undef LM_SOFTMAX
#define LM_PICK(T, O)                                                   \
  template void logsumexp(i64, i64, const T*, i64, O*, Stream*);        \
  template void pick(i64, i64, const T*, i64, const i32*, O*, Stream*); \
  template void pick_grad(i64, i64, const O*, const i32*, T*, i64, Stream*);
LM_PICK(f32, f32)
LM_PICK(Bf16, f32)
LM_PICK(Bf16, Bf16)
#undef LM_PICK

}  // namespace lm::cuda
