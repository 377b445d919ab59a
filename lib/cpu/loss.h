#pragma once
// Losses on rows of logits. Only the first `vocab` columns of a row are read or written; padding
// columns beyond them are the caller's.

#include "ops/rows.h"

namespace lm::cpu {

/// loss_i = w_i * (lse - (1-e) L[y] - e * mean(L) + z * lse^2), L = c tanh(logit/c) if softcap.
/// With want_grad the logits are overwritten by grad_scale * d loss_i / d logit; rows with target
/// kIgnoreTarget give loss 0 and gradient 0. Targets outside [0, vocab) else: Error{kInternal}.
struct CrossEntropy {
  i64 rows = 0, vocab = 0;
  f32* logits = nullptr;
  i64 ld = 0;
  const i32* target = nullptr;
  const f32* weight = nullptr;  // [rows] or null (ones)
  f32 softcap = 0, z_loss = 0, label_smoothing = 0;
  bool want_grad = true;
  f32 grad_scale = 1;   // 1 / normaliser
  f32* loss = nullptr;  // [rows] or null
  f32* lse = nullptr;   // [rows] or null
};
struct LossSum {
  f64 loss = 0;    // sum of loss_i
  f64 weight = 0;  // sum of w_i over counted rows
  i64 count = 0;   // rows counted
};
/// Loss sums in f64, row order.
LossSum cross_entropy(const CrossEntropy& args);

/// Statistics of the softmax of each row; null outputs are not computed. Logits are not changed.
/// target may be null if neither logprob nor rank is wanted; kIgnoreTarget rows get 0 and -1.
struct RowStats {
  i64 rows = 0, vocab = 0;
  const f32* logits = nullptr;
  i64 ld = 0;
  const i32* target = nullptr;
  f32 softcap = 0;
  f32* logprob = nullptr;  // [rows] log p(target), nats
  f32* entropy = nullptr;  // [rows] nats
  i32* rank = nullptr;     // [rows] number of ids with a larger logit, ties by lower id
  i32* argmax = nullptr;   // [rows] lowest id of the largest logit
  f32* lse = nullptr;      // [rows]
};
void row_stats(const RowStats& args);

/// ln of the sum of exp(x), x: [n] with n > 0, computed in f64; argmax, unless null: the lowest id
/// of the largest logit. NaN if an x is NaN or infinite upwards, or all are -infinity. Serial; 21
/// us for 32,000 logits with AVX-512.
f64 log_sum_exp(i64 n, const f32* x, i64* argmax = nullptr);

/// Gradient of sum_i coef_i * log p(target_i) with respect to the logits, in place of them, from
/// the saved lse: coef_i * (onehot - p), times the softcap derivative. For policy and preference
/// objectives. Rows with kIgnoreTarget become 0.
void logprob_backward(i64 rows, i64 vocab, f32* logits, i64 ld, const i32* target, const f32* lse,
                      const f32* coef, f32 softcap);

/// KL(teacher || student) per row, both given as logits with temperature t; student logits become
/// grad_scale * w_i * dKL/dlogit when want_grad. Returns the weighted f64 sum in row order.
f64 kl_to_teacher(i64 rows, i64 vocab, f32* student, i64 lds, const f32* teacher, i64 ldt,
                  f32 temperature, const f32* weight, bool want_grad, f32 grad_scale, f32* kl);

}  // namespace lm::cpu
