// Linear layers and batched products through cuBLASLt.

#include "pointwise.h"
#include "table.h"

namespace lm::cuda {

i64 widened_bytes(const Shape& w, DType dtype) {
  return dtype == DType::kF32 ? 0 : 4 * w.count();
}

const f32* widened(const Tensor& w, void* space, Stream* stream) {
  if (w.dtype == DType::kF32) return w.f32_data();
  LM_CHECK(w.contiguous(), "16-bit weights are contiguous");
  f32* to = static_cast<f32*>(space);
  const u16* from = static_cast<const u16*>(w.data);
  (w.dtype == DType::kBf16 ? bf16_to_f32 : f16_to_f32)(w.count(), from, to, stream);
  return to;
}

void product(const Gemm& g, Stream* stream) {
  if (g.k > 0) {
    engine().gemm->run(g, stream);
    return;
  }
  for (i64 b = 0; g.beta == 0.0f && b < g.batch; ++b) {
    fill(g.m, g.n, 0.0f, g.y + b * g.stride_y, g.ldy, stream);
  }
}

namespace {

Pair<f32> in_place(i64 rows, i64 cols, f32* y, i64 ldy) {
  Pair<f32> p;
  p.rows = rows;
  p.cols = cols;
  p.a = p.y = y;
  p.lda = p.ldy = ldy;
  return p;
}

// y = act(pre), pre kept if wanted.
void activate(const Tensor& pre, const Tensor& y, Fn f, Stream* stream) {
  Pair<f32> p = in_place(y.rows(), y.cols(), floats(y), y.ld);
  p.a = floats(pre);
  p.lda = pre.ld;
  unary(p, f, 0.0f, stream);
}

}  // namespace

i64 space_linear(const Node& n, const Graph& g) {
  return widened_bytes(g.shape(n.in[1]), g.info(n.in[1]).dtype);
}

void run_linear(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const Unary act = n.attr.as<LinearAttr>().act;
  const Tensor& y = out[0];
  const bool keeps = n.out.size() > 1 && out[1].data != nullptr;
  Gemm g;
  g.m = in[0].rows();
  g.n = in[1].rows();
  g.k = in[1].cols();
  if (g.m == 0 || g.n == 0) return;
  g.a = floats(in[0]);
  g.lda = in[0].ld;
  g.b = widened(in[1], space, ctx.stream);
  g.ldb = in[1].ld;
  g.y = floats(y);
  g.ldy = y.ld;
  if (given(n, 3)) {
    g.c = floats(in[3]);
    g.ldc = in[3].ld;
    g.beta = 1;
  }
  const f32* bias = given(n, 2) ? floats(in[2]) : nullptr;
  // The library's GELU is the tanh form; below compute capability 9.0 separate kernels are faster.
  if (act == Unary::kGeluTanh && keeps && out[1].ld % 8 == 0 && engine().capability >= 90) {
    Gemm fused = g;
    fused.epilogue = bias != nullptr ? GemmEpilogue::kGeluAuxBias : GemmEpilogue::kGeluAux;
    fused.bias = bias;
    fused.aux = floats(out[1]);
    fused.ld_aux = out[1].ld;
    if (engine().gemm->supports(fused)) {
      product(fused, ctx.stream);
      return;
    }
  }
  const Tensor& pre = act != Unary::kNone && keeps ? out[1] : y;
  g.y = floats(pre);
  g.ldy = pre.ld;
  Gemm biased = g;
  biased.epilogue = GemmEpilogue::kBias;
  biased.bias = bias;
  if (bias != nullptr && engine().gemm->supports(biased)) {
    product(biased, ctx.stream);
  } else {
    product(g, ctx.stream);
    if (bias != nullptr) {
      Pair<f32> p = in_place(g.m, g.n, g.y, g.ldy);
      p.b = bias;
      p.b_col = 1;
      add_scaled(p, 1.0f, 1.0f, ctx.stream);
    }
  }
  if (act != Unary::kNone) activate(pre, y, fn_of(act), ctx.stream);
}

void run_linear_grad_x(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  Gemm g;
  g.layout = GemmLayout::kNN;
  g.m = in[0].rows();
  g.n = in[1].cols();
  g.k = in[1].rows();
  g.a = floats(in[0]);
  g.lda = in[0].ld;
  g.b = floats(in[1]);
  g.ldb = in[1].ld;
  g.y = floats(out[0]);
  g.ldy = out[0].ld;
  g.beta = adds_to(n, 0) ? 1.0f : 0.0f;
  product(g, ctx.stream);
}

void run_linear_grad_w(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  Gemm g;
  g.layout = GemmLayout::kTN;
  g.m = in[0].cols();
  g.n = in[1].cols();
  g.k = in[0].rows();
  g.a = floats(in[0]);
  g.lda = in[0].ld;
  g.b = floats(in[1]);
  g.ldb = in[1].ld;
  g.y = floats(out[0]);
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
  Gemm g;
  g.layout = m.ta ? GemmLayout::kTN : m.tb ? GemmLayout::kNT : GemmLayout::kNN;
  g.m = c[r - 2];
  g.n = c[r - 1];
  g.k = m.ta ? a[r - 2] : a[r - 1];
  g.batch = r == 3 ? a[0] : 1;
  g.a = floats(in[0]);
  g.lda = in[0].ld;
  g.stride_a = stride(in[0]);
  g.b = floats(in[1]);
  g.ldb = in[1].ld;
  g.stride_b = stride(in[1]);
  g.y = floats(out[0]);
  g.ldy = out[0].ld;
  g.stride_y = stride(out[0]);
  g.alpha = m.alpha;
  g.beta = adds_to(n, 0) ? 1.0f : 0.0f;
  product(g, ctx.stream);
}

}  // namespace lm::cuda
