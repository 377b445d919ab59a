// Elementwise operators, reductions, softmax, gated units.

#include "core/random.h"
#include "pointwise.h"
#include "reduce.h"
#include "softmax.h"
#include "table.h"

namespace lm::cuda {

namespace {

template <typename T>
Pair<T> one_operand(const Tensor& x, const Tensor& y) {
  Pair<T> p;
  p.rows = y.rows();
  p.cols = y.cols();
  p.a = items<T>(x);
  p.lda = x.ld;
  p.y = items<T>(y);
  p.ldy = y.ld;
  return p;
}

template <typename T>
Pair<T> two_operands(const Tensor& a, const Tensor& b, Along along, const Tensor& y) {
  Pair<T> p = one_operand<T>(a, y);
  p.b = items<T>(b);
  p.b_row = along == Along::kSame ? b.ld : along == Along::kCol ? 1 : 0;
  p.b_col = along == Along::kSame || along == Along::kRow ? 1 : 0;
  return p;
}

Unary gate_of(GluKind kind) {
  switch (kind) {
    case GluKind::kGeluTanh:
      return Unary::kGeluTanh;
    case GluKind::kRelu2:
      return Unary::kRelu2;
    case GluKind::kGeluErf:
      return Unary::kGeluErf;
    case GluKind::kSilu:
      break;
  }
  return Unary::kSilu;
}

}  // namespace

void run_add(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const AddAttr a = n.attr.as<AddAttr>();
  by_type(n, out[0].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    const Pair<T> p = given(n, 1) ? two_operands<T>(in[0], in[1], a.along, out[0])
                                  : one_operand<T>(in[0], out[0]);
    add_scaled(p, a.alpha, a.beta, ctx.stream);
  });
}

void run_mul(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const MulAttr a = n.attr.as<MulAttr>();
  by_type(n, out[0].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    multiply(two_operands<T>(in[0], in[1], a.along, out[0]), a.alpha, ctx.stream);
  });
}

void run_unary(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const UnaryAttr a = n.attr.as<UnaryAttr>();
  by_type(n, out[0].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    unary(one_operand<T>(in[0], out[0]), a.kind, a.param, ctx.stream);
  });
}

void run_unary_grad(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const UnaryAttr a = n.attr.as<UnaryAttr>();
  by_type(n, out[0].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    unary_grad(two_operands<T>(in[0], in[1], Along::kSame, out[0]), a.kind, a.param, ctx.stream);
  });
}

void run_dropout(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const f32 p = n.attr.as<DropoutAttr>().p;
  const i64 rows = out[0].rows();
  const i64 cols = out[0].cols();
  if (!ctx.training || p == 0.0f) {
    if (in[0].data != out[0].data) {
      copy_rows(rows, cols, item_bytes(in[0].dtype), in[0].data, in[0].ld, out[0].data, out[0].ld,
                ctx.stream);
    }
    return;
  }
  const u64 mixed = mix64(ctx.seed);
  Dropout d;
  d.key0 = static_cast<u32>(mixed);
  d.key1 = static_cast<u32>(mixed >> 32) ^ static_cast<u32>(RandomPurpose::kDropout) * 0x9E3779B9u;
  d.step = ctx.step;
  d.micro_step = ctx.micro_step;
  d.node = n.rng_id;
  d.threshold = static_cast<u32>(static_cast<f64>(p) * 4294967296.0);
  d.factor = 1.0f / (1.0f - p);
  by_type(n, out[0].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    dropout(rows, cols, d, items<T>(in[0]), in[0].ld, items<T>(out[0]), out[0].ld, ctx.stream);
  });
}

i64 space_reduce(const Node& n, const Graph& g) {
  const Shape& x = g.shape(n.in[0]);
  switch (n.attr.as<ReduceAttr>().along) {
    case Along::kRow:
      return sum_columns_space(x.rows(), x.cols());
    case Along::kCol:
      return 0;
    default:
      return sum_all_space(x.rows(), x.cols());
  }
}

void run_reduce(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const ReduceAttr a = n.attr.as<ReduceAttr>();
  by_types(n, in[0].dtype, out[0].dtype, [&](auto t, auto o) {
    using T = typename decltype(t)::type;
    using O = typename decltype(o)::type;
    Summed<T> s{in[0].rows(), in[0].cols(), items<T>(in[0]), in[0].ld, nullptr, 0};
    if (given(n, 1)) {
      s.y = items<T>(in[1]);
      s.ldy = in[1].ld;
    }
    const bool add = adds_to(n, 0);
    if (a.along == Along::kRow) {
      sum_columns(s, a.scale, add, items<O>(out[0]), space, ctx.stream);
    } else if (a.along == Along::kCol) {
      sum_rows(s, a.scale, add, items<O>(out[0]), ctx.stream);
    } else {
      sum_all(s, a.scale, add, items<O>(out[0]), space, ctx.stream);
    }
  });
}

void run_softmax(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  by_type(n, out[0].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    softmax(in[0].rows(), in[0].cols(), n.attr.as<SoftmaxAttr>().scale, items<T>(in[0]), in[0].ld,
            items<T>(out[0]), out[0].ld, ctx.stream);
  });
}

void run_softmax_grad(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  by_type(n, out[0].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    softmax_grad(in[0].rows(), in[0].cols(), n.attr.as<SoftmaxAttr>().scale, items<T>(in[0]),
                 in[0].ld, items<T>(in[1]), in[1].ld, items<T>(out[0]), out[0].ld, ctx.stream);
  });
}

void run_logsumexp(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  by_types(n, in[0].dtype, out[0].dtype, [&](auto t, auto o) {
    using T = typename decltype(t)::type;
    using O = typename decltype(o)::type;
    logsumexp(in[0].rows(), in[0].cols(), items<T>(in[0]), in[0].ld, items<O>(out[0]), ctx.stream);
  });
}

void run_pick(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  by_types(n, in[0].dtype, out[0].dtype, [&](auto t, auto o) {
    using T = typename decltype(t)::type;
    using O = typename decltype(o)::type;
    pick(in[0].rows(), in[0].cols(), items<T>(in[0]), in[0].ld, in[1].i32_data(), items<O>(out[0]),
         ctx.stream);
  });
}

void run_pick_grad(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  by_types(n, out[0].dtype, in[0].dtype, [&](auto t, auto o) {
    using T = typename decltype(t)::type;
    using O = typename decltype(o)::type;
    pick_grad(out[0].rows(), out[0].cols(), items<O>(in[0]), in[1].i32_data(), items<T>(out[0]),
              out[0].ld, ctx.stream);
  });
}

void run_glu(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  by_type(n, out[0].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    glu(out[0].rows(), out[0].cols(), gate_of(n.attr.as<GluAttr>().kind), items<T>(in[0]), in[0].ld,
        items<T>(out[0]), out[0].ld, ctx.stream);
  });
}

void run_glu_grad(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  by_type(n, out[0].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    glu_grad(in[1].rows(), in[1].cols(), gate_of(n.attr.as<GluAttr>().kind), items<T>(in[0]),
             in[0].ld, items<T>(in[1]), in[1].ld, items<T>(out[0]), out[0].ld, ctx.stream);
  });
}

}  // namespace lm::cuda
