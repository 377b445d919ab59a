// Norms, rotary positions, attention.

#include <algorithm>
#include <cmath>

#include "core/str.h"
#include "ops/defs.h"
#include "ops/ops.h"

namespace lm {

namespace op {

void infer_norm(InferCtx& c) {
  const NormAttr a = c.attr<NormAttr>();
  const Shape x = c.shape(0);
  c.require_real(0);
  c.require(x.rank >= 1 && x.cols() > 0, "needs columns");
  for (const i64 i : {i64{1}, i64{2}}) {
    if (c.has(i)) c.require(c.shape(i).count() == x.cols(), "weights have one value per column");
  }
  c.require(!c.has(2) || (a.kind == NormKind::kLayer && c.has(1)), "only layernorm has a bias");
  c.require(!a.plus_one || c.has(1), "plus_one needs a weight");
  if (c.has(3)) c.require(c.shape(3) == x, "the residual has x's shape");
  c.output(x, c.dtype(0));
  if (c.has(3)) {
    c.output(x, c.dtype(0), "sum");
  } else {
    c.n.out.push_back(Value{});
  }
  if (a.kind == NormKind::kLayer) {
    c.output({x.rows()}, DType::kF32, "mean");
  } else {
    c.n.out.push_back(Value{});
  }
  c.output({x.rows()}, DType::kF32, "rstd");
}

void grad_norm(GradCtx& c) {
  const Value dy = c.dout(0);
  const bool residual = c.has(3);
  const Value dsum = residual ? c.dout(1) : Value{};
  if (!dy) {  // only the residual stream went on
    c.pass(0, dsum);
    c.pass(3, dsum);
    return;
  }
  const Value x = residual ? c.out(1) : c.in(0);
  const ValueList ins{dy, x, c.in(1), c.out(2), c.out(3), dsum};
  const GradCtx::Slot dw = c.into_if_needed(1);
  const GradCtx::Slot db = c.into_if_needed(2);
  const Attr attr = Attr::of(c.attr<NormAttr>());
  if (!residual) {
    c.emit(Op::kNormGrad, attr, ins, {c.into_if_needed(0), dw, db});
    return;
  }
  GradCtx::Slot dx = GradCtx::skip();
  if (c.need(0) || c.need(3)) {
    dx.value = c.g.new_value(c.g.shape(x), c.g.info(x).dtype, cat(c.g.info(x).name, ".grad"));
  }
  c.emit(Op::kNormGrad, attr, ins, {dx, dw, db});
  c.pass(0, dx.value);
  c.pass(3, dx.value);
}

void infer_qk_norm(InferCtx& c) {
  const QkNormAttr a = c.attr<QkNormAttr>();
  const Shape x = c.shape(0);
  c.require_real(0);
  c.require(a.heads > 0 && a.kv_heads > 0 && a.head_dim > 0 &&
                x.cols() == i64{a.heads + 2 * a.kv_heads} * a.head_dim,
            "x is [N, (heads + 2 kv_heads) head_dim]");
  const i64 q_width = a.full ? i64{a.heads} * a.head_dim : a.head_dim;
  const i64 k_width = a.full ? i64{a.kv_heads} * a.head_dim : a.head_dim;
  c.require(c.has(1) && c.has(2) && c.shape(1).count() == q_width && c.shape(2).count() == k_width,
            "weights do not fit the heads");
  c.output(x, c.dtype(0));
  c.output({x.rows(), a.full ? 2 : i64{a.heads} + a.kv_heads}, DType::kF32, "rstd");
}

void grad_qk_norm(GradCtx& c) {
  c.emit(Op::kQkNormGrad, Attr::of(c.attr<QkNormAttr>()),
         {c.dout(0), c.in(0), c.in(1), c.in(2), c.out(1)},
         {c.into_if_needed(0), c.into_if_needed(1), c.into_if_needed(2)});
}

void infer_rope(InferCtx& c) {
  const RopeAttr a = c.attr<RopeAttr>();
  c.require_real(0);
  c.require_dtype(1, DType::kI32);
  c.require_dtype(2, DType::kF32);
  const Shape x = c.shape(0);
  const Shape& table = c.shape(2);
  c.require(a.heads > 0 && a.head_dim > 0 && i64{a.heads} * a.head_dim <= x.cols(),
            "heads do not fit the row");
  c.require(a.rotary_dim > 0 && a.rotary_dim % 2 == 0 && a.rotary_dim <= a.head_dim,
            "rotary_dim is even and at most head_dim");
  c.require(table.rank == 3 && table[0] == 2 && table[2] == a.rotary_dim / 2,
            "the table is [2, T, rotary_dim/2]");
  c.require(c.shape(1).count() == x.rows(), "one position per row");
  c.output(x, c.dtype(0));
}

void grad_rope(GradCtx& c) {
  if (!c.need(0)) return;
  RopeAttr a = c.attr<RopeAttr>();
  a.inverse = !a.inverse;
  c.emit(Op::kRope, Attr::of(a), {c.dout(0), c.in(1), c.in(2)}, {c.into(0)});
}

namespace {
void require_sparse(InferCtx& c, const SparseMask& sparse) {
  c.require(sparse == SparseMask{} || possible(sparse),
            "blocks of a sparse mask are multiples of 16, and its patterns fit a window");
}
}  // namespace

void infer_attention(InferCtx& c) {
  const AttentionAttr a = c.attr<AttentionAttr>();
  const i64 d = a.head_dim;
  c.require(a.heads > 0 && a.kv_heads > 0 && d > 0 && a.heads % a.kv_heads == 0,
            "heads are a multiple of kv_heads");
  c.require(a.scale > 0, "the scale is positive");
  c.require(a.window >= 0, "the window is not negative");
  require_sparse(c, a.sparse);
  c.require_real(0);
  const i64 rows = c.shape(0).rows();
  const i64 spans = a.fused ? 1 : 3;
  if (a.fused) {
    c.require(c.shape(0).cols() == (a.heads + 2 * i64{a.kv_heads}) * d,
              "qkv is [N, (heads + 2 kv_heads) head_dim]");
  } else {
    c.require_real(1);
    c.require_real(2);
    c.require(c.shape(0).cols() == a.heads * d && c.shape(1).cols() == a.kv_heads * d &&
                  c.shape(2).cols() == a.kv_heads * d && c.shape(1).rows() == c.shape(2).rows(),
              "q is [N, heads d], k and v are [M, kv_heads d]");
    c.require(c.g.info(c.n.in[1]).ld == c.g.info(c.n.in[2]).ld, "k and v have one row stride");
  }
  c.require_dtype(spans, DType::kI32);
  c.require(c.shape(spans).rows() == rows && c.shape(spans).cols() == kSpanInts,
            "spans are [N, 6]");
  c.output({rows, a.heads * d}, c.dtype(0));
  c.output({rows, i64{a.heads}}, DType::kF32, "lse");
}

void grad_attention(GradCtx& c) {
  const AttentionAttr a = c.attr<AttentionAttr>();
  const Attr attr = Attr::of(a);
  if (a.fused) {
    if (!c.need(0)) return;
    c.emit(Op::kAttentionGrad, attr, {c.out(0), c.out(1), c.dout(0), c.in(1), c.in(0)},
           {c.into(0)});
    return;
  }
  // The kernel makes all three; those nobody needs land in values nobody reads.
  const auto slot = [&](i64 i) {
    if (c.need(i)) return c.into(i);
    return GradCtx::Slot{c.g.new_value(c.g.shape(c.in(i)), c.g.info(c.in(i)).dtype, "unused.grad"),
                         false};
  };
  if (!c.need(0) && !c.need(1) && !c.need(2)) return;
  c.emit(Op::kAttentionGrad, attr,
         {c.out(0), c.out(1), c.dout(0), c.in(3), c.in(0), c.in(1), c.in(2)},
         {slot(0), slot(1), slot(2)});
}

namespace {
// Pairs of a query row and a key that it sees. Keys per row are data: counted as in causal rows of
// whole sequences, half of each sequence's square, less what lies before the windows. A graph whose
// rows see all of their sequence says that it is twice as long.
i64 pair_count(const Graph& g, i64 rows, i64 keys, i64 window, const SparseMask& sparse) {
  const i64 most = g.span_rows() > 0 ? std::min(2 * keys, g.span_rows()) : keys;
  if (sparse.on() && most > 0) return rows * sparse.pairs(most) / most;
  const i64 hidden = window > 0 ? std::max<i64>(0, most - window) : 0;
  if (hidden == 0) return (rows * most + 1) / 2;
  return rows * window * (most + hidden) / (2 * most);
}
}  // namespace

Cost cost_attention(const Node& n, const Graph& g) {
  const AttentionAttr a = n.attr.as<AttentionAttr>();
  const i64 keys = g.shape(n.in[a.fused ? 0 : 1]).rows();
  const i64 pairs = pair_count(g, g.shape(n.in[0]).rows(), keys, a.window, a.sparse);
  return traffic(n, g, 4 * pairs * a.heads * a.head_dim);
}

Cost cost_attention_grad(const Node& n, const Graph& g) {
  const AttentionAttr a = n.attr.as<AttentionAttr>();
  const i64 keys = g.shape(n.in[a.fused ? 4 : 5]).rows();
  const i64 pairs = pair_count(g, g.shape(n.in[4]).rows(), keys, a.window, a.sparse);
  return traffic(n, g, 14 * pairs * a.heads * a.head_dim);
}

Cost cost_paged(const Node& n, const Graph& g) {
  const PagedAttr a = n.attr.as<PagedAttr>();
  const i64 rows = g.shape(n.in[0]).rows();
  return traffic(n, g, 4 * pair_count(g, rows, rows, a.window, a.sparse) * a.heads * a.head_dim);
}

void infer_paged(InferCtx& c) {
  const PagedAttr a = c.attr<PagedAttr>();
  c.require_real(0);
  c.require(a.heads > 0 && a.kv_heads > 0 && a.head_dim > 0 && a.heads % a.kv_heads == 0,
            "heads are a multiple of kv_heads");
  c.require(a.scale > 0 && a.window >= 0 && a.layer >= 0 && a.binding >= 0 && a.max_keys >= 0,
            "scale, layer or binding is not set");
  require_sparse(c, a.sparse);
  c.require(c.shape(0).cols() == (a.heads + 2 * i64{a.kv_heads}) * a.head_dim,
            "qkv is [N, (heads + 2 kv_heads) head_dim]");
  c.output({c.shape(0).rows(), i64{a.heads} * a.head_dim}, c.dtype(0));
}

}  // namespace op

Value layernorm(Graph& g, Value x, Value gamma, Value beta, f32 eps) {
  return g.apply(Op::kNorm, Attr::of(NormAttr{NormKind::kLayer, eps, false}), {x, gamma, beta});
}

Value rmsnorm(Graph& g, Value x, Value w, f32 eps, bool plus_one) {
  return g.apply(Op::kNorm, Attr::of(NormAttr{NormKind::kRms, eps, plus_one}), {x, w});
}

NormResidual norm_residual(Graph& g, Value x, Value residual, Value weight, Value bias,
                           const NormAttr& attr) {
  const i64 node = g.append(Op::kNorm, Attr::of(attr), {x, weight, bias, residual});
  const Node& n = g.nodes()[usize(node)];
  return {n.out[0], n.out[1]};
}

NormResidual norm_residual_fallback(Graph& g, Value x, Value residual, Value weight, Value bias,
                                    const NormAttr& attr) {
  const Value sum = add(g, x, residual);
  return {g.apply(Op::kNorm, Attr::of(attr), {sum, weight, bias}), sum};
}

Value qk_norm(Graph& g, Value qkv, Value q_weight, Value k_weight, const QkNormAttr& attr) {
  return g.apply(Op::kQkNorm, Attr::of(attr), {qkv, q_weight, k_weight});
}

Value rope(Graph& g, Value x, Value positions, Value table, const RopeAttr& attr) {
  return g.apply(Op::kRope, Attr::of(attr), {x, positions, table});
}

namespace {
template <typename A>
A with_scale(A attr) {
  if (attr.scale == 0) attr.scale = 1.0f / std::sqrt(static_cast<f32>(attr.head_dim));
  return attr;
}
}  // namespace

Value attention(Graph& g, Value qkv, Value spans, const AttentionAttr& attr) {
  AttentionAttr a = with_scale(attr);
  a.fused = true;
  return g.apply(Op::kAttention, Attr::of(a), {qkv, spans});
}

Value attention(Graph& g, Value q, Value k, Value v, Value spans, const AttentionAttr& attr) {
  AttentionAttr a = with_scale(attr);
  a.fused = false;
  return g.apply(Op::kAttention, Attr::of(a), {q, k, v, spans});
}

Value paged_attention(Graph& g, Value qkv, const PagedAttr& attr) {
  return g.apply(Op::kPagedAttention, Attr::of(with_scale(attr)), {qkv});
}

}  // namespace lm
