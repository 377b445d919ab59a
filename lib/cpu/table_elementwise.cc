// Elementwise operators, reductions, softmax, gated units.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/parallel.h"
#include "core/random.h"
#include "cpu/table.h"

namespace lm::cpu {

namespace {

constexpr i64 kGrainElements = 16384;
constexpr i64 kSumBlock = 4096;  // elements per partial sum
constexpr i64 kSumRows = 256;    // rows per partial column sum

i64 row_grain(i64 cols) {
  return std::max<i64>(1, kGrainElements / std::max<i64>(1, cols));
}

// f(n, offset in a, offset in b, offset in y) over the whole when all are contiguous, else per row.
template <typename F>
void over(const Tensor& a, const Tensor& b, const Tensor& y, F f) {
  if (flat(a) && flat(b) && flat(y)) {
    f(y.count(), i64{0}, i64{0}, i64{0});
    return;
  }
  for (i64 r = 0; r < y.rows(); ++r)
    f(y.cols(), r * a.ld, r * b.ld, r * y.ld);
}

// y[r, c] = f(a[r, c], operand) with the second operand broadcast along `along`.
template <typename F>
void broadcast_rows(const Tensor& a, const f32* b, Along along, const Tensor& y, F f) {
  const i64 cols = y.cols();
  parallel_for(y.rows(), row_grain(cols), [&](i64 begin, i64 end) {
    for (i64 r = begin; r < end; ++r) {
      const f32* x = floats(a) + r * a.ld;
      f32* to = floats(y) + r * y.ld;
      if (along == Along::kRow) {
        for (i64 c = 0; c < cols; ++c)
          to[c] = f(x[c], b[c]);
      } else {
        const f32 v = b[along == Along::kCol ? r : 0];
        for (i64 c = 0; c < cols; ++c)
          to[c] = f(x[c], v);
      }
    }
  });
}

}  // namespace

Act act_of(Unary kind) {
  switch (kind) {
    case Unary::kGeluTanh:
      return Act::kGeluTanh;
    case Unary::kGeluErf:
      return Act::kGeluErf;
    case Unary::kRelu:
      return Act::kRelu;
    case Unary::kRelu2:
      return Act::kRelu2;
    case Unary::kSilu:
      return Act::kSilu;
    default:
      return Act::kNone;
  }
}

void run_add(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const AddAttr a = n.attr.as<AddAttr>();
  if (n.in.size() < 2 || !n.in[1]) {
    over(in[0], in[0], out[0], [&](i64 count, i64 x, i64, i64 y) {
      scale(count, a.alpha, floats(in[0]) + x, floats(out[0]) + y);
    });
    return;
  }
  if (a.along != Along::kSame) {
    broadcast_rows(in[0], floats(in[1]), a.along, out[0],
                   [&](f32 x, f32 b) { return a.alpha * x + a.beta * b; });
    return;
  }
  const bool plain = a.alpha == 1.0f && (a.beta == 1.0f || a.beta == -1.0f);
  over(in[0], in[1], out[0], [&](i64 count, i64 xo, i64 bo, i64 yo) {
    const f32* x = floats(in[0]) + xo;
    const f32* b = floats(in[1]) + bo;
    f32* y = floats(out[0]) + yo;
    if (plain && a.beta == 1.0f) {
      cpu::add(count, x, b, y);
    } else if (plain) {
      subtract(count, x, b, y);
    } else {
      parallel_for(count, kGrainElements, [&](i64 begin, i64 end) {
        for (i64 i = begin; i < end; ++i)
          y[i] = a.alpha * x[i] + a.beta * b[i];
      });
    }
  });
}

void run_mul(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const MulAttr a = n.attr.as<MulAttr>();
  if (a.along != Along::kSame) {
    broadcast_rows(in[0], floats(in[1]), a.along, out[0],
                   [&](f32 x, f32 b) { return a.alpha * (x * b); });
    return;
  }
  over(in[0], in[1], out[0], [&](i64 count, i64 x, i64 b, i64 y) {
    multiply(count, floats(in[0]) + x, floats(in[1]) + b, floats(out[0]) + y);
    if (a.alpha != 1.0f) scale(count, a.alpha, floats(out[0]) + y, floats(out[0]) + y);
  });
}

namespace {

// min(x,0) - log(1 + e^-|x|): no overflow on either side.
f32 log_sigmoid(f32 x) {
  return std::min(x, 0.0f) - std::log1p(std::exp(-std::fabs(x)));
}
f32 log_sigmoid_slope(f32 x) {
  const f32 e = std::exp(-std::fabs(x));
  return (x >= 0 ? e : 1.0f) / (1.0f + e);
}

// The form of log(1 - e^x) that keeps the digits (Maechler 2012).
f32 log1mexp(f32 x) {
  constexpr f32 kLn2 = 0.693147181f;
  return x > -kLn2 ? std::log(-std::expm1(x)) : std::log1p(-std::exp(x));
}

using Scalar = f32 (*)(f32);
struct ScalarFunction {
  Scalar f, slope;
};
/// Of the functions that have no vector code; null: another one.
ScalarFunction scalar_of(Unary kind) {
  switch (kind) {
    case Unary::kLogSigmoid:
      return {log_sigmoid, log_sigmoid_slope};
    case Unary::kLog1mExp:
      return {log1mexp, [](f32 x) { return -1 / std::expm1(-x); }};
    case Unary::kStep:
      return {[](f32 x) { return x > 0 ? 1.0f : 0.0f; }, [](f32) { return 0.0f; }};
    default:
      return {nullptr, nullptr};
  }
}

}  // namespace

void run_unary(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const UnaryAttr a = n.attr.as<UnaryAttr>();
  const bool direct = has_unary(a.kind);
  const ScalarFunction scalar = scalar_of(a.kind);
  over(in[0], in[0], out[0], [&](i64 count, i64 xo, i64, i64 yo) {
    const f32* x = floats(in[0]) + xo;
    f32* y = floats(out[0]) + yo;
    if (direct) {
      cpu::unary(a.kind, count, x, y, a.param);
    } else if (scalar.f != nullptr) {
      parallel_for(count, kGrainElements, [&](i64 begin, i64 end) {
        for (i64 i = begin; i < end; ++i)
          y[i] = scalar.f(x[i]);
      });
    } else {
      act_forward(act_of(a.kind), count, x, y);
    }
  });
}

void run_unary_grad(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const UnaryAttr a = n.attr.as<UnaryAttr>();
  const bool direct = has_unary(a.kind);
  const ScalarFunction scalar = scalar_of(a.kind);
  over(in[0], in[1], out[0], [&](i64 count, i64 xo, i64 dyo, i64 yo) {
    const f32* x = floats(in[0]) + xo;
    const f32* dy = floats(in[1]) + dyo;
    f32* dx = floats(out[0]) + yo;
    if (direct) {
      unary_backward(a.kind, count, x, dy, dx, a.param);
    } else if (scalar.slope != nullptr) {
      parallel_for(count, kGrainElements, [&](i64 begin, i64 end) {
        for (i64 i = begin; i < end; ++i)
          dx[i] = dy[i] * scalar.slope(x[i]);
      });
    } else {
      act_backward(act_of(a.kind), count, x, dy, dx);
    }
  });
}

void run_dropout(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const f32 p = n.attr.as<DropoutAttr>().p;
  const i64 cols = out[0].cols();
  if (!ctx.training || p == 0.0f) {
    if (in[0].data != out[0].data) {
      copy_rows(out[0].rows(), cols, floats(in[0]), in[0].ld, floats(out[0]), out[0].ld);
    }
    return;
  }
  const u64 mixed = mix64(ctx.seed);
  const std::array<u32, 2> key = {
      static_cast<u32>(mixed),
      static_cast<u32>(mixed >> 32) ^ static_cast<u32>(RandomPurpose::kDropout) * 0x9E3779B9u};
  const u32 threshold = static_cast<u32>(static_cast<f64>(p) * 4294967296.0);
  const f32 factor = 1.0f / (1.0f - p);
  parallel_for(out[0].rows(), row_grain(cols), [&](i64 begin, i64 end) {
    Philox4 words{};
    i64 have = -1;  // which group of four elements `words` belongs to
    for (i64 i = begin * cols; i < end * cols; ++i) {
      if (i / 4 != have) {
        have = i / 4;
        words = philox({ctx.step, ctx.micro_step, n.rng_id, static_cast<u32>(have)}, key);
      }
      const i64 r = i / cols;
      const i64 c = i - r * cols;
      const bool kept = words[usize(i % 4)] >= threshold;
      floats(out[0])[r * out[0].ld + c] = kept ? floats(in[0])[r * in[0].ld + c] * factor : 0.0f;
    }
  });
}

// Reductions
// ---------------------------------------------------------------------------------------

namespace {

i64 column_chunks(i64 rows) {
  return (rows + kSumRows - 1) / kSumRows;
}

// Sum of x (times y) in f64: blocks of kSumBlock elements, or rows when strided, added in order.
f64 total(const Tensor& x, const Tensor* y, f64* partial) {
  const bool whole = flat(x) && (y == nullptr || flat(*y));
  const i64 n = x.count();
  const i64 blocks = whole ? (n + kSumBlock - 1) / kSumBlock : x.rows();
  parallel_for(blocks, 4, [&](i64 begin, i64 end) {
    for (i64 b = begin; b < end; ++b) {
      const f32* p = floats(x) + (whole ? b * kSumBlock : b * x.ld);
      const f32* q = y == nullptr ? nullptr : floats(*y) + (whole ? b * kSumBlock : b * y->ld);
      const i64 len = whole ? std::min(kSumBlock, n - b * kSumBlock) : x.cols();
      f64 s = 0;
      for (i64 i = 0; i < len; ++i)
        s += f64{p[i]} * (q == nullptr ? 1.0 : f64{q[i]});
      partial[b] = s;
    }
  });
  f64 sum = 0;
  for (i64 b = 0; b < blocks; ++b)
    sum += partial[b];
  return sum;
}

void column_totals(const Tensor& x, const Tensor* y, f32 factor, bool add, f32* out, f64* partial) {
  const i64 rows = x.rows();
  const i64 cols = x.cols();
  const i64 chunks = column_chunks(rows);
  parallel_for(chunks, 1, [&](i64 begin, i64 end) {
    for (i64 k = begin; k < end; ++k) {
      f64* sums = partial + k * cols;
      std::fill_n(sums, cols, 0.0);
      for (i64 r = k * kSumRows; r < std::min(rows, (k + 1) * kSumRows); ++r) {
        const f32* p = floats(x) + r * x.ld;
        const f32* q = y == nullptr ? nullptr : floats(*y) + r * y->ld;
        for (i64 c = 0; c < cols; ++c)
          sums[c] += f64{p[c]} * (q == nullptr ? 1.0 : f64{q[c]});
      }
    }
  });
  for (i64 c = 0; c < cols; ++c) {
    f64 s = 0;
    for (i64 k = 0; k < chunks; ++k)
      s += partial[k * cols + c];
    out[c] = static_cast<f32>(f64{factor} * s + (add ? f64{out[c]} : 0.0));
  }
}

}  // namespace

i64 space_reduce(const Node& n, const Graph& g) {
  const Shape& x = g.shape(n.in[0]);
  switch (n.attr.as<ReduceAttr>().along) {
    case Along::kRow:
      return column_chunks(x.rows()) * x.cols() * 8;
    case Along::kCol:
      return x.rows() * 4;
    default:
      return std::max((x.count() + kSumBlock - 1) / kSumBlock, x.rows()) * 8;
  }
}

void run_reduce(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const ReduceAttr a = n.attr.as<ReduceAttr>();
  const Tensor* y = n.in.size() > 1 && n.in[1] ? &in[1] : nullptr;
  const bool add = adds_to(n, 0);
  const i64 rows = in[0].rows();
  const i64 cols = in[0].cols();
  f32* to = floats(out[0]);
  if (a.along == Along::kScalar) {
    const f64 s = f64{a.scale} * total(in[0], y, static_cast<f64*>(space));
    to[0] = static_cast<f32>(s + (add ? f64{to[0]} : 0.0));
  } else if (a.along == Along::kCol) {
    f32* sums = static_cast<f32*>(space);
    if (y == nullptr) {
      row_sums(rows, cols, floats(in[0]), in[0].ld, sums);
    } else {
      row_dots(rows, cols, floats(in[0]), in[0].ld, floats(*y), y->ld, sums);
    }
    for (i64 r = 0; r < rows; ++r)
      to[r] = a.scale * sums[r] + (add ? to[r] : 0.0f);
  } else if (y == nullptr && a.scale == 1.0f) {
    if (!add) fill(cols, 0.0f, to);
    add_column_sums(rows, cols, floats(in[0]), in[0].ld, to);
  } else {
    column_totals(in[0], y, a.scale, add, to, static_cast<f64*>(space));
  }
}

// Softmax and selection
// ----------------------------------------------------------------------------

void run_softmax(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const f32 factor = n.attr.as<SoftmaxAttr>().scale;
  const i64 rows = in[0].rows();
  const i64 cols = in[0].cols();
  if (factor == 1.0f) {
    softmax_rows(rows, cols, floats(in[0]), in[0].ld, floats(out[0]), out[0].ld);
    return;
  }
  over(in[0], in[0], out[0], [&](i64 count, i64 x, i64, i64 y) {
    scale(count, factor, floats(in[0]) + x, floats(out[0]) + y);
  });
  softmax_rows(rows, cols, floats(out[0]), out[0].ld, floats(out[0]), out[0].ld);
}

void run_softmax_grad(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const f32 factor = n.attr.as<SoftmaxAttr>().scale;
  softmax_backward(in[0].rows(), in[0].cols(), floats(in[0]), in[0].ld, floats(in[1]), in[1].ld,
                   floats(out[0]), out[0].ld);
  if (factor == 1.0f) return;
  over(out[0], out[0], out[0], [&](i64 count, i64 x, i64, i64 y) {
    scale(count, factor, floats(out[0]) + x, floats(out[0]) + y);
  });
}

void run_logsumexp(const RunCtx&, const Node&, const Tensor* in, Tensor* out, void*) {
  logsumexp_rows(in[0].rows(), in[0].cols(), floats(in[0]), in[0].ld, floats(out[0]));
}

void run_pick(const RunCtx&, const Node&, const Tensor* in, Tensor* out, void*) {
  const i32* index = in[1].i32_data();
  for (i64 r = 0; r < in[0].rows(); ++r) {
    const bool valid = index[r] >= 0 && index[r] < in[0].cols();
    floats(out[0])[r] = valid ? floats(in[0])[r * in[0].ld + index[r]] : 0.0f;
  }
}

void run_pick_grad(const RunCtx&, const Node&, const Tensor* in, Tensor* out, void*) {
  const i32* index = in[1].i32_data();
  zero_rows(out[0]);
  for (i64 r = 0; r < out[0].rows(); ++r) {
    if (index[r] >= 0 && index[r] < out[0].cols()) {
      floats(out[0])[r * out[0].ld + index[r]] = floats(in[0])[r];
    }
  }
}

namespace {
Act act_of(GluKind kind) {
  switch (kind) {
    case GluKind::kGeluTanh:
      return Act::kGeluTanh;
    case GluKind::kRelu2:
      return Act::kRelu2;
    case GluKind::kGeluErf:
      return Act::kGeluErf;
    case GluKind::kSilu:
      break;
  }
  return Act::kSilu;
}
}  // namespace

void run_glu(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  glu_forward(act_of(n.attr.as<GluAttr>().kind), out[0].rows(), out[0].cols(), floats(in[0]),
              in[0].ld, floats(out[0]), out[0].ld);
}

void run_glu_grad(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  glu_backward(act_of(n.attr.as<GluAttr>().kind), in[1].rows(), in[1].cols(), floats(in[0]),
               in[0].ld, floats(in[1]), in[1].ld, floats(out[0]), out[0].ld);
}

}  // namespace lm::cpu
