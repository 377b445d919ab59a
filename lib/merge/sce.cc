// sce: select the elements that vary most between models, calculate weights from energies, erase
// what goes against the sign of the sum. Wan et al. 2024.

#include <algorithm>
#include <cmath>

#include "merge/makers.h"
#include "merge/select.h"
#include "merge/vectorised.h"

namespace lm::merge {

namespace {

template <class A>
class Sce final : public Kernel<A> {
 public:
  explicit Sce(const Job& job)
      : count_(job.shape.count()), topk_(job.value("select_topk")), energy_(job.models.size()) {
    if (topk_ >= 1) phase_ = Phase::kEnergies;
  }

  std::optional<PassNeeds> next_pass() override {
    if (phase_ == Phase::kVarying) return PassNeeds{.counts = 1};
    if (phase_ == Phase::kWindow) {
      if (const std::optional<i64> counts = window_->next_pass())
        return PassNeeds{.counts = *counts};
      phase_ = Phase::kEnergies;
    }
    if (phase_ == Phase::kEnergies) return PassNeeds{.sums = isize(energy_)};
    return std::nullopt;
  }

  void observe(const Chunk<A>& in, const Partial& out) override {
    if (phase_ == Phase::kEnergies) {
      selection(in, in.work->a);
      for (std::size_t m = 0; m < in.x.size(); ++m) {
        const A* const chosen = in.work->a.data();
        for (i64 i = 0; i < in.count; ++i) {
          const f64 delta = chosen[i] != 0 ? static_cast<f64>(in.delta(m, i)) : 0.0;
          out.sums[m] += delta * delta;
        }
      }
      return;
    }
    variances(in, in.work->a);
    if (phase_ == Phase::kWindow) return window_->observe(in.work->a, in.number, out.counts);
    for (const A variance : in.work->a)
      out.counts[0] += variance != 0 ? 1 : 0;
  }

  void end_pass(const Totals& totals) override {
    if (phase_ == Phase::kVarying) {
      const f64 varying = static_cast<f64>(totals.counts[0]);
      const i64 keep = static_cast<i64>(std::floor(topk_ * varying));
      window_.emplace(count_, 0, keep);
      phase_ = Phase::kWindow;
    } else if (phase_ == Phase::kWindow) {
      window_->end_pass(totals.counts);
    } else {
      f64 sum = 0;
      for (const f64 energy : totals.sums)
        sum += energy;
      for (std::size_t m = 0; m < energy_.size(); ++m)
        energy_[m] = static_cast<A>(sum > 0 ? totals.sums[m] / sum : 0.0);
      phase_ = Phase::kDone;
    }
  }

  void combine(const Chunk<A>& in, A* out) const override {
    selection(in, in.work->a);
    const A* const chosen = in.work->a.data();
    for (i64 i = 0; i < in.count; ++i) {
      if (chosen[i] == 0) {
        out[i] = in.base[i];
        continue;
      }
      A sum = 0;
      for (std::size_t m = 0; m < in.x.size(); ++m)
        sum += in.delta(m, i);
      A above = 0;
      A below = 0;
      for (std::size_t m = 0; m < in.x.size(); ++m) {
        const A delta = in.delta(m, i);
        const bool takes_part = sum >= 0 ? delta > 0 : delta < 0;
        above += takes_part ? energy_[m] * delta : A{0};
        below += takes_part ? energy_[m] : A{0};
      }
      out[i] = in.base[i] + above / std::max(below, A(1e-6));
    }
  }

 private:
  enum class Phase : u8 { kVarying, kWindow, kEnergies, kDone };

  // Population variance of the task vectors, element by element.
  void variances(const Chunk<A>& in, std::vector<A>& out) const {
    out.resize(usize(in.count));
    const A models = static_cast<A>(in.x.size());
    for (i64 i = 0; i < in.count; ++i) {
      A mean = 0;
      for (std::size_t m = 0; m < in.x.size(); ++m)
        mean += in.delta(m, i);
      mean /= models;
      A sum = 0;
      for (std::size_t m = 0; m < in.x.size(); ++m) {
        const A off = in.delta(m, i) - mean;
        sum += off * off;
      }
      out[usize(i)] = sum / models;
    }
  }

  // Not 0 where an element is selected.
  void selection(const Chunk<A>& in, std::vector<A>& out) const {
    if (!window_) {
      out.assign(usize(in.count), A{1});
      return;
    }
    variances(in, out);
    window_->apply(out, in.number);
  }

  i64 count_;
  f64 topk_;
  Phase phase_ = Phase::kVarying;
  std::optional<RankWindow<A>> window_;
  std::vector<A> energy_;  // shares of the energies
};

}  // namespace

template <class A>
KernelPtr<A> make_sce(const Job& job) {
  return std::make_unique<Sce<A>>(job);
}
template KernelPtr<f32> make_sce(const Job&);
template KernelPtr<f64> make_sce(const Job&);

}  // namespace lm::merge
