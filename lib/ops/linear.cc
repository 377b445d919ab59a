// Linear layers and batched matrix products.

#include "core/str.h"
#include "ops/defs.h"
#include "ops/ops.h"

namespace lm {

namespace op {

namespace {

Shape with_cols(const Shape& x, i64 cols) {
  Shape y = x;
  y.dim[y.rank - 1U] = cols;
  return y;
}

}  // namespace

void infer_linear(InferCtx& c) {
  const LinearAttr a = c.attr<LinearAttr>();
  c.require_real(0);
  c.require(c.has(1) && is_weight(c.g.info(c.n.in[1]).dtype), "the weight is f32, bf16 or f16");
  const Shape& x = c.shape(0);
  const Shape& w = c.shape(1);
  c.require(x.rank >= 1 && w.rank == 2 && x.cols() == w[1], "x [N, in] and w [out, in] do not fit");
  if (c.has(2)) {
    c.require_real(2);
    c.require(c.shape(2).count() == w[0], "the bias has one value per output");
  }
  const Shape y = with_cols(x, w[0]);
  if (c.has(3)) {
    c.require_real(3);
    c.require(c.shape(3) == y && a.act == Unary::kNone, "the residual has the result's shape");
  }
  c.require(a.act == Unary::kNone || a.act == Unary::kGeluTanh || a.act == Unary::kGeluErf ||
                a.act == Unary::kRelu || a.act == Unary::kRelu2 || a.act == Unary::kSilu,
            "this activation is not fused into a linear layer");
  c.require(!a.wide || (a.act == Unary::kNone && !c.has(2) && !c.has(3)),
            "a widened result is the bare product");
  c.output(y, a.wide ? DType::kF32 : c.dtype(0));
  if (a.act != Unary::kNone) c.output(y, c.dtype(0), "pre");
}

namespace {

// y = act(pre), and its gradient dy is one product that nobody else reads: lets that product
// multiply by act'(pre) on the way, which saves a pass over three matrices. False where that does
// not hold.
bool fuse_slope(GradCtx& c, Value dy, Unary act) {
  const ValueInfo& grad = c.g.info(dy);
  if (grad.producer < 0 || c.g.info(c.out(0)).shared_grad) return false;
  Node& product = c.g.mutable_node(grad.producer);
  if (product.op != Op::kLinearGradX || product.accumulate != 0 || product.in.size() != 2 ||
      !(product.out[0] == dy))
    return false;
  for (i64 i = grad.producer + 1; i < isize(c.g.nodes()); ++i) {
    const Node& later = c.g.nodes()[usize(i)];
    for (const ValueList* list : {&later.in, &later.out})
      for (const Value v : *list)
        if (v == dy) return false;
  }
  product.in.push_back(c.out(1));
  product.attr = Attr::of(LinearAttr{act});
  return true;
}

}  // namespace

void grad_linear(GradCtx& c) {
  const LinearAttr a = c.attr<LinearAttr>();
  const Value dy = c.dout(0);
  Value da = dy;
  LM_CHECK(c.g.info(c.out(0)).dtype == c.g.info(c.in(0)).dtype,
           "a widened product has no gradient");
  if (a.act != Unary::kNone && !fuse_slope(c, dy, a.act)) {
    da = c.g.new_value(c.g.shape(dy), c.g.info(dy).dtype, cat(c.g.info(c.out(1)).name, ".grad"));
    c.g.append_into(Op::kUnaryGrad, Attr::of(UnaryAttr{a.act, 0}), {c.out(1), dy}, {da}, 0);
  }
  if (c.need(0)) c.emit(Op::kLinearGradX, Attr::of(LinearAttr{}), {da, c.in(1)}, {c.into(0)});
  if (c.need(1)) c.emit(Op::kLinearGradW, Attr{}, {da, c.in(0)}, {c.into(1)});
  if (c.need(2)) {
    c.emit(Op::kReduce, Attr::of(ReduceAttr{Along::kRow, 1.0f}), {da}, {c.into(2)});
  }
  c.pass(3, dy);
}

Cost cost_linear(const Node& n, const Graph& g) {
  const Shape& w = g.shape(n.in[1]);
  return traffic(n, g, 2 * g.shape(n.in[0]).rows() * w[0] * w[1]);
}

Cost cost_linear_grad(const Node& n, const Graph& g) {
  const Shape& other = g.shape(n.in[1]);  // w for x's gradient, x for w's
  return traffic(n, g, 2 * g.shape(n.in[0]).count() * other.cols());
}

void infer_matmul(InferCtx& c) {
  const MatmulAttr m = c.attr<MatmulAttr>();
  c.require_real(0);
  c.require_real(1);
  const Shape& a = c.shape(0);
  const Shape& b = c.shape(1);
  c.require(a.rank == b.rank && (a.rank == 2 || a.rank == 3), "operands have rank 2, or both 3");
  c.require(a.rank == 2 || a[0] == b[0], "batch sizes differ");
  c.require(!(m.ta && m.tb), "at most one operand is transposed");
  const int r = a.rank;
  const i64 rows = m.ta ? a[r - 1] : a[r - 2];
  const i64 inner = m.ta ? a[r - 2] : a[r - 1];
  const i64 inner_b = m.tb ? b[r - 1] : b[r - 2];
  const i64 cols = m.tb ? b[r - 2] : b[r - 1];
  c.require(inner == inner_b, "inner dimensions differ");
  if (r == 2) {
    c.output({rows, cols}, c.dtype(0));
  } else {
    c.output({a[0], rows, cols}, c.dtype(0));
  }
}

void grad_matmul(GradCtx& c) {
  const MatmulAttr m = c.attr<MatmulAttr>();
  const Value d = c.dout(0);
  const Value a = c.in(0);
  const Value b = c.in(1);
  const auto attr = [&](bool ta, bool tb) { return Attr::of(MatmulAttr{ta, tb, m.alpha}); };
  if (c.need(0)) {  // C = op(A) op(B): dA = dC op(B)^T, or its transpose
    if (m.ta) {
      c.emit(Op::kMatmul, attr(false, true), {b, d}, {c.into(0)});
    } else {
      c.emit(Op::kMatmul, attr(false, !m.tb), {d, b}, {c.into(0)});
    }
  }
  if (c.need(1)) {
    if (m.tb) {
      c.emit(Op::kMatmul, attr(true, false), {d, a}, {c.into(1)});
    } else {
      c.emit(Op::kMatmul, attr(!m.ta, false), {a, d}, {c.into(1)});
    }
  }
}

Cost cost_matmul(const Node& n, const Graph& g) {
  const MatmulAttr m = n.attr.as<MatmulAttr>();
  const Shape& b = g.shape(n.in[1]);
  const i64 cols = m.tb ? b[b.rank - 2] : b[b.rank - 1];
  return traffic(n, g, 2 * g.shape(n.in[0]).count() * cols);
}

}  // namespace op

Value linear(Graph& g, Value x, Value w, Value b, Unary act) {
  return g.apply(Op::kLinear, Attr::of(LinearAttr{act}), {x, w, b});
}

Value linear_add(Graph& g, Value x, Value w, Value b, Value residual) {
  return g.apply(Op::kLinear, Attr::of(LinearAttr{}), {x, w, b, residual});
}

Value matmul(Graph& g, Value a, Value b, bool ta, bool tb, f32 alpha) {
  return g.apply(Op::kMatmul, Attr::of(MatmulAttr{ta, tb, alpha}), {a, b});
}

}  // namespace lm
