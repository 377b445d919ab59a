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
i64 logits_ld(i64 vocab) {
  return (vocab + 31) / 32 * 32;
}

// The workspace, in parts of 256-byte multiples.
struct Space {
  i64 chunk = 0;
  i64 logits = 0, row = 0, sums = 0, weight = 0;  // bytes
  i64 total() const { return logits + row + sums + weight; }
};
Space space_of(const Shape& x, const Shape& w, DType type, i64 vocab) {
  Space s;
  s.chunk = std::max<i64>(1, std::min(x.rows(), chunk_rows(x.rows(), x.cols(), vocab)));
  s.logits = padded(4 * s.chunk * logits_ld(vocab));
  s.row = padded(4 * x.rows());
  s.sums = padded(sum_all_space(1, x.rows()));
  s.weight = padded(widened_bytes(w, type));
  return s;
}

// One head: hidden states times the word matrix.
struct Head {
  const Tensor& x;
  const Tensor& w;
  i64 vocab = 0;
  Space space;
  f32* logits = nullptr;
  f32* row = nullptr;  // one value per row of x
  void* sums = nullptr;
  const f32* weight = nullptr;
  Stream* stream = nullptr;
};

Head head_of(const RunCtx& ctx, const Tensor* in, i64 vocab, void* base) {
  const Space s = space_of(in[0].shape, in[1].shape, in[1].dtype, vocab);
  u8* at = static_cast<u8*>(base);
  u8* const row = at + s.logits;
  u8* const sums = row + s.row;
  const f32* weight = in[0].rows() == 0 ? nullptr : widened(in[1], sums + s.sums, ctx.stream);
  return {in[0], in[1],  vocab,     s, reinterpret_cast<f32*>(at), reinterpret_cast<f32*>(row),
          sums,  weight, ctx.stream};
}

void make_logits(const Head& h, i64 begin, i64 rows) {
  Gemm g;
  g.m = rows;
  g.n = h.vocab;
  g.k = h.w.cols();
  g.a = floats(h.x) + begin * h.x.ld;
  g.lda = h.x.ld;
  g.b = h.weight;
  g.ldb = h.w.ld;
  g.y = h.logits;
  g.ldy = logits_ld(h.vocab);
  product(g, h.stream);
}

CrossEntropy<f32> chunk_of(const CeAttr& a, const Head& h, const Tensor& targets, const f32* weight,
                           i64 begin, i64 rows, bool want_grad) {
  CrossEntropy<f32> ce;
  ce.rows = rows;
  ce.vocab = h.vocab;
  ce.logits = h.logits;
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
  g.n = h.w.cols();
  g.a = h.logits;
  g.lda = logits_ld(h.vocab);
  if (dx.data != nullptr) {
    g.layout = GemmLayout::kNN;
    g.m = rows;
    g.k = h.vocab;
    g.b = h.weight;
    g.ldb = h.w.ld;
    g.y = floats(dx) + begin * dx.ld;
    g.ldy = dx.ld;
    g.beta = add_dx ? 1.0f : 0.0f;
    product(g, h.stream);
  }
  if (dw.data != nullptr) {
    g.layout = GemmLayout::kTN;
    g.m = h.vocab;
    g.k = rows;
    g.b = floats(h.x) + begin * h.x.ld;
    g.ldb = h.x.ld;
    g.y = floats(dw);
    g.ldy = dw.ld;
    g.beta = 1;
    product(g, h.stream);
  }
}

}  // namespace

i64 space_linear_ce(const Node& n, const Graph& g) {
  return space_of(g.shape(n.in[0]), g.shape(n.in[1]), g.info(n.in[1]).dtype,
                  n.attr.as<CeAttr>().vocab)
      .total();
}

void run_linear_ce(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const CeAttr a = n.attr.as<CeAttr>();
  const Head h = head_of(ctx, in, a.vocab, space);
  const f32* weight = given(n, 3) ? floats(in[3]) : nullptr;
  f32* losses = out[1].data == nullptr ? h.row : floats(out[1]);
  const i64 total = in[0].rows();
  for (i64 begin = 0; begin < total; begin += h.space.chunk) {
    const i64 rows = std::min(h.space.chunk, total - begin);
    make_logits(h, begin, rows);
    CrossEntropy<f32> ce = chunk_of(a, h, in[2], weight, begin, rows, a.fused);
    ce.loss = losses + begin;
    ce.lse = out[2].data == nullptr ? nullptr : floats(out[2]) + begin;
    cross_entropy(ce, engine().fault, ctx.stream);
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
  const Head h = head_of(ctx, in, a.vocab, space);
  // The upstream gradient of row i joins its weight: loss and gradient are linear in it.
  upstream_weights(total, given(n, 5) ? floats(in[5]) : nullptr,
                   given(n, 6) ? floats(in[6]) : nullptr, given(n, 3) ? floats(in[3]) : nullptr,
                   h.row, ctx.stream);
  if (out[1].data != nullptr && !adds_to(n, 1)) zero_rows(out[1], ctx.stream);
  for (i64 begin = 0; begin < total; begin += h.space.chunk) {
    const i64 rows = std::min(h.space.chunk, total - begin);
    make_logits(h, begin, rows);
    cross_entropy(chunk_of(a, h, in[2], h.row, begin, rows, true), engine().fault, ctx.stream);
    push_gradients(h, begin, rows, out[0], adds_to(n, 0), out[1]);
  }
}

i64 space_linear_logprob(const Node& n, const Graph& g) {
  return space_of(g.shape(n.in[0]), g.shape(n.in[1]), g.info(n.in[1]).dtype,
                  n.attr.as<LogprobAttr>().vocab)
      .total();
}

void run_linear_logprob(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out,
                        void* space) {
  const LogprobAttr a = n.attr.as<LogprobAttr>();
  const Head h = head_of(ctx, in, a.vocab, space);
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
    s.logits = h.logits;
    s.ld = logits_ld(a.vocab);
    s.target = given(n, 2) ? in[2].i32_data() + begin : nullptr;
    s.softcap = a.softcap;
    s.logprob = part(out[0], begin);
    s.entropy = part(out[1], begin);
    s.argmax = ints(out[2], begin);
    s.rank = ints(out[3], begin);
    row_stats(s, engine().fault, ctx.stream);
  }
}

}  // namespace lm::cuda
