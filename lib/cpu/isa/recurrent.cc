// Recurrences, one text at a time.

#include "cpu/isa/math.h"
#include "cpu/isa/parts.h"
#include "cpu/isa/reduce.h"

namespace lm::isa::LM_ISA {

namespace {

using cpu::Conv;
using cpu::LinearAttention;
using cpu::TextRun;

// out = a * b + c
LM_INLINE void fma_row(i64 n, const f32* a, const f32* b, const f32* c, f32* out) {
  for (i64 i = 0; i < n; i += kLanes) {
    const i64 w = n - i;
    store_n(out + i, fma(load_n(a + i, w), load_n(b + i, w), load_n(c + i, w)), w);
  }
}
LM_INLINE void copy_row(i64 n, const f32* x, f32* out) {
  for (i64 i = 0; i < n; i += kLanes)
    store_n(out + i, load_n(x + i, n - i), n - i);
}
LM_INLINE void zero_row(i64 n, f32* out) {
  for (i64 i = 0; i < n; i += kLanes)
    store_n(out + i, V{}, n - i);
}

// Scan

void scan_forward(const ScanTask& t) {
  const cpu::Scan& a = *t.args;
  const i64 n = t.c1 - t.c0;
  const f32* before = t.text.from == nullptr ? nullptr : t.text.from + t.c0;
  for (i64 r = t.text.begin; r < t.text.end; ++r) {
    f32* const c = a.c + r * a.ldc + t.c0;
    const f32* const x = a.x + r * a.ldx + t.c0;
    if (before == nullptr)
      copy_row(n, x, c);
    else
      fma_row(n, a.gate + r * a.ld_gate + t.c0, before, x, c);
    before = c;
  }
  if (t.text.to != nullptr && before != nullptr) copy_row(n, before, t.text.to + t.c0);
}

// dx_i = dc_i + gate_{i+1} dx_{i+1}, dgate_i = dx_i c_{i-1}
void scan_backward(const ScanTask& t) {
  const cpu::Scan& a = *t.args;
  const i64 n = t.c1 - t.c0;
  for (i64 r = t.text.end - 1; r >= t.text.begin; --r) {
    f32* const dx = a.dx + r * a.ld_dx + t.c0;
    f32* const dgate = a.dgate + r * a.ld_dgate + t.c0;
    const f32* const dc = a.dc + r * a.ld_dc + t.c0;
    if (r + 1 == t.text.end)
      copy_row(n, dc, dx);
    else
      fma_row(n, a.gate + (r + 1) * a.ld_gate + t.c0, a.dx + (r + 1) * a.ld_dx + t.c0, dc, dx);
    if (r == t.text.begin) {
      zero_row(n, dgate);
      continue;
    }
    const f32* const before = a.c + (r - 1) * a.ldc + t.c0;
    for (i64 i = 0; i < n; i += kLanes)
      store_n(dgate + i, load_n(dx + i, n - i) * load_n(before + i, n - i), n - i);
  }
}

// Long short-term memory

void lstm_row(i64 n, const f32* p, f32* c, f32* h, f32* gates) {
  for (i64 k = 0; k < n; k += kLanes) {
    const i64 w = n - k;
    const V f = sigmoid(load_n(p + k, w) + splat(1.0f));
    const V i = sigmoid(load_n(p + n + k, w));
    const V z = tanh(load_n(p + 2 * n + k, w));
    const V o = sigmoid(load_n(p + 3 * n + k, w));
    const V cell = fma(f, load_n(c + k, w), i * z);
    store_n(c + k, cell, w);
    store_n(h + k, o * tanh(cell), w);
    if (gates == nullptr) continue;
    store_n(gates + k, f, w);
    store_n(gates + n + k, i, w);
    store_n(gates + 2 * n + k, z, w);
    store_n(gates + 3 * n + k, o, w);
  }
}

void lstm_row_backward(i64 n, const f32* gates, const f32* c, const f32* before, const f32* dh,
                       f32* dc, f32* dp) {
  const V one = splat(1.0f);
  for (i64 k = 0; k < n; k += kLanes) {
    const i64 w = n - k;
    const V f = load_n(gates + k, w);
    const V i = load_n(gates + n + k, w);
    const V z = load_n(gates + 2 * n + k, w);
    const V o = load_n(gates + 3 * n + k, w);
    const V t = tanh(load_n(c + k, w));
    const V was = before != nullptr ? load_n(before + k, w) : V{};
    const V up = load_n(dh + k, w);
    const V d = fma(up * o, one - t * t, load_n(dc + k, w));
    store_n(dp + k, d * was * f * (one - f), w);
    store_n(dp + n + k, d * z * i * (one - i), w);
    store_n(dp + 2 * n + k, d * i * (one - z * z), w);
    store_n(dp + 3 * n + k, up * t * o * (one - o), w);
    store_n(dc + k, d * f, w);
  }
}

// Convolution

// The row k before `row`, null where the text has none.
LM_INLINE const f32* row_before(const Conv& a, const TextRun& text, i64 row, i64 k) {
  if (row - k >= text.begin) return a.x + (row - k) * a.ldx;
  if (text.from == nullptr) return nullptr;
  return text.from + (a.taps - 1 - (k - (row - text.begin))) * a.cols;
}

void conv_row(const Conv& a, const TextRun& text, i64 row) {
  f32* const y = a.y + row * a.ldy;
  for (i64 i = 0; i < a.cols; i += kLanes) {
    const i64 w = a.cols - i;
    V sum = load_n(a.w + i, w) * load_n(a.x + row * a.ldx + i, w);
    for (i64 k = 1; k < a.taps; ++k) {
      const f32* const x = row_before(a, text, row, k);
      if (x == nullptr) break;
      sum = fma(load_n(a.w + k * a.cols + i, w), load_n(x + i, w), sum);
    }
    store_n(y + i, sum, w);
  }
}

void conv_row_backward(const Conv& a, const TextRun& text, i64 row) {
  for (i64 i = 0; i < a.cols; i += kLanes) {
    const i64 w = a.cols - i;
    V sum = load_n(a.w + i, w) * load_n(a.dy + row * a.ld_dy + i, w);
    for (i64 k = 1; k < a.taps && row + k < text.end; ++k) {
      const f32* const dy = a.dy + (row + k) * a.ld_dy;
      sum = fma(load_n(a.w + k * a.cols + i, w), load_n(dy + i, w), sum);
    }
    store_n(a.dx + row * a.ld_dx + i, sum, w);
  }
}

void conv_weight_backward(const Conv& a, const TextRun& text, i64 r0, i64 r1, f32* dw) {
  for (i64 r = r0; r < r1; ++r) {
    const f32* const dy = a.dy + r * a.ld_dy;
    for (i64 k = 0; k < a.taps && r - k >= text.begin; ++k)
      fma_row(a.cols, dy, a.x + (r - k) * a.ldx, dw + k * a.cols, dw + k * a.cols);
  }
}

// Linear attention

struct Map {
  i64 dim, features;
  f32 first, square, mixed;  // factors of x_a, x_a x_a, x_a x_b

  explicit Map(i64 d)
      : dim(d),
        features(taylor_features(d)),
        first(1.0f / __builtin_sqrtf(__builtin_sqrtf(static_cast<f32>(d)))),
        square(1.0f / __builtin_sqrtf(2.0f * static_cast<f32>(d))),
        mixed(1.0f / __builtin_sqrtf(static_cast<f32>(d))) {}

  void of(const f32* x, f32* phi) const {
    phi[0] = 1;
    for (i64 a = 0; a < dim; ++a)
      phi[1 + a] = first * x[a];
    f32* out = phi + 1 + dim;
    for (i64 a = 0; a < dim; ++a) {
      *out++ = square * x[a] * x[a];
      for (i64 b = a + 1; b < dim; ++b)
        *out++ = mixed * x[a] * x[b];
    }
  }

  // dx of dphi
  void back(const f32* x, const f32* dphi, f32* dx) const {
    for (i64 a = 0; a < dim; ++a)
      dx[a] = first * dphi[1 + a];
    const f32* d = dphi + 1 + dim;
    for (i64 a = 0; a < dim; ++a) {
      dx[a] += 2 * square * x[a] * *d++;
      for (i64 b = a + 1; b < dim; ++b, ++d) {
        dx[a] += mixed * x[b] * *d;
        dx[b] += mixed * x[a] * *d;
      }
    }
  }
};

// The sums of a head: s [features, head_dim], z [features].
struct Sums {
  i64 features, width;
  f32 *s, *z;

  i64 size() const { return features * (width + 1); }
  void clear() const {
    zero_row(features * width, s);
    zero_row(features, z);
  }
  // s += phi v^T, z += phi * weight
  void add(const f32* phi, const f32* v, f32 weight) const {
    for (i64 f = 0; f < features; ++f) {
      const V p = splat(phi[f]);
      f32* const row = s + f * width;
      for (i64 i = 0; i < width; i += kLanes)
        store_n(row + i, fma(p, load_n(v + i, width - i), load_n(row + i, width - i)), width - i);
    }
    const V by = splat(weight);
    for (i64 f = 0; f < features; f += kLanes) {
      const i64 w = features - f;
      store_n(z + f, fma(by, load_n(phi + f, w), load_n(z + f, w)), w);
    }
  }
  // y = s^T phi
  void read(const f32* phi, f32* y) const {
    zero_row(width, y);
    for (i64 f = 0; f < features; ++f) {
      const V p = splat(phi[f]);
      const f32* const row = s + f * width;
      for (i64 i = 0; i < width; i += kLanes)
        store_n(y + i, fma(p, load_n(row + i, width - i), load_n(y + i, width - i)), width - i);
    }
  }
  // out_f = s_f v + z_f weight
  void project(const f32* v, f32 weight, f32* out) const {
    for (i64 f = 0; f < features; ++f)
      out[f] = dot(width, s + f * width, v) + z[f] * weight;
  }
};

// What is at hand of a task: two feature rows, a row of values, sums.
struct Space {
  f32 *phi, *other, *row;
  Sums sums;

  Space(const LinearAttention& a, const Map& map, f32* at)
      : phi(at),
        other(phi + map.features),
        row(other + map.features),
        sums{map.features, a.head_dim, row + a.head_dim,
             row + a.head_dim + map.features * a.head_dim} {}
};

i64 linear_attention_scratch(const LinearAttention& a) {
  const i64 features = taylor_features(a.dim);
  return 2 * features + a.head_dim + features * (a.head_dim + 1);
}

// The sums before the first row: those of the text so far, and of its further keys.
void begin_sums(const LinearAttentionTask& t, const Map& map, const Space& at) {
  const LinearAttention& a = *t.args;
  if (t.text.from != nullptr)
    copy_row(at.sums.size(), t.text.from + t.head * at.sums.size(), at.sums.s);
  else
    at.sums.clear();
  for (i64 r = t.text.begin; r < t.prefix_end; ++r) {
    map.of(a.prefix_k + r * a.ld_prefix_k + t.head * a.dim, at.phi);
    at.sums.add(at.phi, a.prefix_v + r * a.ld_prefix_v + t.head * a.head_dim, 1);
  }
}

void linear_attention_forward(const LinearAttentionTask& t) {
  const LinearAttention& a = *t.args;
  const Map map(a.dim);
  const Space at(a, map, t.scratch);
  begin_sums(t, map, at);
  for (i64 r = t.text.begin; r < t.text.end; ++r) {
    map.of(a.k + r * a.ldk + t.head * a.dim, at.phi);
    at.sums.add(at.phi, a.v + r * a.ldv + t.head * a.head_dim, 1);
    map.of(a.q + r * a.ldq + t.head * a.dim, at.phi);
    const f32 norm = dot(map.features, at.phi, at.sums.z);
    if (a.norm != nullptr) a.norm[r * a.ld_norm + t.head] = norm;
    f32* const y = a.y + r * a.ldy + t.head * a.head_dim;
    at.sums.read(at.phi, y);
    const V by = splat(1.0f / norm);
    for (i64 i = 0; i < a.head_dim; i += kLanes)
      store_n(y + i, load_n(y + i, a.head_dim - i) * by, a.head_dim - i);
  }
  if (t.text.to != nullptr)
    copy_row(at.sums.size(), at.sums.s, t.text.to + t.head * at.sums.size());
}

// With g = dy / norm and e = -(dy y) / norm: d phi(q_i) = S_i g_i + z_i e_i forward, and backward
// the same sums of phi(q) g and phi(q) e over the rows behind give d phi(k) and dv.
void linear_attention_backward(const LinearAttentionTask& t) {
  const LinearAttention& a = *t.args;
  const Map map(a.dim);
  const Space at(a, map, t.scratch);
  const auto gradient = [&](i64 r) {  // g in at.row; e
    const f32 norm = a.norm[r * a.ld_norm + t.head];
    const f32* const dy = a.dy + r * a.ld_dy + t.head * a.head_dim;
    const V by = splat(1.0f / norm);
    for (i64 i = 0; i < a.head_dim; i += kLanes)
      store_n(at.row + i, load_n(dy + i, a.head_dim - i) * by, a.head_dim - i);
    return -dot(a.head_dim, at.row, a.y + r * a.ldy + t.head * a.head_dim);
  };
  begin_sums(t, map, at);
  for (i64 r = t.text.begin; r < t.text.end; ++r) {
    map.of(a.k + r * a.ldk + t.head * a.dim, at.phi);
    at.sums.add(at.phi, a.v + r * a.ldv + t.head * a.head_dim, 1);
    const f32 e = gradient(r);
    at.sums.project(at.row, e, at.phi);
    map.back(a.q + r * a.ldq + t.head * a.dim, at.phi, a.dq + r * a.ld_dq + t.head * a.dim);
  }
  at.sums.clear();
  const auto key_back = [&](const f32* k, const f32* v, f32* dk, f32* dv) {
    map.of(k, at.phi);
    at.sums.read(at.phi, dv);
    at.sums.project(v, 1, at.other);
    map.back(k, at.other, dk);
  };
  for (i64 r = t.text.end - 1; r >= t.text.begin; --r) {
    const f32 e = gradient(r);
    map.of(a.q + r * a.ldq + t.head * a.dim, at.phi);
    at.sums.add(at.phi, at.row, e);
    key_back(a.k + r * a.ldk + t.head * a.dim, a.v + r * a.ldv + t.head * a.head_dim,
             a.dk + r * a.ld_dk + t.head * a.dim, a.dv + r * a.ld_dv + t.head * a.head_dim);
  }
  for (i64 r = t.text.begin; r < t.prefix_end; ++r)
    key_back(a.prefix_k + r * a.ld_prefix_k + t.head * a.dim,
             a.prefix_v + r * a.ld_prefix_v + t.head * a.head_dim,
             a.d_prefix_k + r * a.ld_d_prefix_k + t.head * a.dim,
             a.d_prefix_v + r * a.ld_d_prefix_v + t.head * a.head_dim);
}

}  // namespace

void install_recurrent(Kernels& table) {
  table.scan_forward = scan_forward;
  table.scan_backward = scan_backward;
  table.lstm_row = lstm_row;
  table.lstm_row_backward = lstm_row_backward;
  table.conv_row = conv_row;
  table.conv_row_backward = conv_row_backward;
  table.conv_weight_backward = conv_weight_backward;
  table.linear_attention_scratch = linear_attention_scratch;
  table.linear_attention_forward = linear_attention_forward;
  table.linear_attention_backward = linear_attention_backward;
}

}  // namespace lm::isa::LM_ISA
