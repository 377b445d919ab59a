// Row kernels of the losses (Liger's in-place scheme, Hsu et al. 2024: the gradient replaces the
// logits). The target's logit is read before its row is overwritten.

#include "cpu/isa/math.h"
#include "cpu/isa/parts.h"
#include "cpu/isa/reduce.h"
#include "cpu/isa/wide.h"

namespace lm::isa::LM_ISA {

namespace {

// In place c * tanh(x / c).
void cap_row(i64 n, f32* x, f32 cap) {
  const V c = splat(cap);
  for (i64 i = 0; i < n; i += kLanes) {
    store_n(x + i, c * tanh(load_n(x + i, n - i) / c), n - i);
  }
}

LM_INLINE V capped(V x, f32 cap) {
  return cap > 0.0f ? splat(cap) * tanh(x / splat(cap)) : x;
}

LM_INLINE f32 lse_of(i64 n, const f32* x, f32 cap) {
  V top = splat(-__builtin_inff());
  i64 i = 0;
  for (; i + kLanes <= n; i += kLanes)
    top = max(capped(load(x + i), cap), top);
  f32 m = lane_max(top);
  for (; i < n; ++i) {
    const f32 v = capped(splat(x[i]), cap)[0];
    m = v > m ? v : m;
  }
  const V vm = splat(m);
  const f32 z = reduce_sum(
      n, [&](i64 j, i64 w) { return keep_first(exp(capped(load_n(x + j, w), cap) - vm), w); });
  return m + log(splat(z))[0];
}

void cross_entropy_row(const cpu::CrossEntropy& a, i64 row, f32* loss_out, f32* lse_out) {
  f32* x = a.logits + row * a.ld;
  const i64 n = a.vocab;
  const i32 y = a.target[row];
  const f32 weight = a.weight != nullptr ? a.weight[row] : 1.0f;
  if (a.softcap > 0.0f && a.want_grad) cap_row(n, x, a.softcap);
  const f32 pending = a.want_grad ? 0.0f : a.softcap;  // cap not yet applied to the stored row
  const f32 lse = lse_of(n, x, pending);
  *lse_out = lse;
  if (y == kIgnoreTarget) {
    *loss_out = 0.0f;
    for (i64 i = 0; a.want_grad && i < n; ++i)
      x[i] = 0.0f;
    return;
  }
  const f32 e = a.label_smoothing;
  const f32 target_logit = capped(splat(x[y]), pending)[0];
  f32 mean = 0.0f;
  if (e > 0.0f) {
    mean = reduce_sum(
               n, [&](i64 i, i64 w) { return keep_first(capped(load_n(x + i, w), pending), w); }) /
           static_cast<f32>(n);
  }
  *loss_out = weight * (lse - (1.0f - e) * target_logit - e * mean + a.z_loss * lse * lse);
  if (!a.want_grad) return;
  const f32 coef = weight * a.grad_scale;
  const V vl = splat(lse), up = splat(coef * (1.0f + 2.0f * a.z_loss * lse));
  const V flat = splat(coef * e / static_cast<f32>(n));
  const V inv_cap = splat(a.softcap > 0.0f ? 1.0f / a.softcap : 0.0f);
  const f32 at_target = coef * (1.0f - e);
  const V t = splat(target_logit) * inv_cap;
  const f32 target_slope = fma(-t, t, splat(1.0f))[0];
  for (i64 i = 0; i < n; i += kLanes) {
    const V l = load_n(x + i, n - i);
    const V u = l * inv_cap;
    const V g = fma(up, exp(l - vl), -flat) * fma(-u, u, splat(1.0f));
    store_n(x + i, g, n - i);
  }
  x[y] -= at_target * target_slope;
}

void stats_row(const cpu::RowStats& a, i64 row) {
  const f32* x = a.logits + row * a.ld;
  const i64 n = a.vocab;
  const f32 lse = lse_of(n, x, a.softcap);
  if (a.lse != nullptr) a.lse[row] = lse;
  const i32 y = a.target != nullptr ? a.target[row] : kIgnoreTarget;
  const bool counted = y != kIgnoreTarget;
  if (a.logprob != nullptr) {
    a.logprob[row] = counted ? capped(splat(x[y]), a.softcap)[0] - lse : 0.0f;
  }
  if (a.entropy != nullptr) {
    // H = -sum p log p with log p = l - lse; p = 0 contributes 0 (l = -inf would give 0 * inf).
    const V vl = splat(lse);
    a.entropy[row] = reduce_sum(n, [&](i64 i, i64 w) {
      const V d = capped(load_n(x + i, w), a.softcap) - vl;
      const V p = exp(d);
      return keep_first(p > V{} ? -(p * d) : V{}, w);
    });
  }
  if (a.rank != nullptr) {
    i64 above = counted ? 0 : -1;
    for (i64 i = 0; counted && i < n; ++i)
      above += x[i] > x[y] || (x[i] == x[y] && i < y) ? 1 : 0;
    a.rank[row] = static_cast<i32>(above);
  }
  if (a.argmax != nullptr) {
    i64 best = 0;
    const f32 top = reduce_max(n, x);
    while (best < n && !(x[best] == top))
      ++best;
    a.argmax[row] = static_cast<i32>(best < n ? best : 0);
  }
}

// The largest element and the first that has its value. Blocks keep the second search short; four
// chains in each keep the first from waiting.
f32 top_of(i64 n, const f32* x, i64* first) {
  constexpr i64 kBlock = 64 * kLanes;
  f32 top = -__builtin_inff();
  i64 at = 0;
  for (i64 i = 0; i < n; i += kBlock) {
    f32 own;
    if (n - i < kBlock) {
      own = reduce_max(n - i, x + i);
    } else {
      V m[4] = {load(x + i), load(x + i + kLanes), load(x + i + 2 * kLanes),
                load(x + i + 3 * kLanes)};
      for (i64 j = i + 4 * kLanes; j < i + kBlock; j += 4 * kLanes) {
        for (int c = 0; c < 4; ++c)
          m[c] = max(load(x + j + c * kLanes), m[c]);
      }
      own = lane_max(max(max(m[0], m[1]), max(m[2], m[3])));
    }
    if (!(own > top)) continue;
    top = own;
    at = i;
  }
  while (at < n && !(x[at] == top))
    ++at;
  *first = at < n ? at : 0;
  return top;
}

// Sums in four chains; their order depends on n alone.
f64 exp_sum(i64 n, const f32* x, i64* argmax) {
  const D m = wide_splat(static_cast<f64>(top_of(n, x, argmax)));
  constexpr i64 kStep = 4 * kWide;
  D sum[4] = {};
  const auto add = [&](const f32* p) {
    D e[4];
    for (int c = 0; c < 4; ++c)
      e[c] = wide_load(p + c * kWide) - m;
    wide_exp(e);
    for (int c = 0; c < 4; ++c)
      sum[c] = sum[c] + e[c];
  };
  i64 i = 0;
  for (; i + kStep <= n; i += kStep)
    add(x + i);
  if (i < n) {
    f32 rest[kStep];  // the tail runs the same code; -inf is too small to be seen
    for (i64 j = 0; j < kStep; ++j)
      rest[j] = i + j < n ? x[i + j] : -__builtin_inff();
    add(rest);
  }
  const D all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  f64 total = 0;
  for (int lane = 0; lane < kWide; ++lane)
    total += all[lane];
  return total;
}

void logprob_row_backward(i64 vocab, f32* x, i32 target, f32 lse, f32 coef, f32 softcap) {
  if (target == kIgnoreTarget) {
    for (i64 i = 0; i < vocab; ++i)
      x[i] = 0.0f;
    return;
  }
  if (softcap > 0.0f) cap_row(vocab, x, softcap);
  const V inv_cap = splat(softcap > 0.0f ? 1.0f / softcap : 0.0f);
  const V t = splat(x[target]) * inv_cap;
  const f32 at_target = coef * fma(-t, t, splat(1.0f))[0];
  const V vl = splat(lse), c = splat(-coef);
  for (i64 i = 0; i < vocab; i += kLanes) {
    const V l = load_n(x + i, vocab - i);
    const V u = l * inv_cap;
    store_n(x + i, c * exp(l - vl) * fma(-u, u, splat(1.0f)), vocab - i);
  }
  x[target] += at_target;
}

// KL(p || q), p = softmax(teacher/T), q = softmax(student/T); dKL/dstudent = (q - p) / T.
f32 kl_row(i64 n, f32* student, const f32* teacher, f32 temperature, bool want_grad, f32 coef) {
  const V it = splat(1.0f / temperature);
  const auto lse_scaled = [&](const f32* x) {
    const V m = splat(reduce_max(n, x));
    const f32 z = reduce_sum(
        n, [&](i64 i, i64 w) { return keep_first(exp((load_n(x + i, w) - m) * it), w); });
    return splat(m[0] * it[0] + log(splat(z))[0]);
  };
  const V ls = lse_scaled(student), lt = lse_scaled(teacher);
  const V scale = splat(coef) * it;
  return reduce_sum(n, [&](i64 i, i64 w) {
    const V a = load_n(teacher + i, w) * it - lt;
    const V b = load_n(student + i, w) * it - ls;
    const V p = exp(a);
    if (want_grad) store_n(student + i, scale * (exp(b) - p), w);
    return keep_first(p > V{} ? p * (a - b) : V{}, w);
  });
}

}  // namespace

void install_loss(Kernels& table) {
  table.cross_entropy_row = cross_entropy_row;
  table.exp_sum = exp_sum;
  table.stats_row = stats_row;
  table.logprob_row_backward = logprob_row_backward;
  table.kl_row = kl_row;
}

}  // namespace lm::isa::LM_ISA
