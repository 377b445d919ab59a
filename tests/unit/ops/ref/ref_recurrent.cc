// Recurrences by their definitions: every row as a sum over the rows of its text.

#include <cmath>

#include "ops/op.h"
#include "ref.h"

namespace lm::test {

namespace {

// The first row of row i's text; -1: it is of none.
i64 first_of(const Numbers& spans, i64 i) {
  const f64* const s = spans.data() + i * kSpanInts;
  return s[1] > s[0] ? static_cast<i64>(s[0]) : -1;
}

void scan(const RefNode& r) {
  const i64 cols = r.cols(0);
  for (i64 i = 0; i < r.rows(0); ++i) {
    const i64 first = first_of(r.x(2), i);
    for (i64 c = 0; c < cols; ++c) {
      f64 sum = 0;
      for (i64 j = std::max<i64>(first, 0); first >= 0 && j <= i; ++j) {
        f64 product = r.x(1)[usize(j * cols + c)];
        for (i64 t = j + 1; t <= i; ++t)
          product *= r.x(0)[usize(t * cols + c)];
        sum += product;
      }
      r.y(0)[usize(i * cols + c)] = sum;
    }
  }
}

void lstm(const RefNode& r) {
  const i64 width = r.shape(1).cols();
  const auto sigmoid = [](f64 x) { return 1 / (1 + std::exp(-x)); };
  Numbers h(usize(width), 0);
  Numbers c(usize(width), 0);
  for (i64 i = 0; i < r.rows(0); ++i) {
    const i64 first = first_of(r.x(2), i);
    if (first < 0 || first == i) {
      h.assign(usize(width), 0);
      c.assign(usize(width), 0);
    }
    Numbers p(r.x(0).begin() + i * 4 * width, r.x(0).begin() + (i + 1) * 4 * width);
    for (i64 k = 0; k < 4 * width; ++k)
      for (i64 j = 0; j < width; ++j)
        p[usize(k)] += r.x(1)[usize(k * width + j)] * h[usize(j)];
    for (i64 k = 0; k < width && first >= 0; ++k) {
      const f64 f = sigmoid(p[usize(k)] + 1);
      const f64 in = sigmoid(p[usize(width + k)]);
      const f64 z = std::tanh(p[usize(2 * width + k)]);
      const f64 o = sigmoid(p[usize(3 * width + k)]);
      c[usize(k)] = f * c[usize(k)] + in * z;
      h[usize(k)] = o * std::tanh(c[usize(k)]);
    }
    for (i64 k = 0; k < width; ++k)
      r.y(0)[usize(i * width + k)] = first >= 0 ? h[usize(k)] : 0;
  }
}

void conv(const RefNode& r) {
  const i64 cols = r.cols(0);
  for (i64 i = 0; i < r.rows(0); ++i) {
    const i64 first = first_of(r.x(2), i);
    for (i64 c = 0; c < cols; ++c) {
      f64 sum = 0;
      for (i64 k = 0; first >= 0 && k < r.rows(1) && i - k >= first; ++k)
        sum += r.x(1)[usize(k * cols + c)] * r.x(0)[usize((i - k) * cols + c)];
      r.y(0)[usize(i * cols + c)] = sum;
    }
  }
}

void linear_attention(const RefNode& r) {
  const LinearAttentionAttr a = r.n.attr.as<LinearAttentionAttr>();
  const i64 dim = a.dim;
  const i64 size = a.head_dim;
  for (i64 i = 0; i < r.rows(0); ++i) {
    const i64 first = first_of(r.x(3), i);
    for (i64 h = 0; h < a.heads; ++h) {
      Numbers y(usize(size), 0);
      f64 norm = 0;
      const auto see = [&](const Numbers& keys, const Numbers& values, i64 j) {
        f64 s = 0;
        for (i64 c = 0; c < dim; ++c)
          s +=
              r.x(0)[usize((i * a.heads + h) * dim + c)] * keys[usize((j * a.heads + h) * dim + c)];
        s /= std::sqrt(static_cast<f64>(dim));
        const f64 weight = 1 + s + s * s / 2;
        norm += weight;
        for (i64 c = 0; c < size; ++c)
          y[usize(c)] += weight * values[usize((j * a.heads + h) * size + c)];
      };
      for (i64 j = std::max<i64>(first, 0); first >= 0 && j <= i; ++j)
        see(r.x(1), r.x(2), j);
      for (i64 j = std::max<i64>(first, 0);
           first >= 0 && r.has(6) && static_cast<f64>(j) < r.x(6)[usize(i)]; ++j)
        see(r.x(4), r.x(5), j);
      for (i64 c = 0; c < size; ++c)
        r.y(0)[usize((i * a.heads + h) * size + c)] = norm > 0 ? y[usize(c)] / norm : 0;
      r.y(1)[usize(i * a.heads + h)] = norm;
    }
  }
}

}  // namespace

bool ref_recurrent(const RefNode& r) {
  switch (r.n.op) {
    case Op::kScan:
      scan(r);
      return true;
    case Op::kLstm:
      lstm(r);
      return true;
    case Op::kConv:
      conv(r);
      return true;
    case Op::kLinearAttention:
      linear_attention(r);
      return true;
    default:
      return false;
  }
}

}  // namespace lm::test
