#include <algorithm>
#include <cmath>

#include "ops/op.h"
#include "ref.h"

namespace lm::test {

namespace {

// Capped logits of row i over the real vocabulary.
Numbers row_logits(const RefNode& r, i64 i, i64 vocab, f64 cap) {
  const i64 width = r.cols(0);
  Numbers l(usize(vocab), 0.0);
  for (i64 v = 0; v < vocab; ++v) {
    for (i64 c = 0; c < width; ++c) {
      l[usize(v)] += r.x(0)[usize(i * width + c)] * r.x(1)[usize(v * width + c)];
    }
    if (cap != 0) l[usize(v)] = cap * std::tanh(l[usize(v)] / cap);
  }
  return l;
}

f64 log_sum(const Numbers& l) {
  const f64 top = *std::max_element(l.begin(), l.end());
  f64 total = 0;
  for (const f64 x : l)
    total += std::exp(x - top);
  return top + std::log(total);
}

void cross_entropy(const RefNode& r) {
  const CeAttr a = r.n.attr.as<CeAttr>();
  for (i64 i = 0; i < r.rows(0); ++i) {
    const Numbers l = row_logits(r, i, a.vocab, a.softcap);
    const f64 lse = log_sum(l);
    r.y(2)[usize(i)] = lse;
    const i64 target = static_cast<i64>(r.x(2)[usize(i)]);
    if (target == kIgnoreTarget) continue;
    f64 mean = 0;
    for (const f64 x : l)
      mean += x / static_cast<f64>(a.vocab);
    const f64 eps = a.label_smoothing;
    const f64 w = r.has(3) ? r.x(3)[usize(i)] : 1;
    const f64 loss = w * (lse - (1 - eps) * l[usize(target)] - eps * mean + a.z_loss * lse * lse);
    r.y(1)[usize(i)] = loss;
    r.y(0)[0] += loss;
  }
}

void statistics(const RefNode& r) {
  const LogprobAttr a = r.n.attr.as<LogprobAttr>();
  for (i64 i = 0; i < r.rows(0); ++i) {
    const Numbers l = row_logits(r, i, a.vocab, a.softcap);
    const f64 lse = log_sum(l);
    f64 entropy = 0;
    for (const f64 x : l)
      entropy -= std::exp(x - lse) * (x - lse);
    r.y(1)[usize(i)] = entropy;
    r.y(2)[usize(i)] = static_cast<f64>(std::max_element(l.begin(), l.end()) - l.begin());
    if (!r.has(2)) continue;
    const i64 target = static_cast<i64>(r.x(2)[usize(i)]);
    r.y(3)[usize(i)] = -1;
    if (target == kIgnoreTarget) continue;
    r.y(0)[usize(i)] = l[usize(target)] - lse;
    i64 rank = 0;
    for (i64 v = 0; v < a.vocab; ++v) {
      if (l[usize(v)] > l[usize(target)] || (l[usize(v)] == l[usize(target)] && v < target)) ++rank;
    }
    r.y(3)[usize(i)] = static_cast<f64>(rank);
  }
}

}  // namespace

bool ref_loss(const RefNode& r) {
  switch (r.n.op) {
    case Op::kLinearCe:
      cross_entropy(r);
      return true;
    case Op::kLinearLogprob:
      statistics(r);
      return true;
    default:
      return false;
  }
}

}  // namespace lm::test
