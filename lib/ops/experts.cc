// Mixtures of experts: routing, sorting by expert, products by groups, sums of slots.

#include "ops/experts.h"

#include "ops/defs.h"

namespace lm {

namespace op {

void infer_route(InferCtx& c) {
  const RouteAttr a = c.attr<RouteAttr>();
  c.require(a.experts > 0 && a.active > 0 && a.active <= a.experts,
            "active experts are from 1 to all");
  c.require(c.has(0) != c.has(4), "rows are routed by logits, or by tokens");
  const i64 rows = c.has(0) ? c.shape(0).rows() : c.shape(4).count();
  if (c.has(0)) {
    c.require_dtype(0, DType::kF32);
    c.require(c.shape(0).cols() == a.experts, "logits are [N, experts]");
  } else {
    c.require_dtype(4, DType::kI32);
    c.require(a.active == 1 && !c.has(1) && !c.has(3), "a token has one expert");
  }
  if (c.has(1)) {
    c.require_dtype(1, DType::kF32);
    c.require(c.shape(1).count() == a.experts, "the bias has one value per expert");
  }
  if (c.has(2)) {
    c.require_dtype(2, DType::kI32);
    c.require(c.shape(2).rows() == rows && c.shape(2).cols() == kSpanInts, "spans are [N, 6]");
  }
  if (c.has(3)) {
    c.require_dtype(3, DType::kF32);
    c.require(c.shape(3).count() == rows && a.active == 2, "one draw per row, of two experts");
  }
  c.output({rows, a.active}, DType::kF32);
  c.output({rows, a.active}, DType::kI32, "index");
  c.output({rows, a.experts}, DType::kF32, "probabilities");
  c.output({rows}, DType::kF32, "lse");
}

void grad_route(GradCtx& c) {
  if (!c.need(0)) return;
  c.emit(Op::kRouteGrad, Attr::of(c.attr<RouteAttr>()),
         {c.in(0), c.out(1), c.out(2), c.out(3), c.dout(0), c.dout(2), c.dout(3)}, {c.into(0)});
}

void infer_dispatch(InferCtx& c) {
  const DispatchAttr a = c.attr<DispatchAttr>();
  c.require_dtype(0, DType::kI32);
  c.require_dtype(1, DType::kF32);
  c.require(c.shape(0) == c.shape(1) && c.shape(0).rank == 2, "index and weights are [N, K]");
  c.require(a.experts > 0 && a.capacity >= 0, "experts are positive, the capacity is not negative");
  c.output({c.shape(0).count()}, DType::kI32);
  c.output(c.shape(0), DType::kI32, "place");
  c.output({i64{a.experts} + 1}, DType::kI32, "offsets");
  c.output({a.experts}, DType::kF32, "load");
  c.output({a.experts}, DType::kF32, "share");
}

void infer_grouped(InferCtx& c) {
  const i64 groups = c.attr<GroupedAttr>().groups;
  c.require_dtype(0, DType::kF32);
  c.require(c.has(1) && is_weight(c.g.info(c.n.in[1]).dtype), "the weight is f32, bf16 or f16");
  c.require_dtype(2, DType::kI32);
  const Shape& w = c.shape(1);
  c.require(groups > 0 && c.shape(2).count() == groups + 1, "offsets are [groups + 1]");
  c.require(w.rank == 2 && w[0] % groups == 0 && c.shape(0).cols() == w[1],
            "x [M, in] and w [groups out, in] do not fit");
  c.output({c.shape(0).rows(), w[0] / groups}, DType::kF32);
}

void grad_grouped(GradCtx& c) {
  const Attr attr = Attr::of(c.attr<GroupedAttr>());
  const Value dy = c.dout(0);
  if (c.need(0)) c.emit(Op::kGroupedLinearGradX, attr, {dy, c.in(1), c.in(2)}, {c.into(0)});
  if (c.need(1)) c.emit(Op::kGroupedLinearGradW, attr, {dy, c.in(0), c.in(2)}, {c.into(1)});
}

/// As if all rows had an expert. Inputs: x or dy, w or x, offsets.
Cost cost_grouped(const Node& n, const Graph& g) {
  const i64 rows = g.shape(n.in[0]).rows();
  const i64 other = n.op == Op::kGroupedLinearGradW
                        ? g.shape(n.in[0]).cols() * g.shape(n.in[1]).cols()
                        : g.shape(n.in[1]).count() / n.attr.as<GroupedAttr>().groups;
  return traffic(n, g, 2 * rows * other);
}

void infer_combine(InferCtx& c) {
  c.require_dtype(0, DType::kF32);
  c.require_dtype(1, DType::kF32);
  c.require_dtype(2, DType::kI32);
  c.require(
      c.shape(1) == c.shape(2) && c.shape(1).rank == 2 && c.shape(1).count() == c.shape(0).rows(),
      "x is [N K, C], weights and place are [N, K]");
  const Shape y{c.shape(1)[0], c.shape(0).cols()};
  if (c.has(3)) {
    c.require_dtype(3, DType::kF32);
    c.require(c.shape(3) == y, "the residual has the result's shape");
  }
  c.output(y, DType::kF32);
}

void grad_combine(GradCtx& c) {
  const Value dy = c.dout(0);
  if (c.need(0) || c.need(1))
    c.emit(Op::kCombineGrad, {}, {dy, c.in(0), c.in(1), c.in(2)},
           {c.into_if_needed(0), c.into_if_needed(1)});
  c.pass(3, dy);
}

Cost cost_combine(const Node& n, const Graph& g) {
  const bool back = n.op == Op::kCombineGrad;
  return traffic(n, g, (back ? 4 : 2) * g.shape(n.in[back ? 1 : 0]).count());
}

void infer_draws(InferCtx& c) {
  c.output(c.attr<DrawsAttr>().shape, DType::kF32);
}

}  // namespace op

Routing route(Graph& g, const RouteInputs& x, const RouteAttr& attr) {
  const i64 node =
      g.append(Op::kRoute, Attr::of(attr), ValueList{x.logits, x.bias, x.spans, x.draws, x.tokens});
  const ValueList& out = g.nodes()[usize(node)].out;
  return {out[0], out[1], out[2], out[3]};
}

Dispatch dispatch(Graph& g, const Routing& routing, const DispatchAttr& attr) {
  const i64 node =
      g.append(Op::kDispatch, Attr::of(attr), ValueList{routing.index, routing.weights});
  const ValueList out = g.nodes()[usize(node)].out;
  g.info(out[3]).needs_grad = g.info(out[4]).needs_grad = false;
  return {out[0], out[1], out[2], out[3], out[4]};
}

Value grouped_linear(Graph& g, Value x, Value w, Value offsets, i64 groups) {
  return g.apply(Op::kGroupedLinear, Attr::of(GroupedAttr{static_cast<i32>(groups)}),
                 {x, w, offsets});
}

Value combine(Graph& g, Value x, Value weights, Value place, Value residual) {
  return g.apply(Op::kCombine, {}, {x, weights, place, residual});
}

Value draws(Graph& g, const Shape& shape, DrawKind kind) {
  return g.apply(Op::kDraws, Attr::of(DrawsAttr{shape, kind}), {});
}

}  // namespace lm
