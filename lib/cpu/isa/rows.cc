// Sums, softmax and column sums over rows.

#include "cpu/isa/math.h"
#include "cpu/isa/parts.h"
#include "cpu/isa/reduce.h"

namespace lm::isa::LM_ISA {

namespace {

typedef f64 D __attribute__((vector_size(kLanes * 8)));

// f64 sum of a block in kLanes chains, then in lane order.
template <typename F>
LM_INLINE f64 wide_sum(i64 n, const f32* x, F f) {
  D acc = {};
  i64 i = 0;
  for (; i + kLanes <= n; i += kLanes)
    acc = acc + f(__builtin_convertvector(load(x + i), D));
  if (i < n) acc = acc + f(__builtin_convertvector(load_part(x + i, n - i), D));
  f64 total = 0;
  for (int lane = 0; lane < kLanes; ++lane)
    total += acc[lane];
  return total;
}

f64 sum(i64 n, const f32* x) {
  return wide_sum(n, x, [](D v) { return v; });
}
f64 sum_squares(i64 n, const f32* x) {
  return wide_sum(n, x, [](D v) { return v * v; });
}
f32 row_sum(i64 n, const f32* x) {
  return reduce_sum(n, [x](i64 i, i64 w) { return load_n(x + i, w); });
}
f32 row_dot(i64 n, const f32* x, const f32* y) {
  return dot(n, x, y);
}

// out[c] = sum over rows in row order (overwrites).
void column_sums(i64 rows, i64 cols, const f32* x, i64 ldx, f32* out) {
  for (i64 c = 0; c < cols; ++c)
    out[c] = 0.0f;
  for (i64 r = 0; r < rows; ++r) {
    const f32* row = x + r * ldx;
    for (i64 c = 0; c < cols; c += kLanes) {
      store_n(out + c, load_n(out + c, cols - c) + load_n(row + c, cols - c), cols - c);
    }
  }
}

void softmax_row(i64 n, const f32* x, f32* y) {
  const V m = splat(reduce_max(n, x));
  const f32 z = reduce_sum(n, [&](i64 i, i64 w) {
    const V e = keep_first(exp(load_n(x + i, w) - m), w);
    store_n(y + i, e, w);
    return e;
  });
  const V r = splat(1.0f / z);
  for (i64 i = 0; i < n; i += kLanes)
    store_n(y + i, load_n(y + i, n - i) * r, n - i);
}

void softmax_row_backward(i64 n, const f32* y, const f32* dy, f32* dx) {
  const V d = splat(row_dot(n, y, dy));
  for (i64 i = 0; i < n; i += kLanes) {
    const i64 w = n - i;
    store_n(dx + i, load_n(y + i, w) * (load_n(dy + i, w) - d), w);
  }
}

f32 logsumexp_row(i64 n, const f32* x) {
  const f32 top = reduce_max(n, x);
  if (top == -__builtin_inff()) return top;
  const V m = splat(top);
  const f32 z =
      reduce_sum(n, [&](i64 i, i64 w) { return keep_first(exp(load_n(x + i, w) - m), w); });
  return top + log(splat(z))[0];
}

void scale_copy(i64 n, f32 s, const f32* x, f32* out, bool accumulate) {
  const V vs = splat(s);
  for (i64 i = 0; i < n; i += kLanes) {
    const i64 w = n - i;
    const V v = load_n(x + i, w) * vs;
    store_n(out + i, accumulate ? load_n(out + i, w) + v : v, w);
  }
}

}  // namespace

void install_rows(Kernels& table) {
  table.sum = sum;
  table.sum_squares = sum_squares;
  table.row_sum = row_sum;
  table.row_dot = row_dot;
  table.column_sums = column_sums;
  table.softmax_row = softmax_row;
  table.softmax_row_backward = softmax_row_backward;
  table.logsumexp_row = logsumexp_row;
  table.scale_copy = scale_copy;
}

}  // namespace lm::isa::LM_ISA
