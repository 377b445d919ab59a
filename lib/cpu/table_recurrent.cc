// Recurrences over the texts of a batch.

#include <set>
#include <span>
#include <vector>

#include "cpu/recurrent.h"
#include "cpu/scratch.h"
#include "cpu/table.h"

namespace lm::cpu {

namespace {

// The texts of a batch's rows: each begins at its rows' a0. Rows without keys belong to none, and
// become zero in `out`.
std::vector<TextRun> texts_of(const Node& n, const Tensor& spans, std::span<const Tensor> out) {
  const i64 rows = spans.rows();
  const RowSpan* const all = checked_spans(n, spans, rows);
  std::vector<TextRun> texts;
  for (i64 i = 0; i < rows; ++i) {
    const RowSpan& s = all[i];
    if (s.a1 <= s.a0) {
      for (const Tensor& t : out)
        if (t.data != nullptr) fill(t.cols(), 0.0f, floats(t) + i * t.ld);
      continue;
    }
    if (s.a1 != i + 1 || s.b1 > s.b0)
      throw Error(ErrorKind::kData,
                  cat(n.name, ": row ", i, " sees rows behind itself, or not all before, which a ",
                      "recurrence cannot do"));
    if (s.a0 == i) {
      texts.push_back({i, i + 1});
      continue;
    }
    if (texts.empty() || texts.back().end != i || texts.back().begin != s.a0)
      throw Error(ErrorKind::kData, cat(n.name, ": row ", i, " is of a text from row ", s.a0,
                                        ", which does not reach it"));
    ++texts.back().end;
  }
  return texts;
}

Scan scan_of(const Tensor& gate, const Tensor& c) {
  Scan s;
  s.cols = c.cols();
  s.gate = floats(gate);
  s.ld_gate = gate.ld;
  s.c = floats(c);
  s.ldc = c.ld;
  return s;
}

// f(texts, ends) for the runs of the pass, which go on with the node's numbers of their states, and
// the rows behind their prefixes: as many at once as are of different sequences.
template <typename F>
void for_rounds(const RunCtx& ctx, const Node& n, F f) {
  const CachedStateAttr a = n.op == Op::kCachedLinearAttention
                                ? n.attr.as<CachedLinearAttentionAttr>().state
                                : n.attr.as<CachedStateAttr>();
  LM_CHECK(usize(a.binding) < ctx.bindings.size() && ctx.bindings[usize(a.binding)] != nullptr,
           "the run binds a StateView for what is remembered");
  const StateView& view = *static_cast<const StateView*>(ctx.bindings[usize(a.binding)]);
  std::vector<TextRun> texts;
  std::vector<i32> ends;
  std::set<const f32*> seen;
  for (i64 i = 0; i < view.count; ++i) {
    const StateRun& run = view.runs[i];
    if (!seen.insert(run.state).second) {
      f(texts, ends);
      texts.clear();
      ends.clear();
      seen = {run.state};
    }
    texts.push_back({run.begin, run.end, run.state + a.offset, run.state + a.offset});
    ends.push_back(static_cast<i32>(run.begin + run.prefix));
  }
  f(texts, ends);
}

// The rows behind the texts' further keys; empty: there are none.
std::vector<i32> prefix_ends(const Node& n, const std::vector<TextRun>& texts, const Tensor* ends) {
  std::vector<i32> out;
  if (ends == nullptr) return out;
  for (const TextRun& text : texts) {
    const i32* const of = ends->i32_data();
    for (i64 i = text.begin; i < text.end; ++i)
      if (of[i] != of[text.begin] || of[i] < text.begin || of[i] > text.end)
        throw Error(ErrorKind::kData, cat(n.name, ": the prefix of row ", i, " ends at row ", of[i],
                                          ", expected one end in its text"));
    out.push_back(of[text.begin]);
  }
  return out;
}

// x: q, k, v; more: further keys and values, or null.
LinearAttention attention_of(const LinearAttentionAttr& attr, const Tensor* x, const Tensor* more) {
  LinearAttention a;
  a.heads = attr.heads;
  a.dim = attr.dim;
  a.head_dim = attr.head_dim;
  a.q = floats(x[0]);
  a.ldq = x[0].ld;
  a.k = floats(x[1]);
  a.ldk = x[1].ld;
  a.v = floats(x[2]);
  a.ldv = x[2].ld;
  if (more != nullptr) {
    a.prefix_k = floats(more[0]);
    a.ld_prefix_k = more[0].ld;
    a.prefix_v = floats(more[1]);
    a.ld_prefix_v = more[1].ld;
  }
  return a;
}

// Which input has the shape of gradient j.
i64 input_of(Op op, i64 j) {
  if (op == Op::kScanGrad) return 1;
  if (op == Op::kConvGrad) return 1 + j;
  if (op == Op::kLstmGrad) return 2 + 2 * j;
  return j < 3 ? 3 + j : 4 + j;
}

// The gradients of a node: its outputs, and in `space` those that nobody wants.
std::vector<Tensor> gradients_of(const Node& n, const Tensor* in, const Tensor* out, void* space) {
  std::vector<Tensor> all;
  f32* spare = static_cast<f32*>(space);
  for (i64 j = 0; j < n.out.size(); ++j) {
    all.push_back(out[j]);
    if (all.back().data != nullptr) continue;
    all.back() = make_tensor(spare, in[input_of(n.op, j)].shape);
    spare += all.back().count();
  }
  return all;
}

}  // namespace

i64 space_recurrent_grad(const Node& n, const Graph& g) {
  i64 bytes = 0;
  for (i64 j = 0; j < n.out.size(); ++j)
    if (!n.out[j]) bytes += g.shape(n.in[input_of(n.op, j)]).count() * 4;
  return bytes;
}

void run_scan(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const std::vector<TextRun> texts = texts_of(n, in[2], {out, 1});
  Scan s = scan_of(in[0], out[0]);
  s.x = floats(in[1]);
  s.ldx = in[1].ld;
  scan_forward(s, texts.data(), isize(texts));
}

void run_scan_grad(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const std::vector<Tensor> d = gradients_of(n, in, out, space);
  const std::vector<TextRun> texts = texts_of(n, in[3], d);
  Scan s = scan_of(in[1], in[2]);
  s.dc = floats(in[0]);
  s.ld_dc = in[0].ld;
  s.dgate = floats(d[0]);
  s.ld_dgate = d[0].ld;
  s.dx = floats(d[1]);
  s.ld_dx = d[1].ld;
  scan_backward(s, texts.data(), isize(texts));
}

void run_cached_scan(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  zero_rows(out[0]);
  Scan s = scan_of(in[0], out[0]);
  s.x = floats(in[1]);
  s.ldx = in[1].ld;
  for_rounds(ctx, n, [&](const std::vector<TextRun>& texts, const std::vector<i32>&) {
    scan_forward(s, texts.data(), isize(texts));
  });
}

namespace {

Lstm lstm_of(const Tensor& x, const Tensor& w, const Tensor& h) {
  Lstm l;
  l.width = h.cols();
  l.x = floats(x);
  l.ldx = x.ld;
  l.w = floats(w);
  l.ldw = w.ld;
  l.h = floats(h);
  l.ldh = h.ld;
  return l;
}

}  // namespace

void run_lstm(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const std::vector<TextRun> texts = texts_of(n, in[2], {out, 3});
  Lstm l = lstm_of(in[0], in[1], out[0]);
  l.gates = floats(out[1]);
  l.ld_gates = out[1].ld;
  l.c = floats(out[2]);
  l.ldc = out[2].ld;
  lstm_forward(l, texts.data(), isize(texts));
}

void run_cached_lstm(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  zero_rows(out[0]);
  const Lstm l = lstm_of(in[0], in[1], out[0]);
  for_rounds(ctx, n, [&](const std::vector<TextRun>& texts, const std::vector<i32>&) {
    lstm_forward(l, texts.data(), isize(texts));
  });
}

// in: dh, h, gates, cell, w, spans
void run_lstm_grad(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const std::vector<Tensor> d = gradients_of(n, in, out, space);
  const std::vector<TextRun> texts = texts_of(n, in[5], {d.data(), 1});
  Lstm l = lstm_of(in[2], in[4], in[1]);
  l.gates = floats(in[2]);
  l.ld_gates = in[2].ld;
  l.c = floats(in[3]);
  l.ldc = in[3].ld;
  l.dh = floats(in[0]);
  l.ld_dh = in[0].ld;
  l.dx = floats(d[0]);
  l.ld_dx = d[0].ld;
  lstm_backward(l, texts.data(), isize(texts));
  if (out[1].data == nullptr) return;
  const i64 rows = in[1].rows();
  const Scratch before(rows * l.width);  // h of the row before
  fill(rows * l.width, 0.0f, before.data());
  for (const TextRun& text : texts)
    copy_rows(text.end - text.begin - 1, l.width, l.h + text.begin * l.ldh, l.ldh,
              before.data() + (text.begin + 1) * l.width, l.width);
  gemm(Layout::kTN, 4 * l.width, l.width, rows, l.dx, l.ld_dx, before.data(), l.width,
       floats(out[1]), out[1].ld);
}

namespace {

Conv conv_of(const Tensor& x, const Tensor& w, const Tensor& y) {
  LM_CHECK(flat(w), "the taps are contiguous");
  Conv c;
  c.taps = w.rows();
  c.cols = x.cols();
  c.x = floats(x);
  c.ldx = x.ld;
  c.w = floats(w);
  c.y = floats(y);
  c.ldy = y.ld;
  return c;
}

}  // namespace

void run_conv(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const std::vector<TextRun> texts = texts_of(n, in[2], {out, 1});
  conv_forward(conv_of(in[0], in[1], out[0]), texts.data(), isize(texts));
}

void run_cached_conv(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  zero_rows(out[0]);
  const Conv c = conv_of(in[0], in[1], out[0]);
  for_rounds(ctx, n, [&](const std::vector<TextRun>& texts, const std::vector<i32>&) {
    conv_forward(c, texts.data(), isize(texts));
  });
}

void run_conv_grad(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const std::vector<Tensor> d = gradients_of(n, in, out, space);
  const std::vector<TextRun> texts = texts_of(n, in[3], {&d[0], 1});
  LM_CHECK(flat(in[2]) && flat(d[1]), "the taps are contiguous");
  Conv c;
  c.taps = in[2].rows();
  c.cols = in[1].cols();
  c.dy = floats(in[0]);
  c.ld_dy = in[0].ld;
  c.x = floats(in[1]);
  c.ldx = in[1].ld;
  c.w = floats(in[2]);
  c.dx = floats(d[0]);
  c.ld_dx = d[0].ld;
  conv_backward(c, texts.data(), isize(texts), in[1].rows(), floats(d[1]));
}

void run_linear_attention(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const std::vector<TextRun> texts = texts_of(n, in[3], {out, 2});
  const bool prefix = n.in.size() > 4;
  const std::vector<i32> ends = prefix_ends(n, texts, prefix ? &in[6] : nullptr);
  LinearAttention a = attention_of(n.attr.as<LinearAttentionAttr>(), in, prefix ? in + 4 : nullptr);
  a.y = floats(out[0]);
  a.ldy = out[0].ld;
  a.norm = floats(out[1]);
  a.ld_norm = out[1].ld;
  linear_attention_forward(a, texts.data(), isize(texts), prefix ? ends.data() : nullptr);
}

void run_cached_linear_attention(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out,
                                 void*) {
  zero_rows(out[0]);
  const bool prefix = n.in.size() > 3;
  LinearAttention a =
      attention_of(n.attr.as<CachedLinearAttentionAttr>().attention, in, prefix ? in + 3 : nullptr);
  a.y = floats(out[0]);
  a.ldy = out[0].ld;
  for_rounds(ctx, n, [&](const std::vector<TextRun>& texts, const std::vector<i32>& ends) {
    linear_attention_forward(a, texts.data(), isize(texts), prefix ? ends.data() : nullptr);
  });
}

void run_linear_attention_grad(const RunCtx&, const Node& n, const Tensor* in, Tensor* out,
                               void* space) {
  const bool prefix = n.in.size() > 7;
  const std::vector<Tensor> d = gradients_of(n, in, out, space);
  const std::vector<TextRun> texts = texts_of(n, in[6], {d.data(), 3});
  const std::vector<i32> ends = prefix_ends(n, texts, prefix ? &in[9] : nullptr);
  LinearAttention a =
      attention_of(n.attr.as<LinearAttentionAttr>(), in + 3, prefix ? in + 7 : nullptr);
  a.dy = floats(in[0]);
  a.ld_dy = in[0].ld;
  a.y = floats(in[1]);
  a.ldy = in[1].ld;
  a.norm = floats(in[2]);
  a.ld_norm = in[2].ld;
  a.dq = floats(d[0]);
  a.ld_dq = d[0].ld;
  a.dk = floats(d[1]);
  a.ld_dk = d[1].ld;
  a.dv = floats(d[2]);
  a.ld_dv = d[2].ld;
  if (prefix) {
    zero_rows(d[3]);
    zero_rows(d[4]);
    a.d_prefix_k = floats(d[3]);
    a.ld_d_prefix_k = d[3].ld;
    a.d_prefix_v = floats(d[4]);
    a.ld_d_prefix_v = d[4].ld;
  }
  linear_attention_backward(a, texts.data(), isize(texts), prefix ? ends.data() : nullptr);
}

}  // namespace lm::cpu
