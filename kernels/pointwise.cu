// Elementwise kernels. Layout: rows of f32, ld elements apart; contiguous operands at 16-byte
// addresses take the vector path (four elements per access), others one element per access. Each
// element is computed from its own inputs by one thread, so order and grid do not matter.

#include "core/random.h"
#include "element.h"
#include "functions.h"
#include "pointwise.h"
#include "tensor/convert.h"

namespace lm::cuda {

namespace {

constexpr int kThreads = 256;

struct AddScaled {
  f32 alpha, beta;
  LM_DEVICE f32 operator()(f32 a, f32 b) const { return alpha * a + beta * b; }
};
struct Multiply {
  f32 alpha;
  LM_DEVICE f32 operator()(f32 a, f32 b) const { return alpha * (a * b); }
};
struct Apply {
  Fn f;
  f32 p;
  LM_DEVICE f32 operator()(f32 a, f32) const { return apply(f, a, p); }
};
struct ApplyGrad {
  Fn f;
  f32 p;
  LM_DEVICE f32 operator()(f32 a, f32 b) const { return b * slope(f, a, p); }
};

template <typename T, typename F>
LM_GLOBAL void pair_rows(Pair<T> p, F f) {
  const i64 n = p.rows * p.cols;
  for (i64 i = cu::index(); i < n; i += cu::stride()) {
    const i64 r = i / p.cols;
    const i64 c = i - r * p.cols;
    const f32 b = p.b == nullptr ? 0.0f : widen(p.b[r * p.b_row + c * p.b_col]);
    p.y[r * p.ldy + c] = narrow<T>(f(widen(p.a[r * p.lda + c]), b));
  }
}

// Contiguous a, b (or none) and y by packs, then the rest by the first threads.
template <typename T, typename F>
LM_GLOBAL void pair_flat(Pair<T> p, F f) {
  constexpr int kCount = Pack<T>::kCount;
  const i64 n = p.rows * p.cols;
  const i64 packs = n / kCount;
  for (i64 i = cu::index(); i < packs; i += cu::stride()) {
    const Pack<T> a = load_pack(p.a + kCount * i);
    Pack<T> b{};
    if (p.b != nullptr) b = load_pack(p.b + kCount * i);
    Pack<T> y;
    LM_UNROLL
    for (int k = 0; k < kCount; ++k)
      y.v[k] = narrow<T>(f(widen(a.v[k]), widen(b.v[k])));
    store_pack(p.y + kCount * i, y);
  }
  for (i64 i = kCount * packs + cu::index(); i < n; i += cu::stride()) {
    p.y[i] = narrow<T>(f(widen(p.a[i]), p.b == nullptr ? 0.0f : widen(p.b[i])));
  }
}

template <typename T, typename F>
void run_pair(const char* name, const Pair<T>& p, F f, Stream* stream) {
  const i64 n = p.rows * p.cols;
  const auto whole = [&p](i64 ld) { return ld == p.cols || p.rows <= 1; };
  const bool b_flat = p.b == nullptr || (p.b_col == 1 && whole(p.b_row) && cu::aligned16(p.b) &&
                                         (p.b_row != 0 || p.rows <= 1));
  if (b_flat && whole(p.lda) && whole(p.ldy) && cu::aligned16(p.a) && cu::aligned16(p.y)) {
    cu::launch(name, pair_flat<T, F>, cu::blocks_for(n, Pack<T>::kCount * kThreads), kThreads,
               stream, p, f);
  } else {
    cu::launch(name, pair_rows<T, F>, cu::blocks_for(n, kThreads), kThreads, stream, p, f);
  }
}

LM_GLOBAL void fill_rows(i64 rows, i64 cols, f32 value, f32* y, i64 ldy) {
  for (i64 i = cu::index(); i < rows * cols; i += cu::stride()) {
    const i64 r = i / cols;
    y[r * ldy + (i - r * cols)] = value;
  }
}

LM_GLOBAL void broadcast_rows(i64 rows, i64 cols, const f32* v, i64 v_row, i64 v_col, f32 scale,
                              f32* y, i64 ldy) {
  for (i64 i = cu::index(); i < rows * cols; i += cu::stride()) {
    const i64 r = i / cols;
    const i64 c = i - r * cols;
    y[r * ldy + c] = scale * v[r * v_row + c * v_col];
  }
}

LM_GLOBAL void copy_words(i64 rows, i64 cols, const u32* x, i64 ldx, u32* y, i64 ldy) {
  for (i64 i = cu::index(); i < rows * cols; i += cu::stride()) {
    const i64 r = i / cols;
    const i64 c = i - r * cols;
    y[r * ldy + c] = x[r * ldx + c];
  }
}

LM_GLOBAL void copy_flat(i64 n, const f32* x, f32* y) {
  const i64 n4 = n / 4;
  for (i64 i = cu::index(); i < n4; i += cu::stride())
    cu::store4(y + 4 * i, cu::load4(x + 4 * i));
  for (i64 i = 4 * n4 + cu::index(); i < n; i += cu::stride())
    y[i] = x[i];
}

LM_GLOBAL void glu_rows(i64 rows, i64 half, Fn f, const f32* x, i64 ldx, f32* y, i64 ldy) {
  for (i64 i = cu::index(); i < rows * half; i += cu::stride()) {
    const i64 r = i / half;
    const i64 c = i - r * half;
    const f32* row = x + r * ldx;
    y[r * ldy + c] = apply(f, row[c], 0.0f) * row[half + c];
  }
}

LM_GLOBAL void glu_grad_rows(i64 rows, i64 half, Fn f, const f32* x, i64 ldx, const f32* dy,
                             i64 lddy, f32* dx, i64 lddx) {
  for (i64 i = cu::index(); i < rows * half; i += cu::stride()) {
    const i64 r = i / half;
    const i64 c = i - r * half;
    const f32 a = x[r * ldx + c];
    const f32 u = x[r * ldx + half + c];
    const f32 d = dy[r * lddy + c];
    dx[r * lddx + c] = d * u * slope(f, a, 0.0f);
    dx[r * lddx + half + c] = d * apply(f, a, 0.0f);
  }
}

// One thread makes the four words of a group and uses all of them.
LM_GLOBAL void dropout_rows(i64 rows, i64 cols, Dropout d, const f32* x, i64 ldx, f32* y, i64 ldy) {
  const i64 n = rows * cols;
  for (i64 group = cu::index(); 4 * group < n; group += cu::stride()) {
    const Philox4 words =
        philox({d.step, d.micro_step, d.node, static_cast<u32>(group)}, {d.key0, d.key1});
    for (i64 i = 4 * group; i < n && i < 4 * group + 4; ++i) {
      const i64 r = i / cols;
      const i64 c = i - r * cols;
      const bool kept = words[static_cast<std::size_t>(i & 3)] >= d.threshold;
      y[r * ldy + c] = kept ? x[r * ldx + c] * d.factor : 0.0f;
    }
  }
}

LM_GLOBAL void widen_bf16(i64 n, const u16* x, f32* y) {
  for (i64 i = cu::index(); i < n; i += cu::stride())
    y[i] = lm::bf16_to_f32(x[i]);
}
LM_GLOBAL void widen_f16(i64 n, const u16* x, f32* y) {
  for (i64 i = cu::index(); i < n; i += cu::stride())
    y[i] = lm::f16_to_f32(x[i]);
}
LM_GLOBAL void narrow_bf16(i64 n, const f32* x, u16* y) {
  for (i64 i = cu::index(); i < n; i += cu::stride())
    y[i] = lm::f32_to_bf16(x[i]);
}

LM_GLOBAL void adamw_step(i64 n, AdamW a, const f32* grad, f32* w, f32* m, f32* v, u16* copy) {
  for (i64 i = cu::index(); i < n; i += cu::stride()) {
    const f32 g = a.grad_scale * grad[i];
    const f32 mean = a.beta1 * m[i] + (1.0f - a.beta1) * g;
    const f32 square = a.beta2 * v[i] + (1.0f - a.beta2) * (g * g);
    const f32 update = mean / a.correction1 / (sqrtf(square / a.correction2) + a.eps);
    const f32 old = w[i];
    const bool decays = !a.cautious || update * old > 0.0f;
    const f32 now = old - a.lr * (update + (decays ? a.weight_decay * old : 0.0f));
    m[i] = mean;
    v[i] = square;
    w[i] = now;
    if (copy != nullptr) copy[i] = lm::f32_to_bf16(now);
  }
}

}  // namespace

template <typename T>
void add_scaled(const Pair<T>& p, f32 alpha, f32 beta, Stream* stream) {
  run_pair("add_scaled", p, AddScaled{alpha, beta}, stream);
}
template <typename T>
void multiply(const Pair<T>& p, f32 alpha, Stream* stream) {
  run_pair("multiply", p, Multiply{alpha}, stream);
}
template <typename T>
void unary(const Pair<T>& p, Fn f, f32 param, Stream* stream) {
  run_pair("unary", p, Apply{f, param}, stream);
}
template <typename T>
void unary_grad(const Pair<T>& p, Fn f, f32 param, Stream* stream) {
  run_pair("unary_grad", p, ApplyGrad{f, param}, stream);
}

void fill(i64 rows, i64 cols, f32 value, f32* y, i64 ldy, Stream* stream) {
  cu::launch("fill", fill_rows, cu::blocks_for(rows * cols, 4 * kThreads), kThreads, stream, rows,
             cols, value, y, ldy);
}

void broadcast(i64 rows, i64 cols, const f32* v, i64 v_row, i64 v_col, f32 scale, f32* y, i64 ldy,
               Stream* stream) {
  cu::launch("broadcast", broadcast_rows, cu::blocks_for(rows * cols, kThreads), kThreads, stream,
             rows, cols, v, v_row, v_col, scale, y, ldy);
}

void copy_rows(i64 rows, i64 cols, const void* x, i64 ldx, void* y, i64 ldy, Stream* stream) {
  const bool flat = rows <= 1 || (ldx == cols && ldy == cols);
  if (flat && cu::aligned16(x) && cu::aligned16(y)) {
    cu::launch("copy_flat", copy_flat, cu::blocks_for(rows * cols, 4 * kThreads), kThreads, stream,
               rows * cols, static_cast<const f32*>(x), static_cast<f32*>(y));
  } else {
    cu::launch("copy_rows", copy_words, cu::blocks_for(rows * cols, kThreads), kThreads, stream,
               rows, cols, static_cast<const u32*>(x), ldx, static_cast<u32*>(y), ldy);
  }
}

void glu(i64 rows, i64 half, Fn f, const f32* x, i64 ldx, f32* y, i64 ldy, Stream* stream) {
  cu::launch("glu", glu_rows, cu::blocks_for(rows * half, kThreads), kThreads, stream, rows, half,
             f, x, ldx, y, ldy);
}

void glu_grad(i64 rows, i64 half, Fn f, const f32* x, i64 ldx, const f32* dy, i64 lddy, f32* dx,
              i64 lddx, Stream* stream) {
  cu::launch("glu_grad", glu_grad_rows, cu::blocks_for(rows * half, kThreads), kThreads, stream,
             rows, half, f, x, ldx, dy, lddy, dx, lddx);
}

void dropout(i64 rows, i64 cols, const Dropout& d, const f32* x, i64 ldx, f32* y, i64 ldy,
             Stream* stream) {
  cu::launch("dropout", dropout_rows, cu::blocks_for(rows * cols, 4 * kThreads), kThreads, stream,
             rows, cols, d, x, ldx, y, ldy);
}

void bf16_to_f32(i64 n, const u16* x, f32* y, Stream* stream) {
  cu::launch("bf16_to_f32", widen_bf16, cu::blocks_for(n, kThreads), kThreads, stream, n, x, y);
}
void f16_to_f32(i64 n, const u16* x, f32* y, Stream* stream) {
  cu::launch("f16_to_f32", widen_f16, cu::blocks_for(n, kThreads), kThreads, stream, n, x, y);
}
void f32_to_bf16(i64 n, const f32* x, u16* y, Stream* stream) {
  cu::launch("f32_to_bf16", narrow_bf16, cu::blocks_for(n, kThreads), kThreads, stream, n, x, y);
}

void adamw(i64 n, const AdamW& cfg, const f32* grad, f32* w, f32* m, f32* v, u16* copy,
           Stream* stream) {
  cu::launch("adamw", adamw_step, cu::blocks_for(n, kThreads), kThreads, stream, n, cfg, grad, w, m,
             v, copy);
}

#define LM_POINTWISE(T)                                        \
  template void add_scaled(const Pair<T>&, f32, f32, Stream*); \
  template void multiply(const Pair<T>&, f32, Stream*);        \
  template void unary(const Pair<T>&, Fn, f32, Stream*);       \
  template void unary_grad(const Pair<T>&, Fn, f32, Stream*);
LM_POINTWISE(f32)
LM_POINTWISE(Bf16)
#undef LM_POINTWISE

}  // namespace lm::cuda
