// arcee_fusion: keeps the deltas whose importance stands out. The importance of an element is
// |x - base| times the divergence of its row, KL(softmax(x) || softmax(base)); the bound is the
// median plus 1.5 times the distance of the quartiles, all exact.

#include <algorithm>
#include <cmath>

#include "merge/makers.h"
#include "merge/select.h"
#include "merge/vectorised.h"

namespace lm::merge {

namespace {

/// Where a quantile lies among n sorted values: between two neighbours, linearly.
struct QuantilePlace {
  i64 low = 0;
  f64 share = 0;  // of the upper neighbour
  QuantilePlace(i64 count, f64 q) {
    const f64 at = q * static_cast<f64>(count - 1);
    low = static_cast<i64>(std::floor(at));
    share = at - static_cast<f64>(low);
  }
};

/// Sum of (p + 1e-8) log((p + 1e-8) / (q + 1e-8)) of two rows' softmax.
template <class A>
f64 divergence(const A* x, const A* base, i64 cols, std::vector<f64>& scratch) {
  constexpr f64 kFloor = 1e-8;
  scratch.resize(usize(2 * cols));
  f64* const p = scratch.data();
  f64* const q = p + cols;
  f64 p_max = static_cast<f64>(x[0]);
  f64 q_max = static_cast<f64>(base[0]);
  for (i64 i = 1; i < cols; ++i) {
    p_max = std::max(p_max, static_cast<f64>(x[i]));
    q_max = std::max(q_max, static_cast<f64>(base[i]));
  }
  f64 p_sum = 0;
  f64 q_sum = 0;
  for (i64 i = 0; i < cols; ++i) {
    p[i] = std::exp(static_cast<f64>(x[i]) - p_max);
    q[i] = std::exp(static_cast<f64>(base[i]) - q_max);
    p_sum += p[i];
    q_sum += q[i];
  }
  f64 sum = 0;
  for (i64 i = 0; i < cols; ++i) {
    const f64 a = p[i] / p_sum + kFloor;
    const f64 b = q[i] / q_sum + kFloor;
    sum += a * std::log(a / b);
  }
  return sum;
}

template <class A>
class Arcee final : public Kernel<A> {
 public:
  explicit Arcee(const Job& job) : rows_(usize(job.rows())) {
    const i64 count = job.shape.count();
    std::vector<i64> ranks;
    for (const f64 q : {0.25, 0.5, 0.75}) {
      places_.emplace_back(count, q);
      ranks.push_back(places_.back().low);
      ranks.push_back(std::min(places_.back().low + 1, count - 1));
    }
    select_.emplace(ranks);
  }

  Cut cut() const override { return Cut::kRows; }
  std::optional<PassNeeds> next_pass() override {
    if (!rows_known_) return PassNeeds{};
    const i64 counters = select_->counters();
    if (counters > 0) return PassNeeds{.counts = counters};
    return std::nullopt;
  }
  void observe(const Chunk<A>& in, const Partial& out) override {
    if (!rows_known_) {
      for (i64 at = 0; at < in.count; at += in.cols) {
        rows_[usize((in.first + at) / in.cols)] = static_cast<A>(
            std::max(0.0, divergence(in.x[0] + at, in.base + at, in.cols, in.work->wide)));
      }
      return;
    }
    importances(in, in.work->a);
    select_->count(in.work->a, out.counts);
  }
  void end_pass(const Totals& totals) override {
    if (!rows_known_) {
      rows_known_ = true;
      return;
    }
    select_->end_pass(totals.counts);
    if (select_->counters() > 0) return;
    std::vector<f64> quantiles;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const f64 low = static_cast<f64>(std::bit_cast<A>(select_->key(2 * i)));
      const f64 high = static_cast<f64>(std::bit_cast<A>(select_->key(2 * i + 1)));
      quantiles.push_back(low + places_[i].share * (high - low));
    }
    bound_ = static_cast<A>(quantiles[1] + 1.5 * (quantiles[2] - quantiles[0]));
  }
  void combine(const Chunk<A>& in, A* out) const override {
    importances(in, in.work->a);
    for (i64 i = 0; i < in.count; ++i)
      out[i] = in.base[i] + (in.work->a[usize(i)] >= bound_ ? in.delta(0, i) : A{0});
  }

 private:
  void importances(const Chunk<A>& in, std::vector<A>& out) const {
    out.resize(usize(in.count));
    for (i64 at = 0; at < in.count; at += in.cols) {
      const A row = rows_[usize((in.first + at) / in.cols)];
      for (i64 i = at; i < at + in.cols; ++i)
        out[usize(i)] = std::fabs(in.delta(0, i)) * row;
    }
  }

  std::vector<A> rows_;  // divergences
  bool rows_known_ = false;
  std::vector<QuantilePlace> places_;
  std::optional<RadixSelect<A>> select_;
  A bound_ = 0;
};

}  // namespace

template <class A>
KernelPtr<A> make_arcee(const Job& job) {
  return std::make_unique<Arcee<A>>(job);
}
template KernelPtr<f32> make_arcee(const Job&);
template KernelPtr<f64> make_arcee(const Job&);

}  // namespace lm::merge
