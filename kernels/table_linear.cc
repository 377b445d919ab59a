// Linear layers and batched products through cuBLASLt.

#include "linear_rows.h"
#include "pointwise.h"
#include "runtime.h"
#include "table.h"

namespace lm::cuda {

void product(const Gemm& g, Stream* stream) {
  if (g.k > 0) {
    context().gemm->run(g, stream);
    return;
  }
  if (g.beta != 0.0f) return;
  const i64 item = item_bytes(g.out);
  for (i64 b = 0; b < g.batch; ++b) {
    for (i64 r = 0; r < g.m; ++r)
      set_zero(static_cast<u8*>(g.y) + (b * g.stride_y + r * g.ldy) * item, g.n * item, stream);
  }
}

namespace {

template <typename T>
Pair<T> in_place(i64 rows, i64 cols, T* y, i64 ldy) {
  Pair<T> p;
  p.rows = rows;
  p.cols = cols;
  p.a = p.y = y;
  p.lda = p.ldy = ldy;
  return p;
}

// y = act(pre).
template <typename T>
void activate(const Tensor& pre, const Tensor& y, Unary f, Stream* stream) {
  Pair<T> p = in_place(y.rows(), y.cols(), items<T>(y), y.ld);
  p.a = items<T>(pre);
  p.lda = pre.ld;
  unary(p, f, 0.0f, stream);
}

// x times its weight's transpose: y and what the epilogue needs are for the caller.
Gemm forward_of(const Tensor& x, const Tensor& w, void* space, Stream* stream) {
  Gemm g;
  g.in = x.dtype;
  g.out = x.dtype;
  g.m = x.rows();
  g.n = w.rows();
  g.k = w.cols();
  g.a = x.data;
  g.lda = x.ld;
  g.b = weight_of(x, w, space, stream);
  g.ldb = w.ld;
  return g;
}

// The tanh-GELU and the matrix it saves in the library's own epilogue; below compute capability 9.0
// separate kernels are faster.
bool fuses_gelu(Unary act, const Tensor& saved) {
  return act == Unary::kGeluTanh && saved.data != nullptr && saved.ld % 8 == 0 &&
         context().capability >= 90;
}

// A layer on a few rows that keeps nothing for a gradient: decoding. False where it is not one.
bool run_few_rows(const RunCtx& ctx, const Node& n, const Tensor* in, const Tensor& y) {
  const Tensor& x = in[0];
  if (x.rows() > kFewRows || x.dtype != in[1].dtype || n.out.size() > 1) return false;
  bool done = false;
  by_type(n, x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    LinearRows<T> l;
    l.rows = x.rows();
    l.n = in[1].rows();
    l.k = in[1].cols();
    l.x = items<T>(x);
    l.ldx = x.ld;
    l.w = items<T>(in[1]);
    l.ldw = in[1].ld;
    l.bias = given(n, 2) ? items<T>(in[2]) : nullptr;
    l.residual = given(n, 3) ? items<T>(in[3]) : nullptr;
    l.ld_residual = given(n, 3) ? in[3].ld : 0;
    l.f = n.attr.as<LinearAttr>().act;
    if (!few_rows(l)) return;
    done = true;
    if (y.dtype == x.dtype) {
      linear_rows(l, items<T>(y), y.ld, ctx.stream);
    } else {
      linear_rows(l, items<f32>(y), y.ld, ctx.stream);
    }
  });
  return done;
}

}  // namespace

i64 weight_bytes(DType x, const Shape& w, DType dtype) {
  return x == DType::kF32 && dtype != DType::kF32 ? 4 * w.count() : 0;
}

const void* weight_of(const Tensor& x, const Tensor& w, void* space, Stream* stream) {
  if (x.dtype == w.dtype) return w.data;
  LM_CHECK(x.dtype == DType::kF32, "bf16 activations meet bf16 weights");
  LM_CHECK(w.contiguous(), "16-bit weights are contiguous");
  f32* to = static_cast<f32*>(space);
  const u16* from = static_cast<const u16*>(w.data);
  (w.dtype == DType::kBf16 ? bf16_to_f32 : f16_to_f32)(w.count(), from, to, stream);
  return to;
}

i64 space_linear(const Node& n, const Graph& g) {
  return weight_bytes(g.info(n.in[0]).dtype, g.shape(n.in[1]), g.info(n.in[1]).dtype);
}

void run_linear(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const Unary act = n.attr.as<LinearAttr>().act;
  const Tensor& y = out[0];
  const Tensor saved = n.out.size() > 1 ? out[1] : Tensor{};
  if (y.count() == 0 || run_few_rows(ctx, n, in, y)) return;
  Gemm g = forward_of(in[0], in[1], space, ctx.stream);
  g.out = y.dtype;
  if (given(n, 3)) {
    g.c = in[3].data;
    g.ldc = in[3].ld;
    g.beta = 1;
  }
  const void* bias = given(n, 2) ? in[2].data : nullptr;
  if (fuses_gelu(act, saved)) {
    Gemm fused = g;
    fused.epilogue = bias != nullptr ? GemmEpilogue::kGeluAuxBias : GemmEpilogue::kGeluAux;
    fused.bias = bias;
    fused.aux = saved.data;
    fused.ld_aux = saved.ld;
    fused.y = y.data;
    fused.ldy = y.ld;
    if (context().gemm->supports(fused)) {
      product(fused, ctx.stream);
      return;
    }
  }
  const Tensor& pre = act != Unary::kNone && saved.data != nullptr ? saved : y;
  g.y = pre.data;
  g.ldy = pre.ld;
  Gemm biased = g;
  biased.epilogue = GemmEpilogue::kBias;
  biased.bias = bias;
  const bool one_step = bias != nullptr && context().gemm->supports(biased);
  product(one_step ? biased : g, ctx.stream);
  by_type(n, y.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if (bias != nullptr && !one_step) {
      Pair<T> p = in_place(g.m, g.n, items<T>(pre), g.ldy);
      p.b = static_cast<const T*>(bias);
      p.b_col = 1;
      add_scaled(p, 1.0f, 1.0f, ctx.stream);
    }
    if (act != Unary::kNone) activate<T>(pre, y, act, ctx.stream);
  });
}

// in: dy, w, and the saved input of an activation whose slope multiplies the result.
void run_linear_grad_x(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const Tensor& dx = out[0];
  Gemm g;
  g.in = in[0].dtype;
  g.out = dx.dtype;
  g.layout = GemmLayout::kNN;
  g.m = in[0].rows();
  g.n = in[1].cols();
  g.k = in[1].rows();
  g.a = in[0].data;
  g.lda = in[0].ld;
  g.b = in[1].data;
  g.ldb = in[1].ld;
  LM_CHECK(in[0].dtype == in[1].dtype, "gradients have their weight's type");
  g.y = dx.data;
  g.ldy = dx.ld;
  g.beta = adds_to(n, 0) ? 1.0f : 0.0f;
  const Unary act = given(n, 2) ? n.attr.as<LinearAttr>().act : Unary::kNone;
  if (fuses_gelu(act, given(n, 2) ? in[2] : Tensor{}) && g.k > 0) {
    Gemm fused = g;
    fused.epilogue = GemmEpilogue::kDGelu;
    fused.aux = in[2].data;
    fused.ld_aux = in[2].ld;
    if (context().gemm->supports(fused)) {
      product(fused, ctx.stream);
      return;
    }
  }
  product(g, ctx.stream);
  if (act == Unary::kNone) return;
  by_type(n, dx.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    Pair<T> p = in_place(dx.rows(), dx.cols(), items<T>(dx), dx.ld);
    p.a = items<T>(in[2]);
    p.lda = in[2].ld;
    p.b = items<T>(dx);
    p.b_row = dx.ld;
    p.b_col = 1;
    unary_grad(p, act, 0.0f, ctx.stream);
  });
}

void run_linear_grad_w(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  Gemm g;
  g.in = in[0].dtype;
  g.out = out[0].dtype;
  g.layout = GemmLayout::kTN;
  g.m = in[0].cols();
  g.n = in[1].cols();
  g.k = in[0].rows();
  g.a = in[0].data;
  g.lda = in[0].ld;
  g.b = in[1].data;
  g.ldb = in[1].ld;
  LM_CHECK(in[0].dtype == in[1].dtype, "gradients have their input's type");
  g.y = out[0].data;
  g.ldy = out[0].ld;
  g.beta = adds_to(n, 0) ? 1.0f : 0.0f;
  product(g, ctx.stream);
}

void run_matmul(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const MatmulAttr m = n.attr.as<MatmulAttr>();
  const Shape& a = in[0].shape;
  const Shape& c = out[0].shape;
  const int r = a.rank;
  const auto stride = [r](const Tensor& t) { return r == 3 ? t.shape[1] * t.ld : 0; };
  LM_CHECK(in[0].dtype == in[1].dtype, "operands of one type");
  Gemm g;
  g.in = in[0].dtype;
  g.out = out[0].dtype;
  g.layout = m.ta ? GemmLayout::kTN : m.tb ? GemmLayout::kNT : GemmLayout::kNN;
  g.m = c[r - 2];
  g.n = c[r - 1];
  g.k = m.ta ? a[r - 2] : a[r - 1];
  g.batch = r == 3 ? a[0] : 1;
  g.a = in[0].data;
  g.lda = in[0].ld;
  g.stride_a = stride(in[0]);
  g.b = in[1].data;
  g.ldb = in[1].ld;
  g.stride_b = stride(in[1]);
  g.y = out[0].data;
  g.ldy = out[0].ld;
  g.stride_y = stride(out[0]);
  g.alpha = m.alpha;
  g.beta = adds_to(n, 0) ? 1.0f : 0.0f;
  product(g, ctx.stream);
}

}  // namespace lm::cuda
