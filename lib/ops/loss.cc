// Losses and statistics on logits that never exist as a whole.

#include "core/str.h"
#include "ops/defs.h"
#include "ops/ops.h"

namespace lm {

namespace op {

namespace {

void check_head(InferCtx& c, i64 vocab) {
  c.require_real(0);
  c.require(c.has(1) && c.shape(1).rank == 2 && c.shape(0).cols() == c.shape(1).cols(),
            "x [N, C] and w [V, C] do not fit");
  c.require(vocab > 0 && vocab <= c.shape(1)[0], cat("vocab ", vocab, " is not in [1, V]"));
}

void check_targets(InferCtx& c) {
  c.require_dtype(2, DType::kI32);
  c.require(c.shape(2).count() == c.shape(0).rows(), "one target per row");
}

}  // namespace

void infer_linear_ce(InferCtx& c) {
  const CeAttr a = c.attr<CeAttr>();
  check_head(c, a.vocab);
  check_targets(c);
  if (c.has(3)) {
    c.require_dtype(3, DType::kF32);
    c.require(c.shape(3).count() == c.shape(0).rows(), "one weight per row");
  }
  const i64 rows = c.shape(0).rows();
  c.output({1}, DType::kF32);
  c.output({rows}, DType::kF32, "rows");
  c.output({rows}, DType::kF32, "lse");
}

void grad_linear_ce(GradCtx& c) {
  const Value dsum = c.dout(0);
  const Value drows = c.dout(1);
  const bool plain = !drows && dsum == c.g.seed();
  const bool weight_is_param = c.g.info(c.in(1)).kind == ValueKind::kParameter;
  if (!c.need(0) && !c.need(1)) return;
  if (!plain || (c.need(1) && !weight_is_param)) {
    c.emit(Op::kLinearCeGrad, Attr::of(c.attr<CeAttr>()),
           {c.in(0), c.in(1), c.in(2), c.in(3), c.out(2), dsum, drows},
           {c.into_if_needed(0), c.into_if_needed(1)});
    return;
  }
  // The row weights are all the upstream gradient there is: the forward node itself makes dx and
  // adds to dW while a chunk's logits are in cache.
  const Value dx = c.need(0) ? c.g.new_value(c.g.shape(c.in(0)), c.g.info(c.in(0)).dtype,
                                             cat(c.g.info(c.in(0)).name, ".grad"))
                             : Value{};
  const Value dw = c.need(1) ? c.g.param_grad(c.in(1)) : Value{};
  CeAttr attr = c.attr<CeAttr>();
  attr.fused = true;
  Node& node = c.g.mutable_node(c.index);
  node.attr = Attr::of(attr);
  node.out.push_back(dx);
  node.out.push_back(dw);
  if (dw) node.accumulate |= u32{1} << 4;
  if (dx) {
    c.g.info(dx).producer = static_cast<i32>(c.index);
    c.pass(0, dx);
  }
}

Cost cost_linear_ce(const Node& n, const Graph& g) {
  const i64 product = 2 * g.shape(n.in[0]).count() * g.shape(n.in[1])[0];
  i64 products = 1;
  // Gradients are two more products: outputs 3 and 4 of the fused node, both of linear_ce_grad.
  const bool gradient_node = n.op == Op::kLinearCeGrad;
  for (i64 j = gradient_node ? 0 : 3; j < n.out.size(); ++j) {
    if ((gradient_node || n.op == Op::kLinearCe) && n.out[j]) ++products;
  }
  return traffic(n, g, products * product);
}

void infer_linear_logprob(InferCtx& c) {
  check_head(c, c.attr<LogprobAttr>().vocab);
  const i64 rows = c.shape(0).rows();
  const bool targets = c.has(2);
  if (targets) {
    check_targets(c);
    c.output({rows}, DType::kF32, "logprob");
  } else {
    c.n.out.push_back(Value{});
  }
  c.output({rows}, DType::kF32, "entropy");
  c.output({rows}, DType::kI32, "argmax");
  if (targets) {
    c.output({rows}, DType::kI32, "rank");
  } else {
    c.n.out.push_back(Value{});
  }
}

}  // namespace op

CeResult linear_ce(Graph& g, Value x, Value w, Value targets, Value weight, const CeAttr& attr) {
  CeAttr a = attr;
  a.fused = false;
  const i64 node = g.append(Op::kLinearCe, Attr::of(a), {x, w, targets, weight});
  const Node& n = g.nodes()[usize(node)];
  return {n.out[0], n.out[1]};
}

LogprobResult linear_logprob(Graph& g, Value x, Value w, Value targets, const LogprobAttr& attr) {
  const i64 node = g.append(Op::kLinearLogprob, Attr::of(attr), {x, w, targets});
  const Node& n = g.nodes()[usize(node)];
  return {n.out[0], n.out[1], n.out[2], n.out[3]};
}

Value logits(Graph& g, Value x, Value w, i64 vocab, f32 cap) {
  const Value rows = vocab == g.shape(w)[0] ? w : slice_rows(g, w, 0, vocab);
  const Value y = g.apply(Op::kLinear, Attr::of(LinearAttr{Unary::kNone, true}), {x, rows});
  return cap == 0 ? y : softcap(g, y, cap);
}

CeResult linear_ce_fallback(Graph& g, Value x, Value w, Value targets, Value weight,
                            const CeAttr& attr) {
  const Value l = logits(g, x, w, attr.vocab, attr.softcap);
  const Value lse = logsumexp(g, l);
  const f32 eps = attr.label_smoothing;
  Value loss = add(g, lse, pick(g, l, targets), 1.0f, -(1.0f - eps));
  if (eps != 0) {
    loss = add(g, loss, sum_columns(g, l), 1.0f, -eps / static_cast<f32>(attr.vocab));
  }
  if (attr.z_loss != 0) loss = add(g, loss, mul(g, lse, lse), 1.0f, attr.z_loss);
  // 1 where the row has a target, 0 where it is ignored.
  loss = mul(g, loss, pick(g, fill(g, g.shape(l), 1.0f), targets));
  if (weight) loss = mul(g, loss, weight);
  return {sum(g, loss), loss};
}

}  // namespace lm
