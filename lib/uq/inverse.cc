#include "uq/inverse.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"

namespace lm::uq {

namespace {

constexpr f64 kFold = 0.36787944117144233;  // 1/e, where -p ln p is largest

f64 surprise(f64 p) {
  return p > 0 ? -p * std::log(p) : 0;
}

}  // namespace

void InverseMeasures::add(const InverseMeasures& other) {
  inv_entropy += other.inv_entropy;
  ni_entropy += other.ni_entropy;
  wd_px_py += other.wd_px_py;
  inv_max_pyx += other.inv_max_pyx;
  inv_max_py += other.inv_max_py;
  inv_trace += other.inv_trace;
  inv_dual += other.inv_dual;
  spuq += other.spuq;
  nonmonotone = nonmonotone || other.nonmonotone;
}

void InverseMeasures::divide(f64 n) {
  for (f64* value : {&inv_entropy, &ni_entropy, &wd_px_py, &inv_max_pyx, &inv_max_py, &inv_trace,
                     &inv_dual, &spuq})
    *value /= n;
}

void normalise_rows(std::span<f64> s, i64 n) {
  for (i64 i = 0; i < n; ++i) {
    const std::span<f64> row = s.subspan(usize(i * n), usize(n));
    const f64 sum = std::accumulate(row.begin(), row.end(), 0.0);
    LM_CHECK(sum > 0, "every wording is like itself");
    for (f64& v : row)
      v /= sum;
  }
}

void InverseDraw::set_prompts(std::span<const f64> sx, i64 n) {
  LM_CHECK(isize(sx) == n * n, "a square matrix");
  n_ = n;
  sx_.assign(sx.begin(), sx.end());
  px_ = sx_;
  normalise_rows(px_, n);
  sx_weight_ = 0;
  for (i64 i = 0; i < n; ++i)
    sx_weight_ +=
        std::accumulate(&sx_[usize(i * n)], &sx_[usize(i * n)] + n, 0.0) - sx_[usize(i * (n + 1))];
  for (std::vector<f64>* list :
       {&inverse_sum_, &product_, &p_answer_, &p_step_, &p_prompt_, &p_same_})
    list->resize(usize(n));
}

// S^y is symmetric, so that P_y[i,k] = S^y[k,i] / sum of row i: every sum below runs along rows,
// and P_y is never made.
InverseMeasures InverseDraw::measure(std::span<const f64> sy) {
  // Nine rewordings, the usual number, with loops of known length.
  return n_ == 10 ? measure_of<10>(sy) : measure_of<0>(sy);
}

template <i64 known>
InverseMeasures InverseDraw::measure_of(std::span<const f64> sy) {
  const i64 n = known > 0 ? known : n_;
  LM_CHECK(isize(sy) == n * n, "answers to every wording");
  InverseMeasures out;
  // Sums of known length stay in registers: nothing else can point to them.
  f64 local[6][known > 0 ? known : 1] = {};
  const auto sums = [&](i64 which, std::vector<f64>& list) {
    if constexpr (known > 0) {
      return &local[which][0];
    } else {
      std::fill(list.begin(), list.end(), 0.0);
      return list.data();
    }
  };
  f64* const inverse_sum = sums(0, inverse_sum_);
  f64* const product = sums(1, product_);
  f64* const p_answer = sums(2, p_answer_);
  f64* const p_step = sums(3, p_step_);
  f64* const p_prompt = sums(4, p_prompt_);
  f64* const p_same = sums(5, p_same_);
  f64 same = 0;
  for (i64 k = 0; k < n; ++k) {
    const f64* row = &sy[usize(k * n)];
    const f64* px = &px_[usize(k * n)];
    const f64* sx = &sx_[usize(k * n)];
    // Column i of the products is row i: the rows' sums grow side by side, each in its own order.
    for (i64 i = 0; i < n; ++i) {
      inverse_sum[i] += row[i];
      p_same[i] += row[i] * px[i];
      product[i] += row[i] * sx[i];
    }
  }
  for (i64 k = 0; k < n; ++k)
    same += product[k] - sy[usize(k * (n + 1))] * sx_[usize(k * (n + 1))];
  for (i64 i = 0; i < n; ++i) {
    LM_CHECK(inverse_sum[i] > 0, "every answer is like itself");
    inverse_sum[i] = 1 / inverse_sum[i];
    p_same[i] *= inverse_sum[i];
  }
  for (i64 k = 0; k < n; ++k) {
    const f64 weight = inverse_sum[k] / static_cast<f64>(n);
    for (i64 j = 0; j < n; ++j)
      p_answer[j] += weight * sy[usize(k * n + j)];
  }
  for (i64 k = 0; k < n; ++k) {
    const f64 weight = p_answer[k] * inverse_sum[k];
    for (i64 j = 0; j < n; ++j)
      p_step[j] += weight * sy[usize(k * n + j)];
  }
  for (i64 k = 0; k < n; ++k) {
    for (i64 j = 0; j < n; ++j)
      p_prompt[j] += p_step[k] * px_[usize(k * n + j)];
  }
  for (i64 i = 0; i < n; ++i) {
    const f64 p = p_same[i];
    const f64 q = p * p_answer[i] / p_prompt[i];
    out.inv_entropy += surprise(p);
    out.ni_entropy += surprise(q);
    out.nonmonotone = out.nonmonotone || p > kFold;
    out.inv_max_pyx = std::max(out.inv_max_pyx, q);
    out.inv_max_py = std::max(out.inv_max_py, p_answer[i]);
    out.inv_trace += p;
    out.inv_dual += sy[usize(i * (n + 1))] * inverse_sum[i];
  }
  // Wordings with nothing in common weigh their answers equally: not at all.
  out.spuq = sx_weight_ > 0 ? 1 - same / sx_weight_ : std::nan("");
  std::sort(p_prompt, p_prompt + n);
  std::sort(p_answer, p_answer + n);
  for (i64 i = 0; i < n; ++i)
    out.wd_px_py += std::abs(p_prompt[i] - p_answer[i]) / static_cast<f64>(n);
  return out;
}

InverseResult inverse_measures(std::span<const f64> sx, std::span<const std::vector<i32>> answers,
                               const Similarities& alike, i64 draws, u64 seed, u64 question,
                               InverseDraw& worker) {
  const i64 n = isize(answers);
  worker.set_prompts(sx, n);
  const RandomStream random(seed, RandomPurpose::kOther, mix64(question ^ fnv1a64("inverse")));
  std::vector<f64> sy(usize(n * n));
  std::vector<i64> row(usize(n));
  InverseResult out;
  for (i64 d = 0; d < draws; ++d) {
    for (i64 i = 0; i < n; ++i) {
      const std::vector<i32>& of = answers[usize(i)];
      const u64 pick = random.below(static_cast<u64>(d * n + i), of.size());
      row[usize(i)] = alike.row[usize(of[pick])];
    }
    // Symmetric: the columns are gathered once.
    for (i64 i = 0; i < n; ++i) {
      const f64* const line = &alike.matrix[usize(row[usize(i)] * alike.rows)];
      f64* const to = &sy[usize(i * n)];
      for (i64 j = 0; j < i; ++j)
        to[j] = sy[usize(j * n + i)];
      for (i64 j = i; j < n; ++j)
        to[j] = line[row[usize(j)]];
    }
    const InverseMeasures one = worker.measure(sy);
    if (d == 0) out.single = one.inv_entropy;
    out.mean.add(one);
  }
  out.mean.divide(static_cast<f64>(draws));
  return out;
}

}  // namespace lm::uq
