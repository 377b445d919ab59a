// Recurrences over the rows of a text: gated scan, short convolution, linear attention.

#include "ops/defs.h"
#include "ops/ops.h"

namespace lm {

namespace op {

namespace {

void require_spans(InferCtx& c, i64 i) {
  c.require_dtype(i, DType::kI32);
  c.require(c.shape(i).rows() == c.shape(0).rows() && c.shape(i).cols() == kSpanInts,
            "spans are [N, 6]");
}

bool any_needed(const GradCtx& c, std::initializer_list<i64> inputs) {
  for (const i64 i : inputs)
    if (c.need(i)) return true;
  return false;
}

}  // namespace

void infer_scan(InferCtx& c) {
  c.require_dtype(0, DType::kF32);
  c.require_dtype(1, DType::kF32);
  c.require(c.shape(0) == c.shape(1), "gate and input have one shape");
  require_spans(c, 2);
  c.output(c.shape(0), DType::kF32);
}

void grad_scan(GradCtx& c) {
  if (!any_needed(c, {0, 1})) return;
  c.emit(Op::kScanGrad, {}, {c.dout(0), c.in(0), c.out(0), c.in(2)},
         {c.into_if_needed(0), c.into_if_needed(1)});
}

void infer_cached_scan(InferCtx& c) {
  const CachedStateAttr a = c.attr<CachedStateAttr>();
  c.require_dtype(0, DType::kF32);
  c.require_dtype(1, DType::kF32);
  c.require(c.shape(0) == c.shape(1), "gate and input have one shape");
  c.require(a.binding >= 0 && a.offset >= 0, "binding or offset is not set");
  c.output(c.shape(0), DType::kF32);
}

namespace {
i64 lstm_width(InferCtx& c) {
  c.require_dtype(0, DType::kF32);
  c.require_dtype(1, DType::kF32);
  const i64 width = c.shape(1).cols();
  c.require(c.shape(1).rank == 2 && width > 0 && c.shape(1).rows() == 4 * width &&
                c.shape(0).cols() == 4 * width,
            "x is [N, 4 D], the weight [4 D, D]");
  return width;
}
}  // namespace

void infer_lstm(InferCtx& c) {
  const i64 width = lstm_width(c);
  require_spans(c, 2);
  const i64 rows = c.shape(0).rows();
  c.output({rows, width}, DType::kF32);
  c.output({rows, 4 * width}, DType::kF32, "gates");
  c.output({rows, width}, DType::kF32, "cell");
}

void grad_lstm(GradCtx& c) {
  if (!any_needed(c, {0, 1})) return;
  c.emit(Op::kLstmGrad, {}, {c.dout(0), c.out(0), c.out(1), c.out(2), c.in(1), c.in(2)},
         {c.into_if_needed(0), c.into_if_needed(1)});
}

void infer_cached_lstm(InferCtx& c) {
  const CachedStateAttr a = c.attr<CachedStateAttr>();
  const i64 width = lstm_width(c);
  c.require(a.binding >= 0 && a.offset >= 0, "binding or offset is not set");
  c.output({c.shape(0).rows(), width}, DType::kF32);
}

Cost cost_lstm(const Node& n, const Graph& g) {
  return traffic(n, g, 2 * g.shape(n.in[0]).rows() * g.shape(n.in[1]).count());
}

Cost cost_lstm_grad(const Node& n, const Graph& g) {
  return traffic(n, g, 4 * g.shape(n.in[0]).rows() * g.shape(n.in[4]).count());
}

void infer_conv(InferCtx& c) {
  c.require_dtype(0, DType::kF32);
  c.require_dtype(1, DType::kF32);
  c.require(c.shape(1).rank == 2 && c.shape(1).rows() > 0 && c.shape(1).cols() == c.shape(0).cols(),
            "the weight is [taps, columns of x]");
  require_spans(c, 2);
  c.output(c.shape(0), DType::kF32);
}

void grad_conv(GradCtx& c) {
  if (!any_needed(c, {0, 1})) return;
  c.emit(Op::kConvGrad, {}, {c.dout(0), c.in(0), c.in(1), c.in(2)},
         {c.into_if_needed(0), c.into_if_needed(1)});
}

Cost cost_conv(const Node& n, const Graph& g) {
  const bool back = n.op == Op::kConvGrad;
  const i64 taps = g.shape(n.in[back ? 2 : 1]).rows();
  return traffic(n, g, (back ? 4 : 2) * taps * g.shape(n.in[0]).count());
}

void infer_linear_attention(InferCtx& c) {
  const LinearAttentionAttr a = c.attr<LinearAttentionAttr>();
  c.require(a.heads > 0 && a.dim > 0 && a.head_dim > 0, "heads, dim and head_dim are positive");
  const auto fits = [&](i64 i, i64 width) {
    c.require_dtype(i, DType::kF32);
    c.require(c.shape(i).rows() == c.shape(0).rows() && c.shape(i).cols() == i64{a.heads} * width,
              "q, k are [N, heads dim], v is [N, heads head_dim]");
  };
  fits(0, a.dim);
  fits(1, a.dim);
  fits(2, a.head_dim);
  require_spans(c, 3);
  if (c.has(4)) {
    fits(4, a.dim);
    fits(5, a.head_dim);
    c.require_dtype(6, DType::kI32);
    c.require(c.shape(6).count() == c.shape(0).rows(), "one end of the prefix per row");
  }
  c.output({c.shape(0).rows(), i64{a.heads} * a.head_dim}, DType::kF32);
  c.output({c.shape(0).rows(), i64{a.heads}}, DType::kF32, "norm");
}

void grad_linear_attention(GradCtx& c) {
  if (!any_needed(c, {0, 1, 2, 4, 5})) return;
  const Attr attr = Attr::of(c.attr<LinearAttentionAttr>());
  if (!c.has(4)) {
    c.emit(Op::kLinearAttentionGrad, attr,
           {c.dout(0), c.out(0), c.out(1), c.in(0), c.in(1), c.in(2), c.in(3)},
           {c.into_if_needed(0), c.into_if_needed(1), c.into_if_needed(2)});
    return;
  }
  c.emit(Op::kLinearAttentionGrad, attr,
         {c.dout(0), c.out(0), c.out(1), c.in(0), c.in(1), c.in(2), c.in(3), c.in(4), c.in(5),
          c.in(6)},
         {c.into_if_needed(0), c.into_if_needed(1), c.into_if_needed(2), c.into_if_needed(4),
          c.into_if_needed(5)});
}

void infer_cached_conv(InferCtx& c) {
  const CachedStateAttr a = c.attr<CachedStateAttr>();
  c.require_dtype(0, DType::kF32);
  c.require_dtype(1, DType::kF32);
  c.require(c.shape(1).rank == 2 && c.shape(1).rows() > 0 && c.shape(1).cols() == c.shape(0).cols(),
            "the weight is [taps, columns of x]");
  c.require(a.binding >= 0 && a.offset >= 0, "binding or offset is not set");
  c.output(c.shape(0), DType::kF32);
}

void infer_cached_linear_attention(InferCtx& c) {
  const CachedLinearAttentionAttr all = c.attr<CachedLinearAttentionAttr>();
  const LinearAttentionAttr& a = all.attention;
  c.require(a.heads > 0 && a.dim > 0 && a.head_dim > 0, "heads, dim and head_dim are positive");
  c.require(all.state.binding >= 0 && all.state.offset >= 0, "binding or offset is not set");
  for (i64 i = 0; i < (c.has(3) ? 5 : 3); ++i) {
    const bool values = i == 2 || i == 4;
    c.require_dtype(i, DType::kF32);
    c.require(c.shape(i).rows() == c.shape(0).rows() &&
                  c.shape(i).cols() == i64{a.heads} * (values ? a.head_dim : a.dim),
              "q, k are [N, heads dim], v is [N, heads head_dim]");
  }
  c.output({c.shape(0).rows(), i64{a.heads} * a.head_dim}, DType::kF32);
}

namespace {
// times: how often a row updates or reads every number of the states.
Cost cost_states(const Node& n, const Graph& g, i64 times) {
  const LinearAttentionAttr a = n.op == Op::kCachedLinearAttention
                                    ? n.attr.as<CachedLinearAttentionAttr>().attention
                                    : n.attr.as<LinearAttentionAttr>();
  return traffic(
      n, g,
      2 * times * g.shape(n.in[0]).rows() * a.heads * taylor_features(a.dim) * (a.head_dim + 1));
}
}  // namespace

// Further keys count for every row: which are of a prefix, the run says.
Cost cost_linear_attention(const Node& n, const Graph& g) {
  const bool prefix = n.in.size() > (n.op == Op::kCachedLinearAttention ? 3 : 4);
  return cost_states(n, g, prefix ? 3 : 2);
}

Cost cost_linear_attention_grad(const Node& n, const Graph& g) {
  return cost_states(n, g, n.in.size() > 7 ? 9 : 6);
}

}  // namespace op

Value scan(Graph& g, Value gate, Value x, Value spans) {
  return g.apply(Op::kScan, {}, {gate, x, spans});
}

Value cached_scan(Graph& g, Value gate, Value x, const CachedStateAttr& attr) {
  return g.apply(Op::kCachedScan, Attr::of(attr), {gate, x});
}

Value lstm(Graph& g, Value x, Value w, Value spans) {
  return g.apply(Op::kLstm, {}, {x, w, spans});
}

Value cached_lstm(Graph& g, Value x, Value w, const CachedStateAttr& attr) {
  return g.apply(Op::kCachedLstm, Attr::of(attr), {x, w});
}

Value conv(Graph& g, Value x, Value w, Value spans) {
  return g.apply(Op::kConv, {}, {x, w, spans});
}

Value cached_conv(Graph& g, Value x, Value w, const CachedStateAttr& attr) {
  return g.apply(Op::kCachedConv, Attr::of(attr), {x, w});
}

Value cached_linear_attention(Graph& g, const LinearAttentionInputs& x,
                              const CachedLinearAttentionAttr& attr) {
  if (!x.prefix_k) return g.apply(Op::kCachedLinearAttention, Attr::of(attr), {x.q, x.k, x.v});
  return g.apply(Op::kCachedLinearAttention, Attr::of(attr),
                 {x.q, x.k, x.v, x.prefix_k, x.prefix_v});
}

Value linear_attention(Graph& g, const LinearAttentionInputs& x, Value spans,
                       const LinearAttentionAttr& attr) {
  if (!x.prefix_k) return g.apply(Op::kLinearAttention, Attr::of(attr), {x.q, x.k, x.v, spans});
  return g.apply(Op::kLinearAttention, Attr::of(attr),
                 {x.q, x.k, x.v, spans, x.prefix_k, x.prefix_v, x.prefix_end});
}

}  // namespace lm
