// Loss rows. A block owns a row of logits of T (f32, bf16): maximum, sum of exponentials, loss,
// then (cross-entropy) the gradient over the logits; f32 inside. The target's logit is read, with a
// barrier after it, before any thread overwrites the row. Cross-entropy of rows of packs at 16-byte
// boundaries reads a row once: of 512 threads each keeps 8 packs (f32: 7) in registers and 5 in
// shared memory, 53,248 bf16 or 24,576 f32 with two blocks on a multiprocessor, and only what is
// longer is read again. Other rows, and the statistics, read the row again for every step.
// H200, test-gpu [figures], rows of 50,304 bf16 (a copy: 3.86 TB/s): cross-entropy with gradient
// 2.83 TB/s, without 2.49.

#include "block.h"
#include "functions.h"
#include "held.h"
#include "loss.h"
#include "ops/rows.h"
#include "report.h"

namespace lm::cuda {

namespace {

template <typename T>
LM_DEVICE f32 capped(f32 x, f32 cap) {
  return cap > 0 ? cap * Exact<T>::tanh(x / cap) : x;
}

template <typename T>
LM_DEVICE f32 row_lse(i64 n, const T* x, f32 cap) {
  f32 top = -INFINITY;
  for (i64 i = cu::thread(); i < n; i += cu::block_size()) {
    const f32 v = capped<T>(widen(x[i]), cap);
    top = v > top ? v : top;
  }
  top = cu::block_max(top);
  f32 sum = 0;
  for (i64 i = cu::thread(); i < n; i += cu::block_size())
    sum += Exact<T>::exp(capped<T>(widen(x[i]), cap) - top);
  return top + logf(cu::block_sum(sum));
}

// The row's target, ignored if it is not a word.
LM_DEVICE i32 row_target(const i32* target, i64 r, i64 vocab, Fault* fault) {
  const i32 y = target == nullptr ? kIgnoreTarget : target[r];
  if (y == kIgnoreTarget || (y >= 0 && y < vocab)) return y;
  if (cu::thread() == 0) report(fault, FaultKind::kTarget, r, y, vocab);
  return kIgnoreTarget;
}

// What the gradient of a row is made of: g = up e^(l - lse) - flat, less `hit` at the target.
struct RowGrad {
  f32 lse = 0, up = 0, flat = 0, hit = 0, cap = 0;
};
// The row's loss and log-sum-exp are stored by one thread.
template <typename T>
LM_DEVICE RowGrad finish_row(const CrossEntropy<T>& a, i64 r, bool counted, f32 lse, f32 at_target,
                             f32 mean) {
  const f32 e = a.label_smoothing;
  const f32 weight = counted ? (a.weight == nullptr ? 1.0f : a.weight[r]) : 0.0f;
  if (cu::thread() == 0) {
    const f32 loss = lse - (1.0f - e) * at_target - e * mean + a.z_loss * lse * lse;
    if (a.loss != nullptr) a.loss[r] = counted ? weight * loss : 0.0f;
    if (a.lse != nullptr) a.lse[r] = lse;
  }
  RowGrad g;
  g.lse = lse;
  g.up = weight * (1.0f + 2.0f * a.z_loss * lse);
  g.flat = weight * e / static_cast<f32>(a.vocab);
  g.hit = weight * (1.0f - e);
  g.cap = a.softcap;
  return g;
}
// l: the capped logit.
template <typename T>
LM_DEVICE f32 grad_at(const RowGrad& row, f32 l, bool is_target) {
  f32 g = row.up * Exact<T>::exp(l - row.lse) - row.flat;
  if (is_target) g -= row.hit;
  if (row.cap > 0) {
    const f32 t = l / row.cap;
    g *= 1.0f - t * t;
  }
  return g;
}

template <typename T>
LM_GLOBAL void cross_entropy_rows(CrossEntropy<T> a, Fault* fault) {
  const i64 n = a.vocab;
  for (i64 r = cu::block(); r < a.rows; r += cu::grid_size()) {
    T* x = a.logits + r * a.ld;
    const i32 y = row_target(a.target, r, n, fault);
    const f32 lse = row_lse(n, x, a.softcap);
    const bool counted = y != kIgnoreTarget;
    f32 mean = 0;
    if (a.label_smoothing > 0) {
      for (i64 i = cu::thread(); i < n; i += cu::block_size())
        mean += capped<T>(widen(x[i]), a.softcap);
      mean = cu::block_sum(mean) / static_cast<f32>(n);
    }
    const f32 at_target = counted ? capped<T>(widen(x[y]), a.softcap) : 0.0f;
    const RowGrad g = finish_row(a, r, counted, lse, at_target, mean);
    if (!a.want_grad) continue;
    cu::sync();  // everyone has read x[y]
    for (i64 i = cu::thread(); i < n; i += cu::block_size()) {
      const f32 d = counted ? grad_at<T>(g, capped<T>(widen(x[i]), a.softcap), i == y) : 0.0f;
      x[i] = narrow<T>(d);
    }
  }
}

constexpr int kRowThreads = 512;
constexpr int kStored = 5;  // packs of a thread in shared memory

struct alignas(16) Words {
  u32 v[4];
};

// kPlain: no cap, no smoothing.
template <typename T, bool kPlain>
LM_GLOBAL LM_BOUNDS(kRowThreads, kPlain ? 2 : 1) void cross_entropy_packs(CrossEntropy<T> a,
                                                                          Fault* fault) {
  constexpr int kCount = Pack<T>::kCount;
  constexpr int kKept = sizeof(T) == 2 ? 8 : 7;  // packs of a thread in registers
  LM_SHARED(Words, stored, kStored * kRowThreads);
  const int n = static_cast<int>(a.vocab);
  const int packs = n / kCount;
  const f32 cap = kPlain ? 0.0f : a.softcap;
  const auto logit = [&](f32 v) { return kPlain ? v : capped<T>(v, cap); };
  for (i64 r = cu::block(); r < a.rows; r += cu::grid_size()) {
    T* x = a.logits + r * a.ld;
    // Elements behind the last pack: one for each of the first threads.
    const int behind = packs * kCount + cu::thread();
    const bool has_last = behind < n;
    const f32 last = has_last ? logit(widen(x[behind])) : 0.0f;
    Held<T> kept[kKept];
    LM_UNROLL
    for (int j = 0; j < kKept; ++j) {
      const int p = j * kRowThreads + cu::thread();
      if (p < packs) kept[j] = hold(x + p * kCount);
    }
    const i32 y = row_target(a.target, r, a.vocab, fault);
    const bool counted = y != kIgnoreTarget;
    const f32 at_target = counted ? logit(widen(x[y])) : 0.0f;
    // use(pack, its number) for all packs of the thread.
    const auto each = [&](bool store, auto use) {
      LM_UNROLL
      for (int j = 0; j < kKept; ++j) {
        const int p = j * kRowThreads + cu::thread();
        if (p < packs) use(kept[j], p);
        kept[j].wait();
      }
      LM_UNROLL
      for (int j = 0; j < kStored; ++j) {
        const int p = (kKept + j) * kRowThreads + cu::thread();
        if (p >= packs) continue;
        const int slot = j * kRowThreads + cu::thread();
        Held<T> h;
        if (store) {
          h = hold(x + p * kCount);
          stored[slot] = Words{{h.word[0], h.word[1], h.word[2], h.word[3]}};
        } else {
          const Words w = stored[slot];
          LM_UNROLL
          for (int i = 0; i < 4; ++i)
            h.word[i] = w.v[i];
        }
        use(h, p);
      }
      for (int p = (kKept + kStored) * kRowThreads + cu::thread(); p < packs; p += kRowThreads)
        use(hold(x + p * kCount), p);
    };
    f32 top = has_last ? last : -INFINITY;
    each(true, [&](const Held<T>& h, int) {
      LM_UNROLL
      for (int k = 0; k < kCount; ++k) {
        const f32 l = logit(h.at(k));
        top = l > top ? l : top;
      }
    });
    top = cu::block_max(top);
    f32 sum = has_last ? Exact<T>::exp(last - top) : 0.0f;
    f32 mean = last;
    each(false, [&](const Held<T>& h, int) {
      LM_UNROLL
      for (int k = 0; k < kCount; ++k) {
        const f32 l = logit(h.at(k));
        sum += Exact<T>::exp(l - top);
        if (!kPlain) mean += l;
      }
    });
    const f32 lse = top + logf(cu::block_sum(sum));
    mean = !kPlain && a.label_smoothing > 0 ? cu::block_sum(mean) / static_cast<f32>(n) : 0.0f;
    RowGrad g = finish_row(a, r, counted, lse, at_target, mean);
    g.cap = cap;
    if constexpr (kPlain) g.flat = 0;
    if (!a.want_grad) continue;
    if (!counted) {
      for (int p = cu::thread(); p < packs; p += kRowThreads)
        put(x + p * kCount, Held<T>{});
      if (has_last) x[behind] = narrow<T>(0.0f);
      continue;
    }
    each(false, [&](const Held<T>& h, int p) {
      f32 out[kCount];
      const int hit = y - p * kCount;
      if constexpr (kPlain) {
        LM_UNROLL
        for (int k = 0; k < kCount; ++k)
          out[k] = g.up * Exact<T>::exp(h.at(k) - lse);
        if (hit >= 0 && hit < kCount) {
          LM_UNROLL
          for (int k = 0; k < kCount; ++k)
            out[k] -= k == hit ? g.hit : 0.0f;
        }
      } else {
        LM_UNROLL
        for (int k = 0; k < kCount; ++k)
          out[k] = grad_at<T>(g, logit(h.at(k)), k == hit);
      }
      put(x + p * kCount, hold_narrowed<T>(out));
    });
    if (has_last) x[behind] = narrow<T>(grad_at<T>(g, last, behind == y));
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
    const bool counted = y != kIgnoreTarget;
    const f32 lse = row_lse(n, x, a.softcap);
    if (a.logprob != nullptr && cu::thread() == 0) {
      a.logprob[r] = counted ? capped<T>(widen(x[y]), a.softcap) - lse : 0.0f;
    }
    if (a.entropy != nullptr) {
      f32 sum = 0;
      for (i64 i = cu::thread(); i < n; i += cu::block_size()) {
        const f32 d = capped<T>(widen(x[i]), a.softcap) - lse;
        const f32 p = Exact<T>::exp(d);
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
  const i64 blocks = cu::blocks_for(ce.rows, 1);
  const bool plain = ce.softcap <= 0 && ce.label_smoothing <= 0;
  if (packable(ce.logits, ce.ld) && ce.vocab < (i64{1} << 30)) {
    cu::launch("cross_entropy",
               plain ? cross_entropy_packs<T, true> : cross_entropy_packs<T, false>, blocks,
               kRowThreads, stream, ce, fault);
  } else {
    cu::launch("cross_entropy", cross_entropy_rows<T>, blocks, cu::row_threads(ce.vocab), stream,
               ce, fault);
  }
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
