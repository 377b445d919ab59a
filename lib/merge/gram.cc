#include "merge/gram.h"

#include <cmath>
#include <functional>

#include "core/str.h"
#include "merge/makers.h"
#include "merge/vectorised.h"

namespace lm::merge {

namespace {

using BlendRule = std::function<Blend(const Gram&)>;

template <class A>
f64 dot(const A* a, const A* b, i64 count) {
  f64 sum = 0;
  vectorised([&]() LM_INLINE {
    sum = lane_sum(
        count, [&](i64 i) LM_INLINE { return static_cast<f64>(a[i]) * static_cast<f64>(b[i]); });
  });
  return sum;
}

// The vectors that are blended: models, or task vectors where there is a base.
template <class A>
std::vector<const A*> vectors(const Chunk<A>& in) {
  std::vector<const A*> out(in.x.begin(), in.x.end());
  if (in.base == nullptr) return out;
  std::vector<std::vector<A>>& parts = in.work->parts;
  if (parts.size() < out.size()) parts.resize(out.size());
  for (std::size_t m = 0; m < out.size(); ++m) {
    parts[m].resize(usize(in.count));
    A* const part = parts[m].data();
    const A* const x = in.x[m];
    const A* const base = in.base;
    vectorised([&]() LM_INLINE {
      for (i64 i = 0; i < in.count; ++i)
        part[i] = x[i] - base[i];
    });
    out[m] = part;
  }
  return out;
}

// out = sum_m c_m v_m + base.
template <class A>
void mix(std::span<const A* const> v, const A* base, std::span<const f64> coefficients, i64 count,
         A* out) {
  for (std::size_t m = 0; m < v.size(); ++m) {
    const A c = static_cast<A>(coefficients[m]);
    const A* const x = v[m];
    const bool begins = m == 0;
    vectorised([&]() LM_INLINE {
      if (begins) {
        for (i64 i = 0; i < count; ++i)
          out[i] = c * x[i];
      } else {
        for (i64 i = 0; i < count; ++i)
          out[i] += c * x[i];
      }
    });
  }
  if (base == nullptr) return;
  vectorised([&]() LM_INLINE {
    for (i64 i = 0; i < count; ++i)
      out[i] += base[i];
  });
}

// Coefficients for the whole tensor.
template <class A>
class WholeBlend final : public Kernel<A> {
 public:
  WholeBlend(const Job& job, BlendRule rule)
      : name_(job.name), models_(isize(job.models)), rule_(std::move(rule)) {}

  std::optional<PassNeeds> next_pass() override {
    if (known_) return std::nullopt;
    return PassNeeds{.sums = models_ * (models_ + 1) / 2};
  }
  void observe(const Chunk<A>& in, const Partial& out) override {
    const std::vector<const A*> v = vectors(in);
    std::size_t at = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      for (std::size_t j = i; j < v.size(); ++j)
        out.sums[at++] += dot(v[i], v[j], in.count);
    }
  }
  void end_pass(const Totals& totals) override {
    try {
      blend_ = rule_(Gram(models_, totals.sums));
    } catch (const Error& e) {
      throw e.with_prefix(cat("tensor ", quote(name_, 200)));
    }
    known_ = true;
  }
  void combine(const Chunk<A>& in, A* out) const override {
    const std::vector<const A*> v = vectors(in);
    mix<A>(v, in.base, blend_.coefficients, in.count, out);
  }
  std::string note() const override { return blend_.note; }

 private:
  std::string name_;
  i64 models_;
  BlendRule rule_;
  bool known_ = false;
  Blend blend_;
};

// Coefficients for each row, which is there as a whole when it is needed.
template <class A>
class RowBlend final : public Kernel<A> {
 public:
  explicit RowBlend(BlendRule rule) : rule_(std::move(rule)) {}
  Cut cut() const override { return Cut::kRows; }
  void combine(const Chunk<A>& in, A* out) const override {
    const std::vector<const A*> v = vectors(in);
    std::vector<const A*> row(v.size());
    Gram gram(isize(v));
    for (i64 at = 0; at < in.count; at += in.cols) {
      for (std::size_t m = 0; m < v.size(); ++m)
        row[m] = v[m] + at;
      for (i64 i = 0; i < gram.size(); ++i) {
        for (i64 j = i; j < gram.size(); ++j)
          gram.set(i, j, dot(row[usize(i)], row[usize(j)], in.cols));
      }
      mix<A>(row, in.base != nullptr ? in.base + at : nullptr, rule_(gram).coefficients, in.cols,
             out + at);
    }
  }

 private:
  BlendRule rule_;
};

// nuslerp over the columns of two models.
template <class A>
class ColumnBlend final : public Kernel<A> {
 public:
  ColumnBlend(const Job& job, f64 t) : cols_(job.cols()), t_(t) {}
  Cut cut() const override { return Cut::kRows; }
  std::optional<PassNeeds> next_pass() override {
    if (!first_.empty()) return std::nullopt;
    return PassNeeds{.sums = 3 * cols_};
  }
  void observe(const Chunk<A>& in, const Partial& out) override {
    const std::vector<const A*> v = vectors(in);
    for (i64 at = 0; at < in.count; at += cols_) {
      const A* const a = v[0] + at;
      const A* const b = v[1] + at;
      f64* const sums = out.sums.data();
      vectorised([&]() LM_INLINE {
        for (i64 c = 0; c < cols_; ++c) {
          sums[c] += static_cast<f64>(a[c]) * static_cast<f64>(a[c]);
          sums[cols_ + c] += static_cast<f64>(a[c]) * static_cast<f64>(b[c]);
          sums[2 * cols_ + c] += static_cast<f64>(b[c]) * static_cast<f64>(b[c]);
        }
      });
    }
  }
  void end_pass(const Totals& totals) override {
    Gram gram(2);
    for (i64 c = 0; c < cols_; ++c) {
      gram.set(0, 0, totals.sums[usize(c)]);
      gram.set(0, 1, totals.sums[usize(cols_ + c)]);
      gram.set(1, 1, totals.sums[usize(2 * cols_ + c)]);
      const Blend blend = nuslerp_blend(gram, t_);
      first_.push_back(static_cast<A>(blend.coefficients[0]));
      second_.push_back(static_cast<A>(blend.coefficients[1]));
    }
  }
  void combine(const Chunk<A>& in, A* out) const override {
    const std::vector<const A*> v = vectors(in);
    for (i64 at = 0; at < in.count; at += cols_) {
      for (i64 c = 0; c < cols_; ++c) {
        const A value = first_[usize(c)] * v[0][at + c] + second_[usize(c)] * v[1][at + c];
        out[at + c] = in.base != nullptr ? value + in.base[at + c] : value;
      }
    }
  }

 private:
  i64 cols_;
  f64 t_;
  std::vector<A> first_;
  std::vector<A> second_;
};

}  // namespace

template <class A>
KernelPtr<A> make_slerp(const Job& job) {
  const f64 t = job.value("t");
  const f64 threshold = job.value("lerp_threshold");
  return std::make_unique<WholeBlend<A>>(
      job, [=](const Gram& gram) { return slerp_blend(gram, t, threshold); });
}

template <class A>
KernelPtr<A> make_nuslerp(const Job& job) {
  const std::vector<f64>& weights = job.each("weight");
  const f64 sum = weights[0] + weights[1];
  const f64 t = std::fabs(sum) < 1e-6 ? 0.5 : weights[1] / sum;
  const BlendRule rule = [t](const Gram& gram) { return nuslerp_blend(gram, t); };
  if (job.on("flatten") || job.shape.rank < 2) return std::make_unique<WholeBlend<A>>(job, rule);
  if (job.on("row_wise")) return std::make_unique<RowBlend<A>>(rule);
  return std::make_unique<ColumnBlend<A>>(job, t);
}

template <class A>
KernelPtr<A> make_multislerp(const Job& job) {
  std::vector<f64> weights = job.each("weight");
  f64 sum = 0;
  for (const f64 weight : weights)
    sum += weight;
  if (job.on("normalize_weights") && sum != 0) {
    for (f64& weight : weights)
      weight /= sum;
  }
  const f64 eps = job.value("eps");
  return std::make_unique<WholeBlend<A>>(
      job, [=](const Gram& gram) { return multislerp_blend(gram, weights, eps); });
}

template <class A>
KernelPtr<A> make_karcher(const Job& job) {
  const std::vector<f64> weights = job.each("weight");
  const i64 rounds = static_cast<i64>(job.value("max_iter"));
  const f64 tol = job.value("tol");
  return std::make_unique<WholeBlend<A>>(
      job, [=](const Gram& gram) { return karcher_blend(gram, weights, rounds, tol); });
}

template <class A>
KernelPtr<A> make_model_stock(const Job& job) {
  if (job.on("filter_wise") && job.shape.rank >= 2)
    return std::make_unique<RowBlend<A>>(model_stock_blend);
  return std::make_unique<WholeBlend<A>>(job, model_stock_blend);
}

template KernelPtr<f32> make_slerp(const Job&);
template KernelPtr<f64> make_slerp(const Job&);
template KernelPtr<f32> make_nuslerp(const Job&);
template KernelPtr<f64> make_nuslerp(const Job&);
template KernelPtr<f32> make_multislerp(const Job&);
template KernelPtr<f64> make_multislerp(const Job&);
template KernelPtr<f32> make_karcher(const Job&);
template KernelPtr<f64> make_karcher(const Job&);
template KernelPtr<f32> make_model_stock(const Job&);
template KernelPtr<f64> make_model_stock(const Job&);

}  // namespace lm::merge
