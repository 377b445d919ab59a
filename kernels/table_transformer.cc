// Norms, rotary positions, attention.

#include "attention.h"
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
    rope(r, x, in[0].ld, items<T>(out[0]), out[0].ld, engine().fault, ctx.stream);
  });
}

namespace {

// Where q, k and v start in the tensors from t on.
struct Qkv {
  f32 *q = nullptr, *k = nullptr, *v = nullptr;
  i64 ldq = 0, ldkv = 0, keys = 0;
};

Qkv qkv_of(const AttentionAttr& a, const Tensor* t) {
  const i64 d = a.head_dim;
  if (a.fused) {
    f32* x = floats(t[0]);
    const i64 k = a.heads * d;
    return {x, x + k, x + k + a.kv_heads * d, t[0].ld, t[0].ld, t[0].rows()};
  }
  LM_CHECK(t[1].ld == t[2].ld, "keys and values have one row stride");
  return {floats(t[0]), floats(t[1]), floats(t[2]), t[0].ld, t[1].ld, t[1].rows()};
}

Attention attention_of(const Node& n, const AttentionAttr& a, const Tensor* t,
                       const Tensor& spans) {
  if (t[0].dtype != DType::kF32) {
    throw Error(ErrorKind::kUnavailable,
                cat(n.name, ": no attention kernel for ", dtype_name(t[0].dtype)));
  }
  if (a.head_dim > kMaxHeadDim) {
    throw Error(ErrorKind::kUnavailable, cat(n.name, ": heads of ", a.head_dim,
                                             " are wider than the device kernel's ", kMaxHeadDim));
  }
  const Qkv x = qkv_of(a, t);
  Attention s;
  s.rows = t[0].rows();
  s.keys = x.keys;
  s.heads = a.heads;
  s.kv_heads = a.kv_heads;
  s.head_dim = a.head_dim;
  s.scale = a.scale;
  s.softcap = a.softcap;
  s.spans = spans.i32_data();
  s.q = x.q;
  s.k = x.k;
  s.v = x.v;
  s.ldq = x.ldq;
  s.ldkv = x.ldkv;
  return s;
}

}  // namespace

void run_attention(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const AttentionAttr a = n.attr.as<AttentionAttr>();
  const Attention s = attention_of(n, a, in, in[a.fused ? 1 : 3]);
  attention_forward(s, floats(out[0]), out[0].ld, floats(out[1]), engine().fault, ctx.stream);
}

i64 space_attention_grad(const Node& n, const Graph& g) {
  const AttentionAttr a = n.attr.as<AttentionAttr>();
  i64 bytes = padded(attention_backward_space(g.shape(n.in[4]).rows(), a.heads));
  for (i64 i = 4; !a.fused && i < n.in.size(); ++i) {  // gradients nobody reads need a place
    bytes += padded(g.shape(n.in[i]).count() * 4);
  }
  return bytes;
}

void run_attention_grad(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out,
                        void* space) {
  const AttentionAttr a = n.attr.as<AttentionAttr>();
  const Attention s = attention_of(n, a, in + 4, in[3]);
  std::array<Tensor, 3> grads{};
  u8* spare = static_cast<u8*>(space) + padded(attention_backward_space(s.rows, s.heads));
  for (std::size_t j = 0; j < (a.fused ? 1U : 3U); ++j) {
    grads[j] = out[j];
    if (grads[j].data == nullptr) {
      grads[j] = make_tensor(spare, in[4 + j].shape);
      spare += padded(in[4 + j].count() * 4);
    }
  }
  const Qkv dx = qkv_of(a, grads.data());
  AttentionBackward b;
  b.o = floats(in[0]);
  b.ldo = in[0].ld;
  b.lse = floats(in[1]);
  b.d_o = floats(in[2]);
  b.lddo = in[2].ld;
  b.dq = dx.q;
  b.dk = dx.k;
  b.dv = dx.v;
  b.lddq = dx.ldq;
  b.lddkv = dx.ldkv;
  attention_backward(s, b, space, engine().fault, ctx.stream);
}

}  // namespace lm::cuda
