// Attention over rows of the batch: on tensor cores where activations are bf16, else in f32.

#include <array>

#include "attention.h"
#include "attention_mma.h"
#include "core/str.h"
#include "table.h"

namespace lm::cuda {

namespace {

// Where q, k and v start in the tensors from t on.
template <typename T>
struct Qkv {
  T *q = nullptr, *k = nullptr, *v = nullptr;
  i64 ldq = 0, ldkv = 0, keys = 0;
};

template <typename T>
Qkv<T> qkv_of(const AttentionAttr& a, const Tensor* t) {
  const i64 d = a.head_dim;
  if (a.fused) {
    T* x = items<T>(t[0]);
    const i64 k = a.heads * d;
    return {x, x + k, x + k + a.kv_heads * d, t[0].ld, t[0].ld, t[0].rows()};
  }
  LM_CHECK(t[1].ld == t[2].ld, "keys and values have one row stride");
  return {items<T>(t[0]), items<T>(t[1]), items<T>(t[2]), t[0].ld, t[1].ld, t[1].rows()};
}

template <typename A, typename T>
A described(const AttentionAttr& a, i64 rows, const Qkv<T>& x) {
  A s;
  s.rows = rows;
  s.keys = x.keys;
  s.heads = a.heads;
  s.kv_heads = a.kv_heads;
  s.head_dim = a.head_dim;
  s.scale = a.scale;
  s.softcap = a.softcap;
  s.window = a.window;
  s.q = x.q;
  s.k = x.k;
  s.v = x.v;
  s.ldq = x.ldq;
  s.ldkv = x.ldkv;
  return s;
}

void refuse_sparse(const Node& n, const AttentionAttr& a) {
  if (a.sparse.on())
    throw Error(ErrorKind::kUnavailable, cat(n.name, ": sparse attention has no device kernel"),
                "--device cpu has it");
}

Attention attention_of(const Node& n, const AttentionAttr& a, const Tensor* t,
                       const Tensor& spans) {
  refuse_sparse(n, a);
  if (a.head_dim > kMaxHeadDim) {
    throw Error(ErrorKind::kUnavailable, cat(n.name, ": heads of ", a.head_dim,
                                             " are wider than the device kernel's ", kMaxHeadDim));
  }
  Attention s = described<Attention>(a, t[0].rows(), qkv_of<f32>(a, t));
  s.spans = spans.i32_data();
  return s;
}

AttentionMma mma_of(const Node& n, const AttentionAttr& a, const Tensor* t, const Tensor& spans) {
  refuse_sparse(n, a);
  AttentionMma s = described<AttentionMma>(a, t[0].rows(), qkv_of<Bf16>(a, t));
  s.spans = spans.i32_data();
  if (!attention_mma_supports(s)) {
    throw Error(ErrorKind::kUnavailable,
                cat(n.name, ": bf16 attention takes heads of 8 to 128, a multiple of 8; these are ",
                    a.head_dim),
                "--dtype f32 takes others");
  }
  return s;
}

// The shape alone, for workspaces.
AttentionMma mma_shape(const AttentionAttr& a, const Shape& q, const Shape& k) {
  AttentionMma s = described<AttentionMma>(a, q.rows(), Qkv<Bf16>{});
  s.keys = k.rows();
  return s;
}

i64 backward_space(const AttentionAttr& a, DType dtype, const Shape& q, const Shape& k) {
  return padded(dtype == DType::kBf16 ? attention_mma_backward_space(mma_shape(a, q, k))
                                      : attention_backward_space(q.rows(), a.heads));
}

template <typename B, typename T>
B gradients(const AttentionAttr& a, const Tensor* in, const Tensor* grads) {
  const Qkv<T> dx = qkv_of<T>(a, grads);
  B b;
  b.o = items<T>(in[0]);
  b.ldo = in[0].ld;
  b.lse = floats(in[1]);
  b.d_o = items<T>(in[2]);
  b.lddo = in[2].ld;
  b.dq = dx.q;
  b.dk = dx.k;
  b.dv = dx.v;
  b.lddq = dx.ldq;
  b.lddkv = dx.ldkv;
  return b;
}

}  // namespace

i64 space_attention(const Node& n, const Graph& g) {
  const AttentionAttr a = n.attr.as<AttentionAttr>();
  if (g.info(n.in[0]).dtype != DType::kBf16) return 0;
  const Shape& k = g.shape(n.in[a.fused ? 0 : 1]);
  return attention_mma_forward_space(mma_shape(a, g.shape(n.in[0]), k));
}

void run_attention(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const AttentionAttr a = n.attr.as<AttentionAttr>();
  const Tensor& spans = in[a.fused ? 1 : 3];
  if (in[0].dtype == DType::kBf16) {
    attention_mma_forward(mma_of(n, a, in, spans), items<Bf16>(out[0]), out[0].ld, floats(out[1]),
                          context().fault, space, ctx.stream);
  } else {
    attention_forward(attention_of(n, a, in, spans), floats(out[0]), out[0].ld, floats(out[1]),
                      context().fault, ctx.stream);
  }
}

i64 space_attention_grad(const Node& n, const Graph& g) {
  const AttentionAttr a = n.attr.as<AttentionAttr>();
  const ValueInfo& q = g.info(n.in[4]);
  i64 bytes = backward_space(a, q.dtype, q.shape, g.shape(n.in[a.fused ? 4 : 5]));
  for (i64 i = 4; !a.fused && i < n.in.size(); ++i)  // gradients nobody reads need a place
    bytes += padded(g.shape(n.in[i]).count() * item_bytes(q.dtype));
  return bytes;
}

void run_attention_grad(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out,
                        void* space) {
  const AttentionAttr a = n.attr.as<AttentionAttr>();
  const DType dtype = in[4].dtype;
  std::array<Tensor, 3> grads{};
  u8* spare =
      static_cast<u8*>(space) + backward_space(a, dtype, in[4].shape, in[a.fused ? 4 : 5].shape);
  for (std::size_t j = 0; j < (a.fused ? 1U : 3U); ++j) {
    grads[j] = out[j];
    if (grads[j].data != nullptr) continue;
    grads[j] = make_tensor(spare, in[4 + j].shape, dtype);
    spare += padded(in[4 + j].count() * item_bytes(dtype));
  }
  if (dtype == DType::kBf16) {
    attention_mma_backward(mma_of(n, a, in + 4, in[3]),
                           gradients<AttentionMmaBackward, Bf16>(a, in, grads.data()), space,
                           context().fault, ctx.stream);
  } else {
    attention_backward(attention_of(n, a, in + 4, in[3]),
                       gradients<AttentionBackward, f32>(a, in, grads.data()), space,
                       context().fault, ctx.stream);
  }
}

}  // namespace lm::cuda
