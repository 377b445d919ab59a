// Task arithmetic and what is built on it: sparsify the task vectors, rescale what is left, add
// them, with or without an election of signs.
//
// task arithmetic: Ilharco et al. 2023; TIES: Yadav et al. 2023; DARE: Yu et al. 2024; DELLA: Deep
// et al. 2024; breadcrumbs: Davari and Belilovsky 2024.

#include <algorithm>
#include <cmath>

#include "core/str.h"
#include "merge/makers.h"
#include "merge/mask.h"
#include "merge/select.h"
#include "merge/vectorised.h"

namespace lm::merge {

namespace {

enum class Sparsify : u8 { kNone, kWindow, kBernoulli, kDella };
enum class Rescale : u8 { kNone, kInverse, kL1, kL2, kLinf, kPerElement };

// Norms below this are those of nothing: no rescaling by them.
constexpr f64 kLeastNorm = 1e-7;

template <class A>
class DeltaKernel final : public Kernel<A> {
 public:
  explicit DeltaKernel(const Job& job);

  Cut cut() const override { return sparsify_ == Sparsify::kDella ? Cut::kRows : Cut::kElements; }
  std::optional<PassNeeds> next_pass() override;
  void observe(const Chunk<A>& in, const Partial& out) override;
  void end_pass(const Totals& totals) override;
  void combine(const Chunk<A>& in, A* out) const override;

 private:
  struct Model {
    A weight = 1;
    f64 density = 1;
    f64 epsilon = 0;
    A scale = 1;  // of what is left
    std::optional<RankWindow<A>> window;
    std::optional<i64> window_counts;  // of the current pass, if the window takes part
    std::optional<MaskWords> words;    // none: every element stays
  };

  static Sparsify sparsifier(const Method& method);
  void set_up(Model& model, const Job& job, std::size_t m) const;
  void take_delta(const Chunk<A>& in, std::size_t m, std::vector<A>& out) const;
  void sparsify(const Chunk<A>& in, const Model& model, std::vector<A>& delta) const;
  void mask_row(const Chunk<A>& in, i64 at, const Model& model, A* row) const;
  bool rescales_by_norm() const {
    return rescale_ == Rescale::kL1 || rescale_ == Rescale::kL2 || rescale_ == Rescale::kLinf;
  }

  Sparsify sparsify_;
  Rescale rescale_;
  bool elect_ = false;
  bool count_signs_ = false;
  bool normalize_ = false;
  A lambda_ = 1;
  A weight_sum_ = 0;
  std::vector<Model> models_;
  bool in_windows_ = true;  // the passes of the windows come before that of the norms
  bool norms_known_ = false;
};

template <class A>
Sparsify DeltaKernel<A>::sparsifier(const Method& method) {
  if (method.find("epsilon") != nullptr) return Sparsify::kDella;
  if (method.name.starts_with("dare")) return Sparsify::kBernoulli;
  return method.find("density") != nullptr ? Sparsify::kWindow : Sparsify::kNone;
}

template <class A>
DeltaKernel<A>::DeltaKernel(const Job& job)
    : sparsify_(sparsifier(*job.method)),
      rescale_(Rescale::kNone),
      elect_(job.method->find("elect") != nullptr),
      normalize_(job.on("normalize")),
      lambda_(static_cast<A>(job.value("lambda"))),
      models_(job.models.size()) {
  if (elect_) count_signs_ = job.choice("elect") == "count";
  if (sparsify_ != Sparsify::kNone)
    rescale_ = static_cast<Rescale>(static_cast<int>(job.value("rescale")));
  f64 sum = 0;
  for (std::size_t m = 0; m < models_.size(); ++m) {
    set_up(models_[m], job, m);
    sum += static_cast<f64>(models_[m].weight);
  }
  weight_sum_ = static_cast<A>(std::fabs(sum) < 1e-8 ? 1.0 : sum);
}

template <class A>
void DeltaKernel<A>::set_up(Model& model, const Job& job, std::size_t m) const {
  model.weight = static_cast<A>(job.each("weight")[m]);
  if (sparsify_ == Sparsify::kNone) return;
  model.density = job.each("density")[m];
  const bool dense = model.density >= 1;
  const i64 count = job.shape.count();
  if (sparsify_ == Sparsify::kWindow) {
    const bool crumbs = job.method->find("gamma") != nullptr;
    const f64 n = static_cast<f64>(count);
    const i64 keep = std::min(count, static_cast<i64>(std::floor(model.density * n)));
    i64 top = crumbs ? static_cast<i64>(std::floor(job.each("gamma")[m] * n)) : 0;
    top = std::min(top, count - keep);  // the share that is kept comes first
    if (keep < count) model.window.emplace(count, top, top + keep);
  } else if (!dense) {
    model.words.emplace(job.seed, job.name, job.models[m]);
  }
  if (sparsify_ == Sparsify::kDella && !dense) {
    model.epsilon = job.each("epsilon")[m];
    if (model.density - model.epsilon <= 0 || model.density + model.epsilon >= 1) {
      throw Error(ErrorKind::kConfig,
                  cat("tensor ", quote(job.name, 200), ": density ", model.density, " and epsilon ",
                      model.epsilon,
                      " give probabilities beyond 0 and 1: density - epsilon must be above 0, "
                      "density + epsilon below 1"));
    }
  }
  const bool by_density = rescale_ == Rescale::kPerElement && sparsify_ != Sparsify::kDella;
  if (rescale_ == Rescale::kInverse || by_density)
    model.scale = static_cast<A>(model.density > 0 ? 1 / model.density : 1.0);
}

template <class A>
std::optional<PassNeeds> DeltaKernel<A>::next_pass() {
  if (in_windows_) {
    PassNeeds needs;
    bool any = false;
    for (Model& model : models_) {
      model.window_counts = model.window ? model.window->next_pass() : std::nullopt;
      any = any || model.window_counts;
      needs.counts += model.window_counts.value_or(0);
    }
    if (any) return needs;
    in_windows_ = false;
  }
  if (norms_known_ || !rescales_by_norm()) return std::nullopt;
  const i64 two = 2 * isize(models_);
  return rescale_ == Rescale::kLinf ? PassNeeds{.maxima = two} : PassNeeds{.sums = two};
}

template <class A>
void DeltaKernel<A>::take_delta(const Chunk<A>& in, std::size_t m, std::vector<A>& out) const {
  out.resize(usize(in.count));
  A* const to = out.data();
  const A* const x = in.x[m];
  const A* const base = in.base;
  vectorised([&]() LM_INLINE {
    for (i64 i = 0; i < in.count; ++i)
      to[i] = x[i] - base[i];
  });
}

template <class A>
void DeltaKernel<A>::observe(const Chunk<A>& in, const Partial& out) {
  std::vector<A>& delta = in.work->a;
  i64 counts = 0;
  for (std::size_t m = 0; m < models_.size(); ++m) {
    Model& model = models_[m];
    if (in_windows_ && !model.window_counts) continue;
    take_delta(in, m, delta);
    if (in_windows_) {
      model.window->observe(delta, in.number,
                            out.counts.subspan(usize(counts), usize(*model.window_counts)));
      counts += *model.window_counts;
      continue;
    }
    for (const std::size_t after : {std::size_t{0}, std::size_t{1}}) {
      if (after == 1) sparsify(in, model, delta);
      const A* const d = delta.data();
      f64 sum = 0;
      if (rescale_ == Rescale::kLinf) {
        for (i64 i = 0; i < in.count; ++i)
          sum = std::max(sum, static_cast<f64>(std::fabs(d[i])));
        out.maxima[2 * m + after] = std::max(out.maxima[2 * m + after], sum);
        continue;
      }
      const bool square = rescale_ == Rescale::kL2;
      vectorised([&]() LM_INLINE {
        sum = square ? lane_sum(in.count,
                                [&](i64 i) LM_INLINE {
                                  return static_cast<f64>(d[i]) * static_cast<f64>(d[i]);
                                })
                     : lane_sum(in.count,
                                [&](i64 i) LM_INLINE { return static_cast<f64>(std::fabs(d[i])); });
      });
      out.sums[2 * m + after] += sum;
    }
  }
}

template <class A>
void DeltaKernel<A>::end_pass(const Totals& totals) {
  if (in_windows_) {
    i64 counts = 0;
    for (Model& model : models_) {
      if (!model.window_counts) continue;
      model.window->end_pass(totals.counts.subspan(usize(counts), usize(*model.window_counts)));
      counts += *model.window_counts;
    }
    return;
  }
  norms_known_ = true;
  const std::span<const f64> from = rescale_ == Rescale::kLinf ? totals.maxima : totals.sums;
  for (std::size_t m = 0; m < models_.size(); ++m) {
    f64 all = from[2 * m];
    f64 left = from[2 * m + 1];
    if (rescale_ == Rescale::kL2) {
      all = std::sqrt(all);
      left = std::sqrt(left);
    }
    if (all >= kLeastNorm && left >= kLeastNorm) models_[m].scale = static_cast<A>(all / left);
  }
}

// Drops elements of one row at `at` of the chunk, the small ones more often.
template <class A>
void DeltaKernel<A>::mask_row(const Chunk<A>& in, i64 at, const Model& model, A* row) const {
  Workspace<A>& work = *in.work;
  const i64 cols = in.cols;
  work.ranks.resize(usize(cols));
  rank_magnitudes(std::span<const A>(row, usize(cols)), work.order, work.other_order,
                  work.ranks.data());
  model.words->fill(in.first + at, cols, work.words);
  const f64 lowest = cols > 1 ? model.density - model.epsilon : model.density;
  const f64 step = cols > 1 ? 2 * model.epsilon / static_cast<f64>(cols - 1) : 0;
  const bool by_probability = rescale_ == Rescale::kPerElement;
  const u32* const ranks = work.ranks.data();
  const u32* const words = work.words.data();
  vectorised([&]() LM_INLINE {
    A* const __restrict to = row;
    for (i64 i = 0; i < cols; ++i) {
      // A word is dropped from keep_below(p) on: word >= floor(x) is word + 1 > x. p is in (0, 1).
      const f64 p = lowest + step * static_cast<f64>(ranks[i]);
      const bool drop = static_cast<f64>(words[i]) + 1.0 > p * 4294967296.0;
      const A value = by_probability ? static_cast<A>(static_cast<f64>(to[i]) / p) : to[i];
      to[i] = drop ? A{0} : value;
    }
  });
}

template <class A>
void DeltaKernel<A>::sparsify(const Chunk<A>& in, const Model& model, std::vector<A>& delta) const {
  if (model.window) return model.window->apply(delta, in.number);
  if (!model.words) return;
  A* const d = delta.data();
  if (sparsify_ == Sparsify::kDella) {
    for (i64 at = 0; at < in.count; at += in.cols)
      mask_row(in, at, model, d + at);
    return;
  }
  const u64 below = keep_below(model.density);
  model.words->fill(in.first, in.count, in.work->words);
  const u32* const words = in.work->words.data();
  vectorised([&]() LM_INLINE {
    for (i64 i = 0; i < in.count; ++i)
      d[i] = words[i] < below ? d[i] : A{0};
  });
}

template <class A>
void DeltaKernel<A>::combine(const Chunk<A>& in, A* out) const {
  std::vector<std::vector<A>>& parts = in.work->parts;
  if (parts.size() < models_.size()) parts.resize(models_.size());
  std::vector<A>& sum = in.work->a;  // decides the sign, or is the result
  sum.assign(usize(in.count), A{0});
  A* const s = sum.data();
  const bool count_signs = elect_ && count_signs_;
  for (std::size_t m = 0; m < models_.size(); ++m) {
    take_delta(in, m, parts[m]);
    sparsify(in, models_[m], parts[m]);
    A* const d = parts[m].data();
    const A scale = models_[m].scale;
    const A weight = models_[m].weight;
    const i64 count = in.count;
    vectorised([&]() LM_INLINE {
      A* const __restrict part = d;
      A* const __restrict sums = s;
      const A w = weight;  // copies: what is captured might be what the stores change
      const A scaled = scale;
      if (count_signs) {
        for (i64 i = 0; i < count; ++i) {
          const A value = w * (scaled * part[i]);
          part[i] = value;
          sums[i] += (value > 0 ? A{1} : A{0}) - (value < 0 ? A{1} : A{0});
        }
      } else {
        for (i64 i = 0; i < count; ++i) {
          const A value = w * (scaled * part[i]);
          part[i] = value;
          sums[i] += value;
        }
      }
    });
  }
  const A lambda = lambda_;
  const A* const base = in.base;
  if (!elect_) {
    const A divisor = normalize_ ? weight_sum_ : A{1};
    return vectorised([&]() LM_INLINE {
      for (i64 i = 0; i < in.count; ++i)
        out[i] = base[i] + lambda * (s[i] / divisor);
    });
  }
  std::vector<A>& divisors = in.work->b;
  divisors.assign(usize(in.count), A{0});
  A* const divisor = divisors.data();
  vectorised([&]() LM_INLINE {
    for (i64 i = 0; i < in.count; ++i)
      out[i] = 0;
  });
  for (std::size_t m = 0; m < models_.size(); ++m) {
    const A* const d = parts[m].data();
    const A weight = models_[m].weight;
    const i64 count = in.count;
    vectorised([&]() LM_INLINE {
      const A* const __restrict part = d;
      const A* const __restrict sums = s;
      A* const __restrict to = out;
      A* const __restrict weights = divisor;
      const A w = weight;
      for (i64 i = 0; i < count; ++i) {
        const A value = part[i];
        const A along = sums[i] >= 0 ? value : -value;
        to[i] += along > 0 ? value : A{0};
        weights[i] += along > 0 ? w : A{0};
      }
    });
  }
  const bool normalize = normalize_;
  const i64 count = in.count;
  vectorised([&]() LM_INLINE {
    const A* const __restrict weights = divisor;
    const A* const __restrict from = base;
    A* const __restrict to = out;
    const A factor = lambda;
    const bool divide = normalize;
    for (i64 i = 0; i < count; ++i) {
      const A by = divide && weights[i] != 0 ? weights[i] : A{1};
      to[i] = from[i] + factor * (to[i] / by);
    }
  });
}

}  // namespace

template <class A>
KernelPtr<A> make_delta(const Job& job) {
  return std::make_unique<DeltaKernel<A>>(job);
}
template KernelPtr<f32> make_delta(const Job&);
template KernelPtr<f64> make_delta(const Job&);

}  // namespace lm::merge
