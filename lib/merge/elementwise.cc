// Methods that decide element by element: nearswap, ram, consensus, fisher.

#include <algorithm>
#include <cmath>

#include "merge/makers.h"
#include "merge/vectorised.h"

namespace lm::merge {

namespace {

/// base + clamp(t / max(|base - x|, 1e-6), 0, 1) (x - base).
template <class A>
class NearSwap final : public Kernel<A> {
 public:
  explicit NearSwap(f64 t) : t_(static_cast<A>(t)) {}
  void combine(const Chunk<A>& in, A* out) const override {
    const A* const x = in.x[0];
    const A* const base = in.base;
    const A t = t_;
    vectorised([&]() LM_INLINE {
      for (i64 i = 0; i < in.count; ++i) {
        const A distance = std::fabs(base[i] - x[i]);
        const A share = t / (distance > A(1e-6) ? distance : A(1e-6));
        out[i] = base[i] + (share < A(1) ? share : A(1)) * (x[i] - base[i]);
      }
    });
  }

 private:
  A t_;
};

/// base + what one model alone changed + the mean of what several changed. With a rescale limit
/// (ramplus_tl) the deltas that a model alone has are scaled by 1 + r min(shared / unique, alpha).
template <class A>
class UniqueDeltas final : public Kernel<A> {
 public:
  explicit UniqueDeltas(const Job& job)
      : epsilon_(static_cast<A>(job.value("epsilon"))),
        scales_(job.models.size(), A{1}),
        counted_(job.method->find("alpha") == nullptr) {
    if (counted_) return;
    r_ = job.value("r");
    alpha_ = job.value("alpha");
  }

  std::optional<PassNeeds> next_pass() override {
    if (counted_) return std::nullopt;
    return PassNeeds{.counts = 2 * isize(scales_)};
  }
  void observe(const Chunk<A>& in, const Partial& out) override {
    for (i64 i = 0; i < in.count; ++i) {
      const bool shared = changes(in, i) > 1;
      for (std::size_t m = 0; m < in.x.size(); ++m)
        out.counts[2 * m + (shared ? 1 : 0)] += changed(in, m, i) ? 1 : 0;
    }
  }
  void end_pass(const Totals& totals) override {
    for (std::size_t m = 0; m < scales_.size(); ++m) {
      const f64 unique = static_cast<f64>(totals.counts[2 * m]);
      const f64 shared = static_cast<f64>(totals.counts[2 * m + 1]);
      // Without unique deltas there is nothing to scale.
      if (unique > 0)
        scales_[m] = static_cast<A>(1 + r_ * std::clamp(shared / unique, 0.0, alpha_));
    }
    counted_ = true;
  }
  void combine(const Chunk<A>& in, A* out) const override {
    for (i64 i = 0; i < in.count; ++i) {
      const i64 models = changes(in, i);
      A sum = 0;
      for (std::size_t m = 0; m < in.x.size(); ++m) {
        if (changed(in, m, i)) sum += models == 1 ? scales_[m] * in.delta(m, i) : in.delta(m, i);
      }
      out[i] = in.base[i] + (models > 1 ? sum / static_cast<A>(models) : sum);
    }
  }

 private:
  bool changed(const Chunk<A>& in, std::size_t m, i64 i) const {
    return std::fabs(in.delta(m, i)) > epsilon_;
  }
  i64 changes(const Chunk<A>& in, i64 i) const {
    i64 models = 0;
    for (std::size_t m = 0; m < in.x.size(); ++m)
      models += changed(in, m, i) ? 1 : 0;
    return models;
  }

  A epsilon_;
  std::vector<A> scales_;
  bool counted_;
  f64 r_ = 0;
  f64 alpha_ = 0;
};

/// base + lambda * (weighted sum of task vectors) where at least m models agree with the sum:
/// |tau_i| >= lambda_t |tau_sum - tau_i|. TALL masks: Wang et al. 2024.
template <class A>
class Consensus final : public Kernel<A> {
 public:
  explicit Consensus(const Job& job)
      : least_(static_cast<i64>(job.value("m"))),
        limit_(static_cast<A>(job.value("lambda_t"))),
        lambda_(static_cast<A>(job.value("lambda"))) {
    for (const f64 weight : job.each("weight"))
      weights_.push_back(static_cast<A>(weight));
  }
  void combine(const Chunk<A>& in, A* out) const override {
    for (i64 i = 0; i < in.count; ++i) {
      A sum = 0;
      for (std::size_t m = 0; m < in.x.size(); ++m)
        sum += weights_[m] * in.delta(m, i);
      i64 agree = 0;
      for (std::size_t m = 0; m < in.x.size(); ++m) {
        const A own = weights_[m] * in.delta(m, i);
        agree += std::fabs(own) >= limit_ * std::fabs(sum - own) ? 1 : 0;
      }
      out[i] = agree >= least_ ? in.base[i] + lambda_ * sum : in.base[i];
    }
  }

 private:
  i64 least_;
  A limit_;
  A lambda_;
  std::vector<A> weights_;
};

/// sum_i w_i F_i x_i / sum_i w_i F_i, with the diagonal Fisher information F_i of each model, at
/// least 1e-6. Matena and Raffel 2022.
template <class A>
class Fisher final : public Kernel<A> {
 public:
  explicit Fisher(const Job& job) {
    for (const f64 weight : job.each("weight"))
      weights_.push_back(static_cast<A>(weight));
  }
  void combine(const Chunk<A>& in, A* out) const override {
    for (i64 i = 0; i < in.count; ++i) {
      A above = 0;
      A below = 0;
      for (std::size_t m = 0; m < in.x.size(); ++m) {
        const A share = weights_[m] * std::max(in.aux[m][i], A(1e-6));
        above = m == 0 ? share * in.x[m][i] : above + share * in.x[m][i];
        below += share;
      }
      out[i] = above / below;
    }
  }

 private:
  std::vector<A> weights_;
};

}  // namespace

template <class A>
KernelPtr<A> make_nearswap(const Job& job) {
  return std::make_unique<NearSwap<A>>(job.value("t"));
}
template <class A>
KernelPtr<A> make_ram(const Job& job) {
  return std::make_unique<UniqueDeltas<A>>(job);
}
template <class A>
KernelPtr<A> make_consensus(const Job& job) {
  return std::make_unique<Consensus<A>>(job);
}
template <class A>
KernelPtr<A> make_fisher(const Job& job) {
  return std::make_unique<Fisher<A>>(job);
}

template KernelPtr<f32> make_nearswap(const Job&);
template KernelPtr<f64> make_nearswap(const Job&);
template KernelPtr<f32> make_ram(const Job&);
template KernelPtr<f64> make_ram(const Job&);
template KernelPtr<f32> make_consensus(const Job&);
template KernelPtr<f64> make_consensus(const Job&);
template KernelPtr<f32> make_fisher(const Job&);
template KernelPtr<f64> make_fisher(const Job&);

}  // namespace lm::merge
