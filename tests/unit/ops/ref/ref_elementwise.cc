#include <algorithm>
#include <cmath>

#include "core/random.h"
#include "ops/op.h"
#include "ref.h"

namespace lm::test {

namespace {

f64 gelu_erf(f64 x) {
  return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
}
f64 gelu_tanh(f64 x) {
  const f64 pi = 3.14159265358979323846;
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / pi) * (x + 0.044715 * x * x * x)));
}
f64 sigmoid(f64 x) {
  return 1 / (1 + std::exp(-x));
}

f64 apply(Unary kind, f64 x, f64 c) {
  switch (kind) {
    case Unary::kNone:
      return x;
    case Unary::kGeluTanh:
      return gelu_tanh(x);
    case Unary::kGeluErf:
      return gelu_erf(x);
    case Unary::kRelu:
      return x > 0 ? x : 0;
    case Unary::kRelu2:
      return x > 0 ? x * x : 0;
    case Unary::kSilu:
      return x * sigmoid(x);
    case Unary::kTanh:
      return std::tanh(x);
    case Unary::kSigmoid:
      return sigmoid(x);
    case Unary::kExp:
      return std::exp(x);
    case Unary::kLog:
      return std::log(x);
    case Unary::kSquare:
      return x * x;
    case Unary::kSqrt:
      return std::sqrt(x);
    case Unary::kSoftcap:
      return c * std::tanh(x / c);
    case Unary::kLogSigmoid:
      return std::log(sigmoid(x));
    case Unary::kLog1mExp:
      return std::log(-std::expm1(x));
    case Unary::kStep:
      return x > 0 ? 1 : 0;
  }
  return 0;
}

// The element of a broadcast operand that meets element i of x.
i64 partner(Along along, i64 i, i64 cols) {
  switch (along) {
    case Along::kSame:
      return i;
    case Along::kRow:
      return i % cols;
    case Along::kCol:
      return i / cols;
    case Along::kScalar:
      return 0;
  }
  return 0;
}

void linear(const RefNode& r) {
  const i64 inner = r.cols(0);
  const i64 outer = r.shape(1)[0];
  const LinearAttr a = r.n.attr.as<LinearAttr>();
  for (i64 i = 0; i < r.rows(0); ++i) {
    for (i64 o = 0; o < outer; ++o) {
      f64 s = r.has(2) ? r.x(2)[usize(o)] : 0;
      for (i64 k = 0; k < inner; ++k)
        s += r.x(0)[usize(i * inner + k)] * r.x(1)[usize(o * inner + k)];
      const std::size_t at = usize(i * outer + o);
      if (r.out.size() > 1) r.y(1)[at] = s;
      r.y(0)[at] = apply(a.act, s, 0) + (r.has(3) ? r.x(3)[at] : 0);
    }
  }
}

void matmul(const RefNode& r) {
  const MatmulAttr m = r.n.attr.as<MatmulAttr>();
  const Shape& sa = r.shape(0);
  const Shape& sb = r.shape(1);
  const int k = sa.rank;
  const i64 batch = k == 3 ? sa[0] : 1;
  const i64 a0 = sa[k - 2], a1 = sa[k - 1], b0 = sb[k - 2], b1 = sb[k - 1];
  const i64 rows = m.ta ? a1 : a0, inner = m.ta ? a0 : a1, cols = m.tb ? b0 : b1;
  for (i64 b = 0; b < batch; ++b) {
    for (i64 i = 0; i < rows; ++i) {
      for (i64 j = 0; j < cols; ++j) {
        f64 s = 0;
        for (i64 t = 0; t < inner; ++t) {
          const f64 x = r.x(0)[usize(b * a0 * a1 + (m.ta ? t * a1 + i : i * a1 + t))];
          s += x * r.x(1)[usize(b * b0 * b1 + (m.tb ? j * b1 + t : t * b1 + j))];
        }
        r.y(0)[usize((b * rows + i) * cols + j)] = m.alpha * s;
      }
    }
  }
}

void dropout(const RefNode& r, const RefCtx& ctx) {
  const f64 p = r.n.attr.as<DropoutAttr>().p;
  const u64 mixed = mix64(ctx.seed);
  for (i64 i = 0; i < ssize(r.x(0)); ++i) {
    if (!ctx.training) {
      r.y(0)[usize(i)] = r.x(0)[usize(i)];
      continue;
    }
    const Philox4 w =
        philox({ctx.step, ctx.micro_step, r.n.rng_id, static_cast<u32>(i / 4)},
               {static_cast<u32>(mixed), static_cast<u32>(mixed >> 32) ^ 2u * 0x9E3779B9u});
    const bool kept = static_cast<f64>(w[usize(i % 4)]) >= std::floor(p * 4294967296.0);
    r.y(0)[usize(i)] = kept ? r.x(0)[usize(i)] / (1 - p) : 0;
  }
}

void softmax(const RefNode& r) {
  const f64 scale = r.n.attr.as<SoftmaxAttr>().scale;
  const i64 cols = r.cols(0);
  for (i64 i = 0; i < r.rows(0); ++i) {
    f64 total = 0;
    f64 top = -1e300;
    for (i64 c = 0; c < cols; ++c)
      top = std::max(top, scale * r.x(0)[usize(i * cols + c)]);
    for (i64 c = 0; c < cols; ++c)
      total += std::exp(scale * r.x(0)[usize(i * cols + c)] - top);
    for (i64 c = 0; c < cols; ++c) {
      r.y(0)[usize(i * cols + c)] = std::exp(scale * r.x(0)[usize(i * cols + c)] - top) / total;
    }
  }
}

void logsumexp(const RefNode& r) {
  const i64 cols = r.cols(0);
  for (i64 i = 0; i < r.rows(0); ++i) {
    f64 total = 0;
    f64 top = -1e300;
    for (i64 c = 0; c < cols; ++c)
      top = std::max(top, r.x(0)[usize(i * cols + c)]);
    for (i64 c = 0; c < cols; ++c)
      total += std::exp(r.x(0)[usize(i * cols + c)] - top);
    r.y(0)[usize(i)] = top + std::log(total);
  }
}

void glu(const RefNode& r) {
  const GluKind kind = r.n.attr.as<GluAttr>().kind;
  const Unary act = kind == GluKind::kSilu       ? Unary::kSilu
                    : kind == GluKind::kGeluTanh ? Unary::kGeluTanh
                    : kind == GluKind::kRelu2    ? Unary::kRelu2
                                                 : Unary::kGeluErf;
  const i64 f = r.cols(0) / 2;
  for (i64 i = 0; i < r.rows(0); ++i) {
    for (i64 c = 0; c < f; ++c) {
      r.y(0)[usize(i * f + c)] =
          apply(act, r.x(0)[usize(i * 2 * f + c)], 0) * r.x(0)[usize(i * 2 * f + f + c)];
    }
  }
}

void reduce(const RefNode& r) {
  const ReduceAttr a = r.n.attr.as<ReduceAttr>();
  for (i64 i = 0; i < ssize(r.x(0)); ++i) {
    const f64 other = r.has(1) ? r.x(1)[usize(i)] : 1;
    r.y(0)[usize(partner(a.along, i, r.cols(0)))] += f64{a.scale} * r.x(0)[usize(i)] * other;
  }
}

void pairwise(const RefNode& r) {
  const bool is_add = r.n.op == Op::kAdd;
  const AddAttr add = is_add ? r.n.attr.as<AddAttr>() : AddAttr{};
  const MulAttr mul = is_add ? MulAttr{} : r.n.attr.as<MulAttr>();
  for (i64 i = 0; i < ssize(r.x(0)); ++i) {
    const Along along = is_add ? add.along : mul.along;
    const f64 x = r.x(0)[usize(i)];
    const f64 b = r.has(1) ? r.x(1)[usize(partner(along, i, r.cols(0)))] : 0;
    r.y(0)[usize(i)] = is_add ? add.alpha * x + (r.has(1) ? add.beta * b : 0) : mul.alpha * x * b;
  }
}

}  // namespace

bool ref_elementwise(const RefNode& r, const RefCtx& ctx) {
  switch (r.n.op) {
    case Op::kAdd:
    case Op::kMul:
      pairwise(r);
      return true;
    case Op::kUnary: {
      const UnaryAttr a = r.n.attr.as<UnaryAttr>();
      for (std::size_t i = 0; i < r.x(0).size(); ++i)
        r.y(0)[i] = apply(a.kind, r.x(0)[i], a.param);
      return true;
    }
    case Op::kDropout:
      dropout(r, ctx);
      return true;
    case Op::kReduce:
      reduce(r);
      return true;
    case Op::kSoftmax:
      softmax(r);
      return true;
    case Op::kLogsumexp:
      logsumexp(r);
      return true;
    case Op::kLinear:
      linear(r);
      return true;
    case Op::kMatmul:
      matmul(r);
      return true;
    case Op::kGlu:
      glu(r);
      return true;
    default:
      return false;
  }
}

}  // namespace lm::test
