// Elementwise operators, reductions, softmax, gated units.

#include <algorithm>

#include "core/str.h"
#include "ops/defs.h"
#include "ops/ops.h"

namespace lm {

namespace op {

namespace {

i64 along_count(const Shape& x, Along along) {
  switch (along) {
    case Along::kSame:
      return x.count();
    case Along::kRow:
      return x.cols();
    case Along::kCol:
      return x.rows();
    case Along::kScalar:
      return 1;
  }
  return 1;
}

void check_pair(InferCtx& c, Along along) {
  c.require_real(0);
  c.require_real(1);
  const bool fits = along == Along::kSame ? c.shape(0) == c.shape(1)
                                          : c.shape(1).count() == along_count(c.shape(0), along);
  c.require(fits, "operands do not fit");
}

// The gradient of a scaled pass-through.
void pass_scaled(GradCtx& c, i64 i, Value dy, f32 factor) {
  if (!c.need(i)) return;
  if (factor == 1.0f) {
    c.pass(i, dy);
  } else {
    c.emit(Op::kAdd, Attr::of(AddAttr{factor, 0, Along::kSame}), {dy}, {c.into(i)});
  }
}

}  // namespace

void infer_add(InferCtx& c) {
  if (c.has(1)) {
    check_pair(c, c.attr<AddAttr>().along);
  } else {
    c.require_real(0);
  }
  c.output(c.shape(0), c.dtype(0));
}

void grad_add(GradCtx& c) {
  const AddAttr a = c.attr<AddAttr>();
  const Value dy = c.dout(0);
  pass_scaled(c, 0, dy, a.alpha);
  if (!c.need(1)) return;
  if (a.along == Along::kSame) {
    pass_scaled(c, 1, dy, a.beta);
  } else {
    c.emit(Op::kReduce, Attr::of(ReduceAttr{a.along, a.beta}), {dy}, {c.into(1)});
  }
}

void infer_mul(InferCtx& c) {
  check_pair(c, c.attr<MulAttr>().along);
  c.output(c.shape(0), c.dtype(0));
}

void grad_mul(GradCtx& c) {
  const MulAttr a = c.attr<MulAttr>();
  const Value dy = c.dout(0);
  if (c.need(0)) c.emit(Op::kMul, Attr::of(a), {dy, c.in(1)}, {c.into(0)});
  if (!c.need(1)) return;
  if (a.along == Along::kSame) {
    c.emit(Op::kMul, Attr::of(a), {dy, c.in(0)}, {c.into(1)});
  } else {
    c.emit(Op::kReduce, Attr::of(ReduceAttr{a.along, a.alpha}), {dy, c.in(0)}, {c.into(1)});
  }
}

void infer_same(InferCtx& c) {
  c.require_real(0);
  c.output(c.shape(0), c.dtype(0));
}

void grad_unary(GradCtx& c) {
  if (!c.need(0)) return;
  c.emit(Op::kUnaryGrad, Attr::of(c.attr<UnaryAttr>()), {c.in(0), c.dout(0)}, {c.into(0)});
}

void infer_dropout(InferCtx& c) {
  const f32 p = c.attr<DropoutAttr>().p;
  c.require(p >= 0 && p < 1, cat("dropout probability ", p, " is not in [0, 1)"));
  infer_same(c);
}

void grad_dropout(GradCtx& c) {
  if (!c.need(0)) return;
  const u32 rng_id = c.g.nodes()[usize(c.index)].rng_id;
  const i64 node = c.emit(Op::kDropout, Attr::of(c.attr<DropoutAttr>()), {c.dout(0)}, {c.into(0)});
  c.g.mutable_node(node).rng_id = rng_id;  // the same mask as forward
}

void infer_reduce(InferCtx& c) {
  const Along along = c.attr<ReduceAttr>().along;
  c.require_real(0);
  if (c.has(1)) check_pair(c, Along::kSame);
  c.require(along != Along::kSame, "nothing to reduce");
  c.output({along_count(c.shape(0), along)}, DType::kF32);
}

void grad_reduce(GradCtx& c) {
  const ReduceAttr a = c.attr<ReduceAttr>();
  const Value d = c.dout(0);
  for (const i64 i : {i64{0}, i64{1}}) {
    if (!c.need(i)) continue;
    const Value other = c.in(1 - i);
    if (other) {
      c.emit(Op::kMul, Attr::of(MulAttr{a.scale, a.along}), {other, d}, {c.into(i)});
    } else {
      const BroadcastAttr spread{a.along, a.scale, c.g.shape(c.in(i))};
      c.emit(Op::kBroadcast, Attr::of(spread), {d}, {c.into(i)});
    }
  }
}

void grad_softmax(GradCtx& c) {
  if (!c.need(0)) return;
  c.emit(Op::kSoftmaxGrad, Attr::of(c.attr<SoftmaxAttr>()), {c.out(0), c.dout(0)}, {c.into(0)});
}

void infer_logsumexp(InferCtx& c) {
  c.require_real(0);
  c.require(c.shape(0).rank >= 1 && c.shape(0).cols() > 0, "needs columns");
  c.output({c.shape(0).rows()}, DType::kF32);
}

void grad_logsumexp(GradCtx& c) {
  if (!c.need(0)) return;
  const Value p = softmax(c.g, c.in(0));
  c.emit(Op::kMul, Attr::of(MulAttr{1.0f, Along::kCol}), {p, c.dout(0)}, {c.into(0)});
}

void infer_pick(InferCtx& c) {
  c.require_real(0);
  c.require_dtype(1, DType::kI32);
  c.require(c.shape(0).rows() == c.shape(1).count(), "one index per row");
  c.output({c.shape(0).rows()}, DType::kF32);
}

void grad_pick(GradCtx& c) {
  if (!c.need(0)) return;
  const PickGradAttr a{c.g.shape(c.in(0))};
  c.emit(Op::kPickGrad, Attr::of(a), {c.dout(0), c.in(1)}, {c.into(0)});
}

void infer_glu(InferCtx& c) {
  c.require_real(0);
  c.require(c.shape(0).rank >= 1 && c.shape(0).cols() % 2 == 0, "needs an even number of columns");
  Shape half = c.shape(0);
  half.dim[half.rank - 1U] /= 2;
  c.output(half, c.dtype(0));
}

void grad_glu(GradCtx& c) {
  if (!c.need(0)) return;
  c.emit(Op::kGluGrad, Attr::of(c.attr<GluAttr>()), {c.in(0), c.dout(0)}, {c.into(0)});
}

}  // namespace op

Value add(Graph& g, Value a, Value b, f32 alpha, f32 beta, Along along) {
  return g.apply(Op::kAdd, Attr::of(AddAttr{alpha, beta, along}), {a, b});
}
Value sub(Graph& g, Value a, Value b) {
  return add(g, a, b, 1.0f, -1.0f);
}
Value mul(Graph& g, Value a, Value b, Along along) {
  return g.apply(Op::kMul, Attr::of(MulAttr{1.0f, along}), {a, b});
}
Value scale(Graph& g, Value x, f32 factor) {
  return g.apply(Op::kAdd, Attr::of(AddAttr{factor, 0.0f, Along::kSame}), {x});
}
Value unary(Graph& g, Value x, Unary kind, f32 param) {
  return g.apply(Op::kUnary, Attr::of(UnaryAttr{kind, param}), {x});
}
Value softcap(Graph& g, Value x, f32 c) {
  return unary(g, x, Unary::kSoftcap, c);
}
Value dropout(Graph& g, Value x, f32 p) {
  return g.apply(Op::kDropout, Attr::of(DropoutAttr{p}), {x});
}

namespace {
Value reduce(Graph& g, Value x, Value y, Along along, f32 factor) {
  return g.apply(Op::kReduce, Attr::of(ReduceAttr{along, factor}), {x, y});
}
}  // namespace

Value sum(Graph& g, Value x) {
  return reduce(g, x, {}, Along::kScalar, 1.0f);
}
Value mean(Graph& g, Value x) {
  const i64 count = std::max<i64>(1, g.shape(x).count());
  return reduce(g, x, {}, Along::kScalar, static_cast<f32>(1.0 / static_cast<f64>(count)));
}
Value sum_columns(Graph& g, Value x) {
  return reduce(g, x, {}, Along::kCol, 1.0f);
}
Value sum_rows(Graph& g, Value x) {
  return reduce(g, x, {}, Along::kRow, 1.0f);
}
Value dot(Graph& g, Value x, Value y, f32 factor) {
  return reduce(g, x, y, Along::kScalar, factor);
}
Value mse(Graph& g, Value x, Value y) {
  const i64 count = std::max<i64>(1, g.shape(x).count());
  const Value d = sub(g, x, y);
  return dot(g, d, d, static_cast<f32>(1.0 / static_cast<f64>(count)));
}
Value softmax(Graph& g, Value x, f32 factor) {
  return g.apply(Op::kSoftmax, Attr::of(SoftmaxAttr{factor}), {x});
}
Value logsumexp(Graph& g, Value x) {
  return g.apply(Op::kLogsumexp, Attr{}, {x});
}
Value pick(Graph& g, Value x, Value index) {
  return g.apply(Op::kPick, Attr{}, {x, index});
}
Value glu(Graph& g, Value x, GluKind kind) {
  return g.apply(Op::kGlu, Attr::of(GluAttr{kind}), {x});
}

Value glu_fallback(Graph& g, Value x, GluKind kind) {
  const i64 f = g.shape(x).cols() / 2;
  const Value a = copy(g, slice_columns(g, x, 0, f));
  const Value u = copy(g, slice_columns(g, x, f, f));
  Unary act = Unary::kSilu;
  if (kind == GluKind::kGeluTanh) act = Unary::kGeluTanh;
  if (kind == GluKind::kGeluErf) act = Unary::kGeluErf;
  if (kind == GluKind::kRelu2) act = Unary::kRelu2;
  return mul(g, unary(g, a, act), u);
}

}  // namespace lm
