// Norms and rotary positions.

#include "core/str.h"
#include "norm.h"
#include "pointwise.h"
#include "rope.h"
#include "table.h"

namespace lm::cuda {

void run_norm(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const NormAttr a = n.attr.as<NormAttr>();
  const bool layer = a.kind == NormKind::kLayer;
  by_type(n, in[0].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    NormForward<T> f;
    f.shape = {in[0].rows(), in[0].cols(), 1, layer, a.plus_one, a.eps};
    f.x = items<T>(in[0]);
    f.ldx = in[0].ld;
    f.weight = given(n, 1) ? items<T>(in[1]) : nullptr;
    f.bias = given(n, 2) ? items<T>(in[2]) : nullptr;
    if (given(n, 3)) {
      f.add = items<T>(in[3]);
      f.ld_add = in[3].ld;
      f.sum = items<T>(out[1]);
      f.ld_sum = out[1].ld;
    }
    f.y = items<T>(out[0]);
    f.ldy = out[0].ld;
    f.mean = layer ? floats(out[2]) : nullptr;
    f.rstd = floats(out[3]);
    norm_forward(f, ctx.stream);
  });
}

i64 space_norm_grad(const Node& n, const Graph& g) {
  return norm_backward_space(g.shape(n.in[1]).rows(), g.shape(n.in[1]).cols());
}

void run_norm_grad(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const NormAttr a = n.attr.as<NormAttr>();
  by_type(n, in[1].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    NormBackward<T> b;
    b.shape = {in[1].rows(), in[1].cols(), 1, a.kind == NormKind::kLayer, a.plus_one, a.eps};
    b.dy = items<T>(in[0]);
    b.lddy = in[0].ld;
    b.x = items<T>(in[1]);
    b.ldx = in[1].ld;
    b.weight = given(n, 2) ? items<T>(in[2]) : nullptr;
    b.mean = given(n, 3) ? floats(in[3]) : nullptr;
    b.rstd = floats(in[4]);
    b.dx = items<T>(out[0]);
    b.lddx = out[0].ld;
    if (given(n, 5)) {
      b.dx_add = items<T>(in[5]);
      b.ld_dx_add = in[5].ld;
      LM_CHECK(!adds_to(n, 0), "one extra gradient at a time");
    } else if (adds_to(n, 0)) {
      b.dx_add = b.dx;
      b.ld_dx_add = b.lddx;
    }
    b.dweight = floats(out[1]);
    b.dbias = floats(out[2]);
    b.add_weight = adds_to(n, 1);
    b.add_bias = adds_to(n, 2);
    norm_backward(b, space, ctx.stream);
  });
}

namespace {

// The two parts of a fused projection that are normalised; rstd holds q's values, then k's.
struct QkPart {
  NormShape shape;
  i64 column = 0;
  i64 saved = 0;
  int weight = 0;  // input number
};

std::array<QkPart, 2> qk_parts(const QkNormAttr& a, i64 rows) {
  const auto shape = [&](i64 heads) {
    return a.full ? NormShape{rows, heads * a.head_dim, 1, false, a.plus_one, a.eps}
                  : NormShape{rows * heads, a.head_dim, heads, false, a.plus_one, a.eps};
  };
  const i64 q = a.heads;
  return {QkPart{shape(q), 0, 0, 1},
          QkPart{shape(a.kv_heads), q * a.head_dim, rows * (a.full ? 1 : q), 2}};
}

template <typename T>
void copy_values(const QkNormAttr& a, const Tensor& from, const Tensor& to, Stream* stream) {
  if (from.data == to.data) return;
  const i64 column = i64{a.heads + a.kv_heads} * a.head_dim;
  copy_rows(from.rows(), i64{a.kv_heads} * a.head_dim, item_bytes(from.dtype),
            items<T>(from) + column, from.ld, items<T>(to) + column, to.ld, stream);
}

}  // namespace

void run_qk_norm(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const QkNormAttr a = n.attr.as<QkNormAttr>();
  by_type(n, in[0].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    for (const QkPart& part : qk_parts(a, in[0].rows())) {
      NormForward<T> f;
      f.shape = part.shape;
      f.x = items<T>(in[0]) + part.column;
      f.ldx = in[0].ld;
      f.weight = items<T>(in[part.weight]);
      f.y = items<T>(out[0]) + part.column;
      f.ldy = out[0].ld;
      f.rstd = out[1].data == nullptr ? nullptr : floats(out[1]) + part.saved;
      norm_forward(f, ctx.stream);
    }
    copy_values<T>(a, in[0], out[0], ctx.stream);
  });
}

i64 space_qk_norm_grad(const Node& n, const Graph& g) {
  i64 bytes = 0;
  for (const QkPart& part : qk_parts(n.attr.as<QkNormAttr>(), g.shape(n.in[1]).rows())) {
    bytes = std::max(bytes, norm_backward_space(part.shape.rows, part.shape.cols));
  }
  return bytes;
}

void run_qk_norm_grad(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out,
                      void* space) {
  const QkNormAttr a = n.attr.as<QkNormAttr>();
  by_type(n, in[1].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    for (const QkPart& part : qk_parts(a, in[1].rows())) {
      NormBackward<T> b;
      b.shape = part.shape;
      b.dy = items<T>(in[0]) + part.column;
      b.lddy = in[0].ld;
      b.x = items<T>(in[1]) + part.column;
      b.ldx = in[1].ld;
      b.weight = items<T>(in[part.weight + 1]);
      b.rstd = floats(in[4]) + part.saved;
      b.dx = out[0].data == nullptr ? nullptr : items<T>(out[0]) + part.column;
      b.lddx = out[0].ld;
      b.dweight = floats(out[part.weight]);
      b.add_weight = adds_to(n, part.weight);
      norm_backward(b, space, ctx.stream);
    }
    if (out[0].data != nullptr) copy_values<T>(a, in[0], out[0], ctx.stream);
  });
}

void run_rope(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const RopeAttr a = n.attr.as<RopeAttr>();
  Rope r;
  r.rows = in[0].rows();
  r.cols = in[0].cols();
  r.heads = a.heads;
  r.head_dim = a.head_dim;
  r.rotary_dim = a.rotary_dim;
  r.interleaved = a.interleaved;
  r.inverse = a.inverse;
  r.positions = in[2].shape[1];
  r.cos = floats(in[2]);
  r.sin = floats(in[2]) + r.positions * (a.rotary_dim / 2);
  r.pos = in[1].i32_data();
  by_type(n, in[0].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    const T* x = items<T>(in[0]);
    rope(r, x, in[0].ld, items<T>(out[0]), out[0].ld, context().fault, ctx.stream);
  });
}

}  // namespace lm::cuda
