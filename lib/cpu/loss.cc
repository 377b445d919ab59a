#include "cpu/loss.h"

#include <cmath>
#include <vector>

#include "core/error.h"
#include "cpu/rows.h"

namespace lm::cpu {

namespace {

void check_targets(i64 rows, i64 vocab, const i32* target) {
  for (i64 r = 0; r < rows; ++r) {
    LM_CHECK(target[r] == kIgnoreTarget || (target[r] >= 0 && target[r] < vocab),
             "a loss target lies outside the vocabulary");
  }
}

}  // namespace

LossSum cross_entropy(const CrossEntropy& args) {
  check_targets(args.rows, args.vocab, args.target);
  const isa::Kernels& isa = active();
  std::vector<f32> loss(usize(args.rows));
  for_rows(args.rows, 8 * args.vocab, [&](i64 r) {
    f32 lse = 0;
    isa.cross_entropy_row(args, r, &loss[usize(r)], &lse);
    if (args.loss != nullptr) args.loss[r] = loss[usize(r)];
    if (args.lse != nullptr) args.lse[r] = lse;
  });
  LossSum total;
  for (i64 r = 0; r < args.rows; ++r) {
    if (args.target[r] == kIgnoreTarget) continue;
    total.loss += static_cast<f64>(loss[usize(r)]);
    total.weight += args.weight != nullptr ? static_cast<f64>(args.weight[r]) : 1.0;
    ++total.count;
  }
  return total;
}

void row_stats(const RowStats& args) {
  if (args.target != nullptr) check_targets(args.rows, args.vocab, args.target);
  LM_CHECK(args.target != nullptr || (args.logprob == nullptr && args.rank == nullptr),
           "log-probability and rank need targets");
  const isa::Kernels& isa = active();
  for_rows(args.rows, 8 * args.vocab, [&](i64 r) { isa.stats_row(args, r); });
}

f64 log_sum_exp(i64 n, const f32* x, i64* argmax) {
  LM_CHECK(n > 0, "a row has logits");
  i64 best = 0;
  const f64 sum = active().exp_sum(n, x, &best);
  if (argmax != nullptr) *argmax = best;
  return static_cast<f64>(x[best]) + std::log(sum);
}

void logprob_backward(i64 rows, i64 vocab, f32* logits, i64 ld, const i32* target, const f32* lse,
                      const f32* coef, f32 softcap) {
  check_targets(rows, vocab, target);
  const isa::Kernels& isa = active();
  for_rows(rows, 8 * vocab, [&](i64 r) {
    isa.logprob_row_backward(vocab, logits + r * ld, target[r], lse[r], coef[r], softcap);
  });
}

f64 kl_to_teacher(i64 rows, i64 vocab, f32* student, i64 lds, const f32* teacher, i64 ldt,
                  f32 temperature, const f32* weight, bool want_grad, f32 grad_scale, f32* kl) {
  const isa::Kernels& isa = active();
  std::vector<f32> value(usize(rows));
  for_rows(rows, 8 * vocab, [&](i64 r) {
    const f32 w = weight != nullptr ? weight[r] : 1.0f;
    value[usize(r)] = isa.kl_row(vocab, student + r * lds, teacher + r * ldt, temperature,
                                 want_grad, w * grad_scale);
    if (kl != nullptr) kl[r] = value[usize(r)];
  });
  f64 total = 0;
  for (i64 r = 0; r < rows; ++r) {
    total +=
        static_cast<f64>(value[usize(r)]) * (weight != nullptr ? static_cast<f64>(weight[r]) : 1.0);
  }
  return total;
}

}  // namespace lm::cpu
