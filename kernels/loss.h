#pragma once
// Losses on rows of logits [rows, ld] of type T (f32, Bf16), of which the first `vocab` columns are
// real; everything else is f32. Formulas: cpu/loss.h. Targets outside [0, vocab) other than the
// ignored one are reported to `fault` and treated as ignored.

#include "bf16.h"
#include "fault.h"

namespace lm::cuda {

/// loss[r] = weight[r] (lse - (1-e) L[y] - e mean L + z lse^2), 0 for ignored rows. want_grad: the
/// logits become d loss / d logit.
template <typename T>
struct CrossEntropy {
  i64 rows = 0, vocab = 0;
  T* logits = nullptr;
  i64 ld = 0;
  const i32* target = nullptr;
  const f32* weight = nullptr;  // null: ones
  f32 softcap = 0, z_loss = 0, label_smoothing = 0;
  bool want_grad = false;
  f32* loss = nullptr;  // [rows] or null
  f32* lse = nullptr;   // [rows] or null
};
template <typename T>
void cross_entropy(const CrossEntropy<T>& ce, Fault* fault, Stream* stream);

/// Statistics of the softmax of each row; null outputs are not computed. Ignored rows, and all when
/// target is null, get log-probability 0 and rank -1. Ties: lower id first.
template <typename T>
struct RowStats {
  i64 rows = 0, vocab = 0;
  const T* logits = nullptr;
  i64 ld = 0;
  const i32* target = nullptr;
  f32 softcap = 0;
  f32* logprob = nullptr;
  f32* entropy = nullptr;
  i32* argmax = nullptr;
  i32* rank = nullptr;
};
template <typename T>
void row_stats(const RowStats<T>& s, Fault* fault, Stream* stream);

/// out[r] = (sum ? sum[0] : 0) + (each ? each[r] : 0), times weight[r] if given.
void upstream_weights(i64 rows, const f32* sum, const f32* each, const f32* weight, f32* out,
                      Stream* stream);

}  // namespace lm::cuda
