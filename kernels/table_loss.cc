// Losses on logits by chunks of rows: a chunk's logits are made, used and overwritten by their
// gradient; the whole [N, V] matrix never exists.

#include <algorithm>

#include "loss.h"
#include "reduce.h"
#include "table.h"

namespace lm::cuda {

namespace {

// The smallest power of two of rows, at least 1024, for which a chunk of logits is not smaller than
// the hidden states: products stay large and the chunk never dominates memory (the rule of Liger,
// Hsu et al. 2024).
i64 chunk_rows(i64 rows, i64 width, i64 vocab) {
  i64 chunk = 1024;
  while (chunk < rows * width / std::max<i64>(vocab, 1))
    chunk *= 2;
  return chunk;
}
// In bf16 a product is so much faster that small ones do not fill the device: the power of two of
// rows whose logits take up to 1 GiB.
i64 chunk_rows_bf16(i64 vocab) {
  i64 chunk = 1024;
  while (4 * chunk * vocab <= i64{1} << 30)
    chunk *= 2;
  return chunk;
}
i64 logits_ld(i64 vocab) {
  return (vocab + 31) / 32 * 32;
}

// The workspace, in parts of 256-byte multiples.
struct Space {
  i64 chunk = 0;
  i64 logits = 0, row = 0, sums = 0, weight = 0;  // bytes
  i64 total() const { return logits + row + sums + weight; }
};
// x_type: of the hidden states; logits: of the logits.
Space space_of(const Shape& x, DType x_type, const Shape& w, DType w_type, DType logits,
               i64 vocab) {
  Space s;
  const i64 chunk =
      logits == DType::kBf16 ? chunk_rows_bf16(vocab) : chunk_rows(x.rows(), x.cols(), vocab);
  s.chunk = std::max<i64>(1, std::min(x.rows(), chunk));
  s.logits = padded(item_bytes(logits) * s.chunk * logits_ld(vocab));
  s.row = padded(4 * x.rows());
  s.sums = padded(sum_all_space(1, x.rows()));
  s.weight = padded(weight_bytes(x_type, w, w_type));
  return s;
}

// One head: hidden states times the word matrix.
struct Head {
  const Tensor& x;
  const Tensor& w;
  i64 vocab = 0;
  Space space;
  DType type;  // of the logits
  void* logits = nullptr;
  f32* row = nullptr;  // one value per row of x
  void* sums = nullptr;
  const void* weight = nullptr;
  Stream* stream = nullptr;
};

Head head_of(const RunCtx& ctx, const Tensor* in, DType type, i64 vocab, void* base) {
  const Space s = space_of(in[0].shape, in[0].dtype, in[1].shape, in[1].dtype, type, vocab);
  u8* at = static_cast<u8*>(base);
  u8* const row = at + s.logits;
  u8* const sums = row + s.row;
  const void* weight =
      in[0].rows() == 0 ? nullptr : weight_of(in[0], in[1], sums + s.sums, ctx.stream);
  return {in[0], in[1], vocab, s, type, at, reinterpret_cast<f32*>(row), sums, weight, ctx.stream};
}

const void* row_of(const Tensor& t, i64 row) {
  return t.bytes() + row * t.ld * item_bytes(t.dtype);
}

void make_logits(const Head& h, i64 begin, i64 rows) {
  Gemm g;
  g.m = rows;
  g.n = h.vocab;
  g.k = h.w.cols();
  g.in = h.x.dtype;
  g.out = h.type;
  g.a = row_of(h.x, begin);
  g.lda = h.x.ld;
  g.b = h.weight;
  g.ldb = h.w.ld;
  g.y = h.logits;
  g.ldy = logits_ld(h.vocab);
  product(g, h.stream);
}

template <typename T>
CrossEntropy<T> chunk_of(const CeAttr& a, const Head& h, const Tensor& targets, const f32* weight,
                         i64 begin, i64 rows, bool want_grad) {
  CrossEntropy<T> ce;
  ce.rows = rows;
  ce.vocab = h.vocab;
  ce.logits = static_cast<T*>(h.logits);
  ce.ld = logits_ld(h.vocab);
  ce.target = targets.i32_data() + begin;
  ce.weight = weight == nullptr ? nullptr : weight + begin;
  ce.softcap = a.softcap;
  ce.z_loss = a.z_loss;
  ce.label_smoothing = a.label_smoothing;
  ce.want_grad = want_grad;
  return ce;
}

// From a chunk's logit gradient: dx rows (stored or added) and dW (added).
void push_gradients(const Head& h, i64 begin, i64 rows, const Tensor& dx, bool add_dx,
                    const Tensor& dw) {
  Gemm g;
  g.in = h.type;
  g.n = h.w.cols();
  g.a = h.logits;
  g.lda = logits_ld(h.vocab);
  if (dx.data != nullptr) {
    g.layout = GemmLayout::kNN;
    g.m = rows;
    g.k = h.vocab;
    g.b = h.weight;
    g.ldb = h.w.ld;
    g.out = dx.dtype;
    g.y = dx.bytes() + begin * dx.ld * item_bytes(dx.dtype);
    g.ldy = dx.ld;
    g.beta = add_dx ? 1.0f : 0.0f;
    product(g, h.stream);
  }
  if (dw.data != nullptr) {
    g.layout = GemmLayout::kTN;
    g.m = h.vocab;
    g.k = rows;
    g.out = DType::kF32;
    g.b = row_of(h.x, begin);
    g.ldb = h.x.ld;
    g.y = floats(dw);
    g.ldy = dw.ld;
    g.beta = 1;
    product(g, h.stream);
  }
}

}  // namespace

i64 space_linear_ce(const Node& n, const Graph& g) {
  const ValueInfo& x = g.info(n.in[0]);
  const ValueInfo& w = g.info(n.in[1]);
  return space_of(x.shape, x.dtype, w.shape, w.dtype, x.dtype, n.attr.as<CeAttr>().vocab).total();
}

void run_linear_ce(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const CeAttr a = n.attr.as<CeAttr>();
  const Head h = head_of(ctx, in, in[0].dtype, a.vocab, space);
  const f32* weight = given(n, 3) ? floats(in[3]) : nullptr;
  f32* losses = out[1].data == nullptr ? h.row : floats(out[1]);
  const i64 total = in[0].rows();
  for (i64 begin = 0; begin < total; begin += h.space.chunk) {
    const i64 rows = std::min(h.space.chunk, total - begin);
    make_logits(h, begin, rows);
    by_type(n, h.type, [&](auto tag) {
      using T = typename decltype(tag)::type;
      CrossEntropy ce = chunk_of<T>(a, h, in[2], weight, begin, rows, a.fused);
      ce.loss = losses + begin;
      ce.lse = out[2].data == nullptr ? nullptr : floats(out[2]) + begin;
      cross_entropy(ce, context().fault, ctx.stream);
    });
    if (a.fused) push_gradients(h, begin, rows, out[3], false, out[4]);
  }
  if (out[0].data == nullptr) return;
  const Summed<f32> s{1, total, losses, total, nullptr, 0};
  sum_all(s, 1.0f, false, floats(out[0]), h.sums, ctx.stream);
}

i64 space_linear_ce_grad(const Node& n, const Graph& g) {
  return space_linear_ce(n, g);
}

void run_linear_ce_grad(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out,
                        void* space) {
  const CeAttr a = n.attr.as<CeAttr>();
  const i64 total = in[0].rows();
  const Head h = head_of(ctx, in, in[0].dtype, a.vocab, space);
  // The upstream gradient of row i joins its weight: loss and gradient are linear in it.
  upstream_weights(total, given(n, 5) ? floats(in[5]) : nullptr,
                   given(n, 6) ? floats(in[6]) : nullptr, given(n, 3) ? floats(in[3]) : nullptr,
                   h.row, ctx.stream);
  if (out[1].data != nullptr && !adds_to(n, 1)) zero_rows(out[1], ctx.stream);
  for (i64 begin = 0; begin < total; begin += h.space.chunk) {
    const i64 rows = std::min(h.space.chunk, total - begin);
    make_logits(h, begin, rows);
    by_type(n, h.type, [&](auto tag) {
      using T = typename decltype(tag)::type;
      cross_entropy(chunk_of<T>(a, h, in[2], h.row, begin, rows, true), context().fault,
                    ctx.stream);
    });
    push_gradients(h, begin, rows, out[0], adds_to(n, 0), out[1]);
  }
}

i64 space_linear_logprob(const Node& n, const Graph& g) {
  const ValueInfo& x = g.info(n.in[0]);
  const ValueInfo& w = g.info(n.in[1]);
  return space_of(x.shape, x.dtype, w.shape, w.dtype, DType::kF32, n.attr.as<LogprobAttr>().vocab)
      .total();
}

void run_linear_logprob(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out,
                        void* space) {
  const LogprobAttr a = n.attr.as<LogprobAttr>();
  // Log-probabilities of 16-bit models still come from f32 logits.
  const Head h = head_of(ctx, in, DType::kF32, a.vocab, space);
  const i64 total = in[0].rows();
  const auto part = [](const Tensor& t, i64 begin) {
    return t.data == nullptr ? nullptr : t.f32_data() + begin;
  };
  const auto ints = [](const Tensor& t, i64 begin) {
    return t.data == nullptr ? nullptr : t.i32_data() + begin;
  };
  for (i64 begin = 0; begin < total; begin += h.space.chunk) {
    const i64 rows = std::min(h.space.chunk, total - begin);
    make_logits(h, begin, rows);
    RowStats<f32> s;
    s.rows = rows;
    s.vocab = a.vocab;
    s.logits = static_cast<const f32*>(h.logits);
    s.ld = logits_ld(a.vocab);
    s.target = given(n, 2) ? in[2].i32_data() + begin : nullptr;
    s.softcap = a.softcap;
    s.logprob = part(out[0], begin);
    s.entropy = part(out[1], begin);
    s.argmax = ints(out[2], begin);
    s.rank = ints(out[3], begin);
    row_stats(s, context().fault, ctx.stream);
  }
}

}  // namespace lm::cuda
