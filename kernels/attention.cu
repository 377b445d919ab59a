// Attention, f32. q [rows, heads, d], k and v [keys, kv_heads, d] (often columns of one buffer).
// A warp owns a (row, head) or, for dk and dv, a (key, kv head); lane l holds components l, l+32,
// ... so P = ceil(d / 32) registers per vector, a template parameter of 1, 2, 4 or 8 (d <= 256).
// Forward: online softmax (Dao 2023) key by key, in logical order. Backward: with D = sum dO o,
// dS = P (dP - D); scores are recomputed from lse. Softcap c: s' = c tanh(s / c), slope 1 -
// (s'/c)^2.
// H200, test-gpu [figures]: 2.8 TFLOP/s, causal, f32: it is for exactness.

#include "attention.h"
#include "block.h"
#include "report.h"
#include "span.h"

namespace lm::cuda {

namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;

struct Span {
  i32 a0, a1, b0, b1;
  LM_DEVICE i64 begin(int part) const { return part == 0 ? a0 : b0; }
  LM_DEVICE i64 end(int part) const { return part == 0 ? a1 : b1; }
};

LM_DEVICE Span row_span(const Attention& a, i64 row, Fault* fault) {
  const i32* p = a.spans + 6 * row;
  i32 culprit = 0;
  if (span_fits(p, a.keys, &culprit)) {
    const RowSpan s = read_span(p, a.window);
    return Span{s.a0, s.a1, s.b0, s.b1};
  }
  if (fault != nullptr && cu::lane() == 0) report(fault, FaultKind::kSpan, row, culprit, a.keys);
  return Span{0, 0, 0, 0};
}

template <int P>
struct Vec {
  f32 x[P];
};

template <int P>
LM_DEVICE Vec<P> load_vec(const f32* p, i64 d) {
  Vec<P> v;
  LM_UNROLL
  for (int i = 0; i < P; ++i) {
    const int c = cu::lane() + 32 * i;
    v.x[i] = c < d ? p[c] : 0.0f;
  }
  return v;
}
template <int P>
LM_DEVICE void store_vec(f32* p, i64 d, const Vec<P>& v) {
  LM_UNROLL
  for (int i = 0; i < P; ++i) {
    const int c = cu::lane() + 32 * i;
    if (c < d) p[c] = v.x[i];
  }
}
template <int P>
LM_DEVICE f32 dot(const Vec<P>& a, const Vec<P>& b) {
  f32 s = 0;
  LM_UNROLL
  for (int i = 0; i < P; ++i)
    s += a.x[i] * b.x[i];
  return cu::warp_sum(s);
}
template <int P>
LM_DEVICE void add_times(Vec<P>& to, f32 s, const Vec<P>& v) {
  LM_UNROLL
  for (int i = 0; i < P; ++i)
    to.x[i] += s * v.x[i];
}

LM_DEVICE f32 score(const Attention& a, f32 product) {
  const f32 s = product * a.scale;
  return a.softcap > 0 ? a.softcap * tanhf(s / a.softcap) : s;
}
// d score / d product.
LM_DEVICE f32 score_slope(const Attention& a, f32 s) {
  if (a.softcap <= 0) return a.scale;
  const f32 t = s / a.softcap;
  return a.scale * (1.0f - t * t);
}

template <int P>
LM_GLOBAL void forward_rows(Attention a, f32* o, i64 ldo, f32* lse, Fault* fault) {
  const i64 group = a.heads / a.kv_heads;
  const i64 d = a.head_dim;
  for (i64 item = cu::block() * kWarps + cu::warp(); item < a.rows * a.heads;
       item += cu::grid_size() * kWarps) {
    const i64 row = item / a.heads;
    const i64 head = item - row * a.heads;
    const i64 kv = head / group * d;
    const Span span = row_span(a, row, fault);
    const Vec<P> q = load_vec<P>(a.q + row * a.ldq + head * d, d);
    Vec<P> sum{};
    f32 top = -INFINITY;
    f32 total = 0;
    for (int part = 0; part < 2; ++part) {
      for (i64 j = span.begin(part); j < span.end(part); ++j) {
        const f32 s = score(a, dot(q, load_vec<P>(a.k + j * a.ldkv + kv, d)));
        const f32 new_top = s > top ? s : top;
        const f32 keep = expf(top - new_top);
        const f32 p = expf(s - new_top);
        const Vec<P> v = load_vec<P>(a.v + j * a.ldkv + kv, d);
        LM_UNROLL
        for (int i = 0; i < P; ++i)
          sum.x[i] = sum.x[i] * keep + p * v.x[i];
        total = total * keep + p;
        top = new_top;
      }
    }
    const f32 inverse = total > 0 ? 1.0f / total : 0.0f;
    LM_UNROLL
    for (int i = 0; i < P; ++i)
      sum.x[i] *= inverse;
    store_vec(o + row * ldo + head * d, d, sum);
    if (lse != nullptr && cu::lane() == 0) {
      lse[item] = total > 0 ? top + logf(total) : -INFINITY;
    }
  }
}

// dq, and D of every (row, head) for the other kernel.
template <int P>
LM_GLOBAL void backward_rows(Attention a, AttentionBackward b, f32* rests, Fault* fault) {
  const i64 group = a.heads / a.kv_heads;
  const i64 d = a.head_dim;
  for (i64 item = cu::block() * kWarps + cu::warp(); item < a.rows * a.heads;
       item += cu::grid_size() * kWarps) {
    const i64 row = item / a.heads;
    const i64 head = item - row * a.heads;
    const i64 kv = head / group * d;
    const Span span = row_span(a, row, fault);
    const Vec<P> q = load_vec<P>(a.q + row * a.ldq + head * d, d);
    const Vec<P> d_o = load_vec<P>(b.d_o + row * b.lddo + head * d, d);
    const f32 rest = dot(d_o, load_vec<P>(b.o + row * b.ldo + head * d, d));
    const f32 lse = b.lse[item];
    Vec<P> dq{};
    for (int part = 0; part < 2; ++part) {
      for (i64 j = span.begin(part); j < span.end(part); ++j) {
        const Vec<P> k = load_vec<P>(a.k + j * a.ldkv + kv, d);
        const f32 s = score(a, dot(q, k));
        const f32 dp = dot(d_o, load_vec<P>(a.v + j * a.ldkv + kv, d));
        add_times(dq, expf(s - lse) * (dp - rest) * score_slope(a, s), k);
      }
    }
    store_vec(b.dq + row * b.lddq + head * d, d, dq);
    if (cu::lane() == 0) rests[item] = rest;
  }
}

template <int P>
LM_GLOBAL void backward_keys(Attention a, AttentionBackward b, const f32* rests) {
  const i64 group = a.heads / a.kv_heads;
  const i64 d = a.head_dim;
  for (i64 item = cu::block() * kWarps + cu::warp(); item < a.keys * a.kv_heads;
       item += cu::grid_size() * kWarps) {
    const i64 j = item / a.kv_heads;
    const i64 kv_head = item - j * a.kv_heads;
    const Vec<P> k = load_vec<P>(a.k + j * a.ldkv + kv_head * d, d);
    const Vec<P> v = load_vec<P>(a.v + j * a.ldkv + kv_head * d, d);
    Vec<P> dk{};
    Vec<P> dv{};
    for (i64 row = 0; row < a.rows; ++row) {
      const Span s = row_span(a, row, nullptr);
      const bool seen = (j >= s.a0 && j < s.a1) || (j >= s.b0 && j < s.b1);
      if (!seen) continue;
      for (i64 head = kv_head * group; head < (kv_head + 1) * group; ++head) {
        const Vec<P> q = load_vec<P>(a.q + row * a.ldq + head * d, d);
        const Vec<P> d_o = load_vec<P>(b.d_o + row * b.lddo + head * d, d);
        const f32 sc = score(a, dot(q, k));
        const f32 p = expf(sc - b.lse[row * a.heads + head]);
        const f32 dp = dot(d_o, v);
        add_times(dv, p, d_o);
        add_times(dk, p * (dp - rests[row * a.heads + head]) * score_slope(a, sc), q);
      }
    }
    store_vec(b.dk + j * b.lddkv + kv_head * d, d, dk);
    store_vec(b.dv + j * b.lddkv + kv_head * d, d, dv);
  }
}

template <int P>
void forward(const Attention& a, f32* o, i64 ldo, f32* lse, Fault* fault, Stream* stream) {
  cu::launch("attention_forward", forward_rows<P>, cu::blocks_for(a.rows * a.heads, kWarps),
             kThreads, stream, a, o, ldo, lse, fault);
}

template <int P>
void backward(const Attention& a, const AttentionBackward& b, f32* rests, Fault* fault,
              Stream* stream) {
  cu::launch("attention_dq", backward_rows<P>, cu::blocks_for(a.rows * a.heads, kWarps), kThreads,
             stream, a, b, rests, fault);
  cu::launch("attention_dkv", backward_keys<P>, cu::blocks_for(a.keys * a.kv_heads, kWarps),
             kThreads, stream, a, b, rests);
}

}  // namespace

void attention_forward(const Attention& a, f32* o, i64 ldo, f32* lse, Fault* fault,
                       Stream* stream) {
  const auto run = a.head_dim <= 32    ? forward<1>
                   : a.head_dim <= 64  ? forward<2>
                   : a.head_dim <= 128 ? forward<4>
                                       : forward<8>;
  run(a, o, ldo, lse, fault, stream);
}

i64 attention_backward_space(i64 rows, i64 heads) {
  return 4 * rows * heads;
}

void attention_backward(const Attention& a, const AttentionBackward& b, void* space, Fault* fault,
                        Stream* stream) {
  const auto run = a.head_dim <= 32    ? backward<1>
                   : a.head_dim <= 64  ? backward<2>
                   : a.head_dim <= 128 ? backward<4>
                                       : backward<8>;
  run(a, b, static_cast<f32*>(space), fault, stream);
}

}  // namespace lm::cuda
