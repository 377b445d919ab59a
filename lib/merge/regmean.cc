// regmean: the matrix whose outputs are closest to those of all models on their own inputs. With
// G_i = X_i' X_i, off-diagonals scaled by alpha: W = (sum_i W_i G_i) (sum_i G_i)^-1 for weights
// [out, in]. Jin et al. 2023. Other tensors, and matrices without Gram matrices, are averaged.

#include <algorithm>
#include <cmath>

#include "core/str.h"
#include "merge/makers.h"
#include "merge/source.h"
#include "merge/vectorised.h"

namespace lm::merge {

namespace {

template <class A>
f64 dot(const f64* a, const A* b, i64 count) {
  f64 sum = 0;
  vectorised([&]() LM_INLINE {
    sum = lane_sum(count, [&](i64 i) LM_INLINE { return a[i] * static_cast<f64>(b[i]); });
  });
  return sum;
}

/// L of A = L L', in the lower triangle of a. False unless A is positive definite.
bool factorise(std::vector<f64>& a, i64 n) {
  for (i64 i = 0; i < n; ++i) {
    f64* const row = a.data() + i * n;
    for (i64 j = 0; j <= i; ++j) {
      const f64* const other = a.data() + j * n;
      const f64 rest = row[j] - dot<f64>(row, other, j);
      if (i == j) {
        if (!(rest > 0)) return false;
        row[i] = std::sqrt(rest);
      } else {
        row[j] = rest / other[j];
      }
    }
  }
  return true;
}

template <class A>
class RegMean final : public Kernel<A> {
 public:
  explicit RegMean(const Job& job)
      : cols_(job.cols()),
        charge_(*job.memory, (isize(job.models) + 2) * cols_ * cols_ * 8,
                cat("the Gram matrices of tensor ", quote(job.name, 200))) {
    const f64 alpha = job.value("alpha");
    factor_.assign(usize(cols_ * cols_), 0.0);
    for (const TensorSource* const source : job.aux_sources) {
      std::vector<f64>& gram = grams_.emplace_back(usize(cols_ * cols_));
      source->load(0, cols_ * cols_, gram.data());
      for (i64 i = 0; i < cols_ * cols_; ++i) {
        if (i / cols_ != i % cols_) gram[usize(i)] *= alpha;
        factor_[usize(i)] += gram[usize(i)];
      }
    }
    if (!factorise(factor_, cols_)) {
      throw Error(ErrorKind::kData,
                  cat("tensor ", quote(job.name, 200),
                      ": its Gram matrices add up to one that is not positive definite"),
                  "an alpha below 1 makes the diagonal weigh more");
    }
    // The upper triangle gets L', so that both substitutions run along rows.
    for (i64 i = 0; i < cols_; ++i) {
      for (i64 j = i + 1; j < cols_; ++j)
        factor_[usize(i * cols_ + j)] = factor_[usize(j * cols_ + i)];
    }
  }

  Cut cut() const override { return Cut::kRows; }
  void combine(const Chunk<A>& in, A* out) const override {
    std::vector<f64>& solution = in.work->wide;
    for (i64 at = 0; at < in.count; at += cols_) {
      solution.assign(usize(cols_), 0.0);
      for (std::size_t m = 0; m < in.x.size(); ++m) {
        for (i64 c = 0; c < cols_; ++c)
          solution[usize(c)] += dot(grams_[m].data() + c * cols_, in.x[m] + at, cols_);
      }
      solve(solution);
      for (i64 c = 0; c < cols_; ++c)
        out[at + c] = static_cast<A>(solution[usize(c)]);
    }
  }

 private:
  void solve(std::vector<f64>& v) const {
    for (i64 i = 0; i < cols_; ++i) {
      const f64* const row = factor_.data() + i * cols_;
      v[usize(i)] = (v[usize(i)] - dot<f64>(row, v.data(), i)) / row[i];
    }
    for (i64 i = cols_; i-- > 0;) {
      const f64* const row = factor_.data() + i * cols_;
      const f64 above = dot<f64>(row + i + 1, v.data() + i + 1, cols_ - i - 1);
      v[usize(i)] = (v[usize(i)] - above) / row[i];
    }
  }

  i64 cols_;
  MemoryCharge charge_;
  std::vector<std::vector<f64>> grams_;
  std::vector<f64> factor_;
};

}  // namespace

template <class A>
KernelPtr<A> make_regmean(const Job& job) {
  if (job.aux_sources.empty()) return make_mean<A>(job);
  return std::make_unique<RegMean<A>>(job);
}
template KernelPtr<f32> make_regmean(const Job&);
template KernelPtr<f64> make_regmean(const Job&);

}  // namespace lm::merge
