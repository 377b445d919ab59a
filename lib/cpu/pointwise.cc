#include "cpu/pointwise.h"

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "cpu/isa.h"
#include "cpu/norm.h"
#include "cpu/rows.h"
#include "cpu/scratch.h"

namespace lm::cpu {

bool has_unary(Unary f) {
  switch (f) {
    case Unary::kTanh:
    case Unary::kSigmoid:
    case Unary::kExp:
    case Unary::kLog:
    case Unary::kSquare:
    case Unary::kSqrt:
    case Unary::kSoftcap:
      return true;
    default:
      return false;
  }
}

void unary(Unary f, i64 n, const f32* x, f32* y, f32 p) {
  LM_CHECK(has_unary(f), "a function that this kernel has");
  const isa::Kernels& isa = active();
  parallel_for(n, kFlatGrain / 4, [&](i64 b, i64 e) { isa.unary(f, e - b, x + b, y + b, p); });
}

void unary_backward(Unary f, i64 n, const f32* x, const f32* dy, f32* dx, f32 p) {
  LM_CHECK(has_unary(f), "a function that this kernel has");
  const isa::Kernels& isa = active();
  parallel_for(n, kFlatGrain / 4,
               [&](i64 b, i64 e) { isa.unary_backward(f, e - b, x + b, dy + b, dx + b, p); });
}

void act_forward(Act act, i64 n, const f32* x, f32* y) {
  const isa::Kernels& isa = active();
  parallel_for(n, kFlatGrain / 4, [&](i64 b, i64 e) { isa.act_forward(act, e - b, x + b, y + b); });
}

void act_backward(Act act, i64 n, const f32* x, const f32* dy, f32* dx) {
  const isa::Kernels& isa = active();
  parallel_for(n, kFlatGrain / 4,
               [&](i64 b, i64 e) { isa.act_backward(act, e - b, x + b, dy + b, dx + b); });
}

void glu_forward(Act act, i64 rows, i64 f, const f32* x, i64 ldx, f32* y, i64 ldy) {
  const isa::Kernels& isa = active();
  for_rows(rows, 8 * f, [&](i64 r) { isa.glu_forward(act, f, x + r * ldx, y + r * ldy); });
}

void glu_backward(Act act, i64 rows, i64 f, const f32* x, i64 ldx, const f32* dy, i64 lddy, f32* dx,
                  i64 lddx) {
  const isa::Kernels& isa = active();
  for_rows(rows, 8 * f,
           [&](i64 r) { isa.glu_backward(act, f, x + r * ldx, dy + r * lddy, dx + r * lddx); });
}

namespace {

using Binary = void (*)(i64, const f32*, const f32*, f32*);

void run_binary(Binary f, i64 n, const f32* x, const f32* y, f32* out) {
  parallel_for(n, kFlatGrain, [&](i64 b, i64 e) { f(e - b, x + b, y + b, out + b); });
}

}  // namespace

void add(i64 n, const f32* x, const f32* y, f32* out) {
  run_binary(active().add, n, x, y, out);
}
void subtract(i64 n, const f32* x, const f32* y, f32* out) {
  run_binary(active().subtract, n, x, y, out);
}
void multiply(i64 n, const f32* x, const f32* y, f32* out) {
  run_binary(active().multiply, n, x, y, out);
}
void divide(i64 n, const f32* x, const f32* y, f32* out) {
  run_binary(active().divide, n, x, y, out);
}

void scale(i64 n, f32 s, const f32* x, f32* out) {
  const isa::Kernels& isa = active();
  parallel_for(n, kFlatGrain, [&](i64 b, i64 e) { isa.scale(e - b, s, x + b, out + b); });
}

void axpy(i64 n, f32 s, const f32* x, f32* out) {
  const isa::Kernels& isa = active();
  parallel_for(n, kFlatGrain, [&](i64 b, i64 e) { isa.axpy(e - b, s, x + b, out + b); });
}

void fill(i64 n, f32 value, f32* out) {
  parallel_for(n, kFlatGrain, [&](i64 b, i64 e) { std::fill(out + b, out + e, value); });
}

void where(i64 n, const u8* mask, const f32* x, const f32* y, f32* out) {
  parallel_for(n, kFlatGrain, [&](i64 b, i64 e) {
    for (i64 i = b; i < e; ++i)
      out[i] = mask[i] != 0 ? x[i] : y[i];
  });
}

void add_row_vector(i64 rows, i64 cols, const f32* x, i64 ldx, const f32* v, f32* out, i64 ldo) {
  const isa::Kernels& isa = active();
  for_rows(rows, cols, [&](i64 r) { isa.add(cols, x + r * ldx, v, out + r * ldo); });
}

void multiply_row_vector(i64 rows, i64 cols, const f32* x, i64 ldx, const f32* v, f32* out,
                         i64 ldo) {
  const isa::Kernels& isa = active();
  for_rows(rows, cols, [&](i64 r) { isa.multiply(cols, x + r * ldx, v, out + r * ldo); });
}

void scale_rows(i64 rows, i64 cols, const f32* x, i64 ldx, const f32* s, f32* out, i64 ldo) {
  const isa::Kernels& isa = active();
  for_rows(rows, cols, [&](i64 r) { isa.scale(cols, s[r], x + r * ldx, out + r * ldo); });
}

void copy_rows(i64 rows, i64 cols, const f32* x, i64 ldx, f32* out, i64 ldo) {
  for_rows(rows, cols, [&](i64 r) { std::copy(x + r * ldx, x + r * ldx + cols, out + r * ldo); });
}

void copy_strided(i64 rank, const i64* shape, const i64* strides, const f32* x, f32* out) {
  LM_CHECK(rank >= 0 && rank <= 5, "strided copies take up to five axes");
  // Missing leading axes have length 1; the last axis is one run.
  i64 dim[5] = {1, 1, 1, 1, 1}, step[5] = {0, 0, 0, 0, 0};
  for (i64 i = 0; i < rank; ++i) {
    dim[5 - rank + i] = shape[i];
    step[5 - rank + i] = strides[i];
  }
  const i64 runs = dim[0] * dim[1] * dim[2] * dim[3];
  for_rows(runs, dim[4], [&](i64 run) {
    i64 rest = run, base = 0;
    for (int axis = 3; axis >= 0; --axis) {
      base += rest % dim[axis] * step[axis];
      rest /= dim[axis];
    }
    f32* to = out + run * dim[4];
    for (i64 i = 0; i < dim[4]; ++i)
      to[i] = x[base + i * step[4]];
  });
}

namespace {

constexpr i64 kSumBlock = 4096;

f64 block_sum(f64 (*f)(i64, const f32*), i64 n, const f32* x) {
  if (n <= 0) return 0;
  const i64 blocks = (n + kSumBlock - 1) / kSumBlock;
  std::vector<f64> partial(usize(blocks));
  parallel_for(blocks, 16, [&](i64 begin, i64 end) {
    for (i64 b = begin; b < end; ++b) {
      partial[usize(b)] = f(std::min(kSumBlock, n - b * kSumBlock), x + b * kSumBlock);
    }
  });
  f64 total = 0;
  for (const f64 p : partial)
    total += p;
  return total;
}

}  // namespace

f64 sum(i64 n, const f32* x) {
  return block_sum(active().sum, n, x);
}
f64 sum_squares(i64 n, const f32* x) {
  return block_sum(active().sum_squares, n, x);
}

void add_column_sums(i64 rows, i64 cols, const f32* x, i64 ldx, f32* out) {
  const isa::Kernels& isa = active();
  sum_chunks(rows, cols, out, [&](i64 r0, i64 r1, f32* partial) {
    isa.column_sums(r1 - r0, cols, x + r0 * ldx, ldx, partial);
  });
}

void row_sums(i64 rows, i64 cols, const f32* x, i64 ldx, f32* out) {
  const isa::Kernels& isa = active();
  for_rows(rows, cols, [&](i64 r) { out[r] = isa.row_sum(cols, x + r * ldx); });
}

void row_dots(i64 rows, i64 cols, const f32* x, i64 ldx, const f32* y, i64 ldy, f32* out) {
  const isa::Kernels& isa = active();
  for_rows(rows, cols, [&](i64 r) { out[r] = isa.row_dot(cols, x + r * ldx, y + r * ldy); });
}

void embedding_forward(i64 rows, i64 cols, const f32* table, i64 ldt, const i32* ids, f32 scale,
                       bool accumulate, f32* y, i64 ldy) {
  const isa::Kernels& isa = active();
  for_rows(rows, cols, [&](i64 r) {
    isa.scale_copy(cols, scale, table + ids[r] * ldt, y + r * ldy, accumulate);
  });
}

void embedding_forward16(i64 rows, i64 cols, WeightType type, const u16* table, i64 ldt,
                         const i32* ids, f32 scale, bool accumulate, f32* y, i64 ldy) {
  const isa::Kernels& isa = active();
  const auto widen = type == WeightType::kBf16 ? isa.bf16_to_f32 : isa.f16_to_f32;
  for_rows(rows, cols, [&](i64 r) {
    const Scratch wide(cols);
    widen(cols, table + ids[r] * ldt, wide.data());
    isa.scale_copy(cols, scale, wide.data(), y + r * ldy, accumulate);
  });
}

void embedding_backward(i64 rows, i64 cols, i64 vocab, const i32* ids, f32 scale, const f32* dy,
                        i64 lddy, f32* dtable, i64 ldt) {
  if (rows <= 0) return;
  // Counting sort, stable: rows of one id stay in row order and are summed by one worker.
  std::vector<i64> start(usize(vocab + 1), 0);
  for (i64 r = 0; r < rows; ++r) {
    if (ids[r] < 0) continue;
    LM_CHECK(ids[r] < vocab, "an embedding gradient's id lies outside the table");
    ++start[usize(ids[r] + 1)];
  }
  std::vector<i64> used;
  for (i64 v = 0; v < vocab; ++v) {
    if (start[usize(v + 1)] > 0) used.push_back(v);
    start[usize(v + 1)] += start[usize(v)];
  }
  std::vector<i64> next(start.begin(), start.end() - 1);
  std::vector<i64> order(usize(start[usize(vocab)]));
  for (i64 r = 0; r < rows; ++r) {
    if (ids[r] >= 0) order[usize(next[usize(ids[r])]++)] = r;
  }
  const isa::Kernels& isa = active();
  for_rows(ssize(used), cols, [&](i64 u) {
    const i64 v = used[usize(u)];
    for (i64 i = start[usize(v)]; i < start[usize(v + 1)]; ++i) {
      isa.scale_copy(cols, scale, dy + order[usize(i)] * lddy, dtable + v * ldt, true);
    }
  });
}

void softmax_rows(i64 rows, i64 cols, const f32* x, i64 ldx, f32* y, i64 ldy) {
  if (cols <= 0) return;
  const isa::Kernels& isa = active();
  for_rows(rows, 4 * cols, [&](i64 r) { isa.softmax_row(cols, x + r * ldx, y + r * ldy); });
}

void softmax_backward(i64 rows, i64 cols, const f32* y, i64 ldy, const f32* dy, i64 lddy, f32* dx,
                      i64 lddx) {
  const isa::Kernels& isa = active();
  for_rows(rows, cols, [&](i64 r) {
    isa.softmax_row_backward(cols, y + r * ldy, dy + r * lddy, dx + r * lddx);
  });
}

void logsumexp_rows(i64 rows, i64 cols, const f32* x, i64 ldx, f32* out) {
  const isa::Kernels& isa = active();
  for_rows(rows, 4 * cols, [&](i64 r) { out[r] = isa.logsumexp_row(cols, x + r * ldx); });
}

void adamw(i64 n, const AdamW& cfg, const f32* grad, f32* w, f32* m, f32* v) {
  const isa::Kernels& isa = active();
  parallel_for(n, kFlatGrain,
               [&](i64 b, i64 e) { isa.adamw(e - b, cfg, grad + b, w + b, m + b, v + b); });
}

void f32_to_bf16(i64 n, const f32* x, u16* y) {
  const isa::Kernels& isa = active();
  parallel_for(n, kFlatGrain, [&](i64 b, i64 e) { isa.f32_to_bf16(e - b, x + b, y + b); });
}
void bf16_to_f32(i64 n, const u16* x, f32* y) {
  const isa::Kernels& isa = active();
  parallel_for(n, kFlatGrain, [&](i64 b, i64 e) { isa.bf16_to_f32(e - b, x + b, y + b); });
}
void f32_to_f16(i64 n, const f32* x, u16* y) {
  const isa::Kernels& isa = active();
  parallel_for(n, kFlatGrain, [&](i64 b, i64 e) { isa.f32_to_f16(e - b, x + b, y + b); });
}
void f16_to_f32(i64 n, const u16* x, f32* y) {
  const isa::Kernels& isa = active();
  parallel_for(n, kFlatGrain, [&](i64 b, i64 e) { isa.f16_to_f32(e - b, x + b, y + b); });
}

}  // namespace lm::cpu
