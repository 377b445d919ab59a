// Losses on logits by chunks of rows: a chunk's logits are made, used and overwritten by their
// gradient while they are warm; the whole [N, V] matrix never exists.

#include <algorithm>

#include "core/parallel.h"
#include "core/str.h"
#include "cpu/table.h"

namespace lm::cpu {

namespace {

constexpr i64 kChunkBytes = i64{64} << 20;

// Rows per chunk: a function of the vocabulary alone. Weights are packed once per chunk, which
// costs about as much as 32 rows of product, hence not the smallest chunk that fits a cache.
i64 chunk_rows(i64 vocab) {
  return std::clamp<i64>(kChunkBytes / (4 * vocab) / 64 * 64, 64, 1024);
}
i64 logits_ld(i64 vocab) {
  return (vocab + 15) / 16 * 16;
}
i64 logits_elements(i64 rows, i64 vocab) {
  return std::min(std::max<i64>(rows, 1), chunk_rows(vocab)) * logits_ld(vocab);
}

void check_targets(const Node& n, const Tensor& targets, i64 vocab) {
  const i32* p = targets.i32_data();
  for (i64 i = 0; i < targets.count(); ++i) {
    if (p[i] != kIgnoreTarget && (p[i] < 0 || p[i] >= vocab)) {
      throw Error(ErrorKind::kData,
                  cat(n.name, ": target ", p[i], " at row ", i, " is outside [0, ", vocab, ")"));
    }
  }
}

struct Head {
  const Tensor& x;
  const Tensor& w;
  i64 vocab = 0;
  f32* logits = nullptr;
};

void make_logits(const RunCtx& ctx, const Head& h, i64 begin, i64 rows) {
  times_weight(ctx, rows, floats(h.x) + begin * h.x.ld, h.x.ld, h.w, h.vocab, h.logits,
               logits_ld(h.vocab), Epilogue{});
}

CrossEntropy chunk_of(const CeAttr& a, const Head& h, const Tensor& targets, const f32* weight,
                      i64 begin, i64 rows, bool want_grad) {
  CrossEntropy ce;
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
  const i64 ld = logits_ld(h.vocab);
  const i64 width = h.w.cols();
  if (dx.data != nullptr) {
    Epilogue e;
    e.accumulate = add_dx;
    gemm(Layout::kNN, rows, width, h.vocab, h.logits, ld, floats(h.w), h.w.ld,
         floats(dx) + begin * dx.ld, dx.ld, e);
  }
  if (dw.data != nullptr) {
    Epilogue e;
    e.accumulate = true;
    gemm(Layout::kTN, h.vocab, width, rows, h.logits, ld, floats(h.x) + begin * h.x.ld, h.x.ld,
         floats(dw), dw.ld, e);
  }
}

}  // namespace

i64 space_linear_ce(const Node& n, const Graph& g) {
  return logits_elements(g.shape(n.in[0]).rows(), n.attr.as<CeAttr>().vocab) * 4;
}

void run_linear_ce(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const CeAttr a = n.attr.as<CeAttr>();
  check_targets(n, in[2], a.vocab);
  const Head h{in[0], in[1], a.vocab, static_cast<f32*>(space)};
  const f32* weight = n.in.size() > 3 && n.in[3] ? floats(in[3]) : nullptr;
  const i64 total = in[0].rows();
  const i64 step = chunk_rows(a.vocab);
  f64 loss = 0;
  for (i64 begin = 0; begin < total; begin += step) {
    const i64 rows = std::min(step, total - begin);
    make_logits(ctx, h, begin, rows);
    CrossEntropy ce = chunk_of(a, h, in[2], weight, begin, rows, a.fused);
    ce.loss = out[1].data == nullptr ? nullptr : floats(out[1]) + begin;
    ce.lse = out[2].data == nullptr ? nullptr : floats(out[2]) + begin;
    loss += cross_entropy(ce).loss;
    if (a.fused) push_gradients(h, begin, rows, out[3], false, out[4]);
  }
  if (out[0].data != nullptr) floats(out[0])[0] = static_cast<f32>(loss);
}

i64 space_linear_ce_grad(const Node& n, const Graph& g) {
  return space_linear_ce(n, g) + g.shape(n.in[0]).rows() * 4;
}

void run_linear_ce_grad(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out,
                        void* space) {
  const CeAttr a = n.attr.as<CeAttr>();
  const i64 total = in[0].rows();
  const Head h{in[0], in[1], a.vocab, static_cast<f32*>(space)};
  // The upstream gradient of row i joins its weight: loss and gradient are linear in it.
  f32* upstream = h.logits + logits_elements(total, a.vocab);
  const f32 dsum = n.in[5] ? floats(in[5])[0] : 0.0f;
  for (i64 i = 0; i < total; ++i) {
    const f32 d = dsum + (n.in[6] ? floats(in[6])[i] : 0.0f);
    upstream[i] = n.in[3] ? d * floats(in[3])[i] : d;
  }
  if (out[1].data != nullptr && !adds_to(n, 1)) zero_rows(out[1]);
  const i64 step = chunk_rows(a.vocab);
  for (i64 begin = 0; begin < total; begin += step) {
    const i64 rows = std::min(step, total - begin);
    make_logits(ctx, h, begin, rows);
    cross_entropy(chunk_of(a, h, in[2], upstream, begin, rows, true));
    push_gradients(h, begin, rows, out[0], adds_to(n, 0), out[1]);
  }
}

i64 space_linear_logprob(const Node& n, const Graph& g) {
  return logits_elements(g.shape(n.in[0]).rows(), n.attr.as<LogprobAttr>().vocab) * 4;
}

void run_linear_logprob(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out,
                        void* space) {
  const LogprobAttr a = n.attr.as<LogprobAttr>();
  const bool targets = n.in.size() > 2 && n.in[2];
  if (targets) check_targets(n, in[2], a.vocab);
  const Head h{in[0], in[1], a.vocab, static_cast<f32*>(space)};
  const i64 total = in[0].rows();
  const i64 step = chunk_rows(a.vocab);
  const auto part = [](const Tensor& t, i64 begin) {
    return t.data == nullptr ? nullptr : t.f32_data() + begin;
  };
  const auto ints = [](const Tensor& t, i64 begin) {
    return t.data == nullptr ? nullptr : t.i32_data() + begin;
  };
  for (i64 begin = 0; begin < total; begin += step) {
    const i64 rows = std::min(step, total - begin);
    make_logits(ctx, h, begin, rows);
    RowStats s;
    s.rows = rows;
    s.vocab = a.vocab;
    s.logits = h.logits;
    s.ld = logits_ld(a.vocab);
    s.target = targets ? in[2].i32_data() + begin : nullptr;
    s.softcap = a.softcap;
    s.logprob = part(out[0], begin);
    s.entropy = part(out[1], begin);
    s.argmax = ints(out[2], begin);
    s.rank = ints(out[3], begin);
    row_stats(s);
  }
}

}  // namespace lm::cpu
