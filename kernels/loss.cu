// Loss rows. A block owns a row of f32 logits: maximum, sum of exponentials, loss,
// then (cross-entropy) the gradient over the logits. The target's logit is read, with a barrier
// after it, before any thread overwrites the row.

#include "block.h"
#include "element.h"
#include "loss.h"
#include "report.h"

namespace lm::cuda {

namespace {

constexpr i32 kIgnored = -100;

LM_DEVICE f32 capped(f32 x, f32 cap) {
  return cap > 0 ? cap * tanhf(x / cap) : x;
}

template <typename T>
LM_DEVICE f32 row_lse(i64 n, const T* x, f32 cap) {
  f32 top = -INFINITY;
  for (i64 i = cu::thread(); i < n; i += cu::block_size()) {
    const f32 v = capped(widen(x[i]), cap);
    top = v > top ? v : top;
  }
  top = cu::block_max(top);
  f32 sum = 0;
  for (i64 i = cu::thread(); i < n; i += cu::block_size())
    sum += expf(capped(widen(x[i]), cap) - top);
  return top + logf(cu::block_sum(sum));
}

// The row's target, ignored if it is not a word.
LM_DEVICE i32 row_target(const i32* target, i64 r, i64 vocab, Fault* fault) {
  const i32 y = target == nullptr ? kIgnored : target[r];
  if (y == kIgnored || (y >= 0 && y < vocab)) return y;
  if (cu::thread() == 0) report(fault, FaultKind::kTarget, r, y, vocab);
  return kIgnored;
}

template <typename T>
LM_GLOBAL void cross_entropy_rows(CrossEntropy<T> a, Fault* fault) {
  const i64 n = a.vocab;
  for (i64 r = cu::block(); r < a.rows; r += cu::grid_size()) {
    T* x = a.logits + r * a.ld;
    const i32 y = row_target(a.target, r, n, fault);
    const f32 lse = row_lse(n, x, a.softcap);
    const bool counted = y != kIgnored;
    const f32 e = a.label_smoothing;
    f32 mean = 0;
    if (e > 0) {
      for (i64 i = cu::thread(); i < n; i += cu::block_size())
        mean += capped(widen(x[i]), a.softcap);
      mean = cu::block_sum(mean) / static_cast<f32>(n);
    }
    const f32 at_target = counted ? capped(widen(x[y]), a.softcap) : 0.0f;
    const f32 weight = counted ? (a.weight == nullptr ? 1.0f : a.weight[r]) : 0.0f;
    if (cu::thread() == 0) {
      const f32 loss = lse - (1.0f - e) * at_target - e * mean + a.z_loss * lse * lse;
      if (a.loss != nullptr) a.loss[r] = counted ? weight * loss : 0.0f;
      if (a.lse != nullptr) a.lse[r] = lse;
    }
    if (!a.want_grad) continue;
    cu::sync();  // everyone has read x[y]
    const f32 up = weight * (1.0f + 2.0f * a.z_loss * lse);
    const f32 flat = weight * e / static_cast<f32>(n);
    for (i64 i = cu::thread(); i < n; i += cu::block_size()) {
      const f32 l = capped(widen(x[i]), a.softcap);
      f32 g = up * expf(l - lse) - flat;
      if (i == y) g -= weight * (1.0f - e);
      if (a.softcap > 0) {
        const f32 t = l / a.softcap;
        g *= 1.0f - t * t;
      }
      x[i] = narrow<T>(counted ? g : 0.0f);
    }
  }
}

// Position of the largest value, lowest index among equals.
template <typename T>
LM_DEVICE i32 row_argmax(i64 n, const T* x) {
  f32 top = -INFINITY;
  for (i64 i = cu::thread(); i < n; i += cu::block_size())
    top = widen(x[i]) > top ? widen(x[i]) : top;
  top = cu::block_max(top);
  i64 first = n;
  for (i64 i = cu::thread(); i < n; i += cu::block_size()) {
    if (widen(x[i]) == top && i < first) first = i;
  }
  // The smallest index is minus the largest of the negated: exact in f32 below 2^24 ids.
  const i32 best = static_cast<i32>(-cu::block_max(-static_cast<f32>(first)));
  return best < n ? best : 0;
}

template <typename T>
LM_GLOBAL void stats_rows(RowStats<T> a, Fault* fault) {
  const i64 n = a.vocab;
  for (i64 r = cu::block(); r < a.rows; r += cu::grid_size()) {
    const T* x = a.logits + r * a.ld;
    const i32 y = row_target(a.target, r, n, fault);
    const bool counted = y != kIgnored;
    const f32 lse = row_lse(n, x, a.softcap);
    if (a.logprob != nullptr && cu::thread() == 0) {
      a.logprob[r] = counted ? capped(widen(x[y]), a.softcap) - lse : 0.0f;
    }
    if (a.entropy != nullptr) {
      f32 sum = 0;
      for (i64 i = cu::thread(); i < n; i += cu::block_size()) {
        const f32 d = capped(widen(x[i]), a.softcap) - lse;
        const f32 p = expf(d);
        if (p > 0) sum -= p * d;
      }
      sum = cu::block_sum(sum);
      if (cu::thread() == 0) a.entropy[r] = sum;
    }
    if (a.argmax != nullptr) {
      const i32 best = row_argmax(n, x);
      if (cu::thread() == 0) a.argmax[r] = best;
    }
    if (a.rank != nullptr) {
      f32 above = 0;
      const f32 mine = counted ? widen(x[y]) : 0.0f;
      for (i64 i = cu::thread(); counted && i < n; i += cu::block_size()) {
        const f32 v = widen(x[i]);
        if (v > mine || (v == mine && i < y)) above += 1.0f;
      }
      above = cu::block_sum(above);
      if (cu::thread() == 0) a.rank[r] = counted ? static_cast<i32>(above) : -1;
    }
  }
}

LM_GLOBAL void weigh_rows(i64 rows, const f32* sum, const f32* each, const f32* weight, f32* out) {
  for (i64 r = cu::index(); r < rows; r += cu::stride()) {
    const f32 d = (sum == nullptr ? 0.0f : sum[0]) + (each == nullptr ? 0.0f : each[r]);
    out[r] = weight == nullptr ? d : d * weight[r];
  }
}

}  // namespace

template <typename T>
void cross_entropy(const CrossEntropy<T>& ce, Fault* fault, Stream* stream) {
  cu::launch("cross_entropy", cross_entropy_rows<T>, cu::blocks_for(ce.rows, 1),
             cu::row_threads(ce.vocab), stream, ce, fault);
}

template <typename T>
void row_stats(const RowStats<T>& s, Fault* fault, Stream* stream) {
  cu::launch("row_stats", stats_rows<T>, cu::blocks_for(s.rows, 1), cu::row_threads(s.vocab),
             stream, s, fault);
}

template void cross_entropy(const CrossEntropy<f32>&, Fault*, Stream*);
template void cross_entropy(const CrossEntropy<Bf16>&, Fault*, Stream*);
template void row_stats(const RowStats<f32>&, Fault*, Stream*);
template void row_stats(const RowStats<Bf16>&, Fault*, Stream*);

void upstream_weights(i64 rows, const f32* sum, const f32* each, const f32* weight, f32* out,
                      Stream* stream) {
  cu::launch("upstream_weights", weigh_rows, cu::blocks_for(rows, 256), 256, stream, rows, sum,
             each, weight, out);
}

}  // namespace lm::cuda
