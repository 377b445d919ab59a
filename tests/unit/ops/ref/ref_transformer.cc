#include <algorithm>
#include <cmath>

#include "ops/op.h"
#include "ref.h"

namespace lm::test {

namespace {

// Normalises x[begin, begin+count) in place of y; returns {mean, rstd}.
std::pair<f64, f64> normalise(NormKind kind, f64 eps, const f64* x, i64 count, f64* y) {
  f64 mean = 0;
  if (kind == NormKind::kLayer) {
    for (i64 i = 0; i < count; ++i)
      mean += x[i];
    mean /= static_cast<f64>(count);
  }
  f64 square = 0;
  for (i64 i = 0; i < count; ++i)
    square += (x[i] - mean) * (x[i] - mean);
  const f64 rstd = 1 / std::sqrt(square / static_cast<f64>(count) + eps);
  for (i64 i = 0; i < count; ++i)
    y[i] = (x[i] - mean) * rstd;
  return {mean, rstd};
}

void norm(const RefNode& r) {
  const NormAttr a = r.n.attr.as<NormAttr>();
  const i64 cols = r.cols(0);
  Numbers x = r.x(0);
  if (r.has(3)) {
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] += r.x(3)[i];
    r.y(1) = x;
  }
  for (i64 i = 0; i < r.rows(0); ++i) {
    f64* y = r.y(0).data() + i * cols;
    const auto [mean, rstd] = normalise(a.kind, a.eps, x.data() + i * cols, cols, y);
    for (i64 c = 0; c < cols; ++c) {
      if (r.has(1)) y[c] *= r.x(1)[usize(c)] + (a.plus_one ? 1 : 0);
      if (r.has(2)) y[c] += r.x(2)[usize(c)];
    }
    if (a.kind == NormKind::kLayer) r.y(2)[usize(i)] = mean;
    r.y(3)[usize(i)] = rstd;
  }
}

void qk_norm(const RefNode& r) {
  const QkNormAttr a = r.n.attr.as<QkNormAttr>();
  const i64 cols = r.cols(0);
  const i64 rows = r.rows(0);
  r.y(0) = r.x(0);
  i64 column = 0;
  i64 saved = 0;
  for (int part = 0; part < 2; ++part) {
    const i64 heads = part == 0 ? a.heads : a.kv_heads;
    const i64 width = a.full ? heads * a.head_dim : a.head_dim;
    const i64 groups = a.full ? 1 : heads;
    for (i64 i = 0; i < rows; ++i) {
      for (i64 h = 0; h < groups; ++h) {
        const i64 at = i * cols + column + h * width;
        const f64 rstd =
            normalise(NormKind::kRms, a.eps, r.x(0).data() + at, width, r.y(0).data() + at).second;
        for (i64 c = 0; c < width; ++c) {
          r.y(0)[usize(at + c)] *= r.x(1 + part)[usize(c)] + (a.plus_one ? 1 : 0);
        }
        r.y(1)[usize(saved + i * groups + h)] = rstd;
      }
    }
    saved += rows * groups;
    column += heads * a.head_dim;
  }
}

void rope(const RefNode& r) {
  const RopeAttr a = r.n.attr.as<RopeAttr>();
  const i64 half = a.rotary_dim / 2;
  const i64 positions = r.shape(2)[1];
  r.y(0) = r.x(0);
  for (i64 i = 0; i < r.rows(0); ++i) {
    const i64 pos = static_cast<i64>(r.x(1)[usize(i)]);
    for (i64 h = 0; h < a.heads; ++h) {
      const i64 base = i * r.cols(0) + h * a.head_dim;
      for (i64 k = 0; k < half; ++k) {
        const f64 c = r.x(2)[usize(pos * half + k)];
        const f64 s = r.x(2)[usize((positions + pos) * half + k)] * (a.inverse ? -1 : 1);
        const i64 u = base + (a.interleaved ? 2 * k : k);
        const i64 v = base + (a.interleaved ? 2 * k + 1 : k + half);
        r.y(0)[usize(u)] = r.x(0)[usize(u)] * c - r.x(0)[usize(v)] * s;
        r.y(0)[usize(v)] = r.x(0)[usize(v)] * c + r.x(0)[usize(u)] * s;
      }
    }
  }
}

struct Keys {
  const f64 *q, *k, *v;
  i64 ldq, ldkv;
};

Keys keys_of(const RefNode& r, const AttentionAttr& a) {
  const i64 d = a.head_dim;
  if (!a.fused) {
    return {r.x(0).data(), r.x(1).data(), r.x(2).data(), a.heads * d, a.kv_heads * d};
  }
  const f64* x = r.x(0).data();
  return {x, x + a.heads * d, x + (a.heads + a.kv_heads) * d, r.cols(0), r.cols(0)};
}

// Slots that a head of row i sees, in both intervals' order.
std::vector<i64> visible_keys(const Numbers& spans, i64 i, i64 head, const AttentionAttr& a) {
  std::vector<std::pair<i64, i64>> keys;  // slot, logical index
  i64 last = -1;
  for (const i64 part : {i64{0}, i64{1}}) {
    const auto number = [&](i64 at) { return static_cast<i64>(spans[usize(i * kSpanInts + at)]); };
    for (i64 j = number(2 * part); j < number(2 * part + 1); ++j) {
      keys.emplace_back(j, number(4 + part) + j - number(2 * part));
      last = std::max(last, keys.back().second);
    }
  }
  std::vector<i64> visible;
  for (const auto& [slot, logical] : keys)
    if ((a.window == 0 || last - logical < a.window) && a.sparse.sees(head, last, logical))
      visible.push_back(slot);
  return visible;
}

void attention(const RefNode& r) {
  const AttentionAttr a = r.n.attr.as<AttentionAttr>();
  const i64 d = a.head_dim;
  const Keys x = keys_of(r, a);
  const Numbers& spans = r.x(a.fused ? 1 : 3);
  for (i64 i = 0; i < r.rows(0); ++i) {
    for (i64 h = 0; h < a.heads; ++h) {
      const std::vector<i64> visible = visible_keys(spans, i, h, a);
      const i64 kv = h / (a.heads / a.kv_heads);
      Numbers score;
      for (const i64 j : visible) {
        f64 s = 0;
        for (i64 c = 0; c < d; ++c)
          s += x.q[i * x.ldq + h * d + c] * x.k[j * x.ldkv + kv * d + c];
        s *= a.scale;
        score.push_back(a.softcap == 0 ? s : a.softcap * std::tanh(s / a.softcap));
      }
      const f64 top = score.empty() ? 0 : *std::max_element(score.begin(), score.end());
      f64 total = 0;
      for (const f64 s : score)
        total += std::exp(s - top);
      for (i64 c = 0; c < d; ++c) {
        f64 o = 0;
        for (std::size_t t = 0; t < score.size(); ++t) {
          o += std::exp(score[t] - top) / total * x.v[visible[t] * x.ldkv + kv * d + c];
        }
        r.y(0)[usize((i * a.heads + h) * d + c)] = o;
      }
      r.y(1)[usize(i * a.heads + h)] = score.empty() ? -INFINITY : top + std::log(total);
    }
  }
}

}  // namespace

bool ref_transformer(const RefNode& r) {
  switch (r.n.op) {
    case Op::kNorm:
      norm(r);
      return true;
    case Op::kQkNorm:
      qk_norm(r);
      return true;
    case Op::kRope:
      rope(r);
      return true;
    case Op::kAttention:
      attention(r);
      return true;
    default:
      return false;
  }
}

}  // namespace lm::test
