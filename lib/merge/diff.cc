#include "merge/diff.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "merge/convert.h"
#include "merge/engine.h"
#include "merge/kernel.h"
#include "merge/vectorised.h"

namespace lm::merge {

namespace {

constexpr f64 kNan = std::numeric_limits<f64>::quiet_NaN();

/// Statistics of two inputs; has no output.
template <class A>
class DiffKernel final : public Kernel<A> {
 public:
  DiffKernel(i64 count, TensorDiff& out) : count_(count), out_(out) {}

  std::optional<PassNeeds> next_pass() override {
    if (done_) return std::nullopt;
    return PassNeeds{.sums = 4, .maxima = 1, .counts = 2};
  }
  void observe(const Chunk<A>& in, const Partial& out) override {
    const A* const a = in.x[0];
    const A* const b = in.x[1];
    const auto product = [&](const A* x, const A* y) {
      f64 sum = 0;
      vectorised([&]() LM_INLINE {
        sum = lane_sum(in.count, [&](i64 i) LM_INLINE {
          return static_cast<f64>(x[i]) * static_cast<f64>(y[i]);
        });
      });
      return sum;
    };
    out.sums[0] += product(a, a);
    out.sums[1] += product(b, b);
    out.sums[2] += product(a, b);
    f64 square = 0;
    f64 largest = 0;
    u32 same_sign = 0;
    u32 changed = 0;
    vectorised([&]() LM_INLINE {
      square = lane_sum(in.count, [&](i64 i) LM_INLINE {
        const f64 d = static_cast<f64>(a[i]) - static_cast<f64>(b[i]);
        return d * d;
      });
      for (i64 i = 0; i < in.count; ++i) {
        const f64 d = std::fabs(static_cast<f64>(a[i]) - static_cast<f64>(b[i]));
        largest = d > largest ? d : largest;
        const bool positive = (a[i] > 0) == (b[i] > 0);
        const bool negative = (a[i] < 0) == (b[i] < 0);
        same_sign += positive && negative ? 1u : 0u;
        const bool both_nan = a[i] != a[i] && b[i] != b[i];
        changed += a[i] != b[i] && !both_nan ? 1u : 0u;
      }
    });
    out.sums[3] += square;
    out.maxima[0] = std::max(out.maxima[0], largest);
    out.counts[0] += same_sign;
    out.counts[1] += changed;
  }
  void end_pass(const Totals& totals) override {
    done_ = true;
    out_.measured = true;
    out_.a_norm = std::sqrt(totals.sums[0]);
    out_.b_norm = std::sqrt(totals.sums[1]);
    out_.distance = std::sqrt(totals.sums[3]);
    out_.relative = out_.distance > 0 ? out_.distance / out_.a_norm : out_.distance;
    const f64 norms = out_.a_norm * out_.b_norm;
    const bool numbers = std::isfinite(norms) && std::isfinite(totals.sums[2]);
    out_.cosine = !numbers    ? kNan
                  : norms > 0 ? std::clamp(totals.sums[2] / norms, -1.0, 1.0)
                              : (out_.a_norm == out_.b_norm ? 1.0 : 0.0);
    const f64 count = static_cast<f64>(std::max<i64>(1, count_));
    out_.same_sign = count_ > 0 ? static_cast<f64>(totals.counts[0]) / count : 1.0;
    out_.changed = static_cast<f64>(totals.counts[1]) / count;
    out_.max_abs = std::isnan(out_.distance) ? kNan : totals.maxima[0];
    if (totals.counts[1] > 0) out_.state = DiffState::kDiffers;
  }
  void combine(const Chunk<A>&, A*) const override {}

 private:
  i64 count_;
  TensorDiff& out_;
  bool done_ = false;
};

template <class A>
void measure(const TensorSource& a, const TensorSource& b, const Context& ctx, TensorDiff& out) {
  DiffKernel<A> kernel(a.shape().count(), out);
  const TensorSource* const inputs[] = {&a, &b};
  observe<A>(kernel, a.shape(), inputs, ctx);
}

TensorDiff compare(const SafeEntry& ea, const SafeEntry& eb, const InputModel& a,
                   const InputModel& b, const Context& ctx) {
  TensorDiff out;
  out.a_shape = ea.shape;
  out.b_shape = eb.shape;
  out.a_dtype = dtype_name(ea.dtype);
  out.b_dtype = dtype_name(eb.dtype);
  if (!(ea.shape == eb.shape)) {
    out.state = DiffState::kShape;
    return out;
  }
  if (ea.dtype != eb.dtype) out.state = DiffState::kDiffers;
  if (is_floating(ea.dtype) && is_floating(eb.dtype)) {
    const SourcePtr sa = a.source(ea);
    const SourcePtr sb = b.source(eb);
    if (wants_f64(ea.dtype) || wants_f64(eb.dtype)) {
      measure<f64>(*sa, *sb, ctx, out);
    } else {
      measure<f32>(*sa, *sb, ctx, out);
    }
  } else if (ea.bytes != eb.bytes || std::memcmp(ea.data, eb.data, usize(ea.bytes)) != 0) {
    out.state = DiffState::kDiffers;
  }
  return out;
}

TensorDiff only_one(const SafeEntry& entry, DiffState state) {
  TensorDiff out;
  out.state = state;
  (state == DiffState::kOnlyA ? out.a_shape : out.b_shape) = entry.shape;
  (state == DiffState::kOnlyA ? out.a_dtype : out.b_dtype) = dtype_name(entry.dtype);
  return out;
}

}  // namespace

DiffTotals diff(const InputModel& a, const InputModel& b, const Context& ctx,
                const std::function<void(const TensorDiff&)>& take) {
  std::set<std::string> names;
  for (const InputModel* const model : {&a, &b})
    for (std::string& name : model->names())
      names.insert(std::move(name));
  DiffTotals totals;
  f64 square = 0;
  f64 a_square = 0;
  for (const std::string& name : names) {
    const SafeEntry* const ea = a.stored(name);
    const SafeEntry* const eb = b.stored(name);
    TensorDiff one = ea == nullptr   ? only_one(*eb, DiffState::kOnlyB)
                     : eb == nullptr ? only_one(*ea, DiffState::kOnlyA)
                                     : compare(*ea, *eb, a, b, ctx);
    one.name = name;  // an adapter has another for it
    ++totals.tensors;
    totals.equal += one.state == DiffState::kEqual ? 1 : 0;
    totals.differ += one.state == DiffState::kDiffers ? 1 : 0;
    totals.shapes += one.state == DiffState::kShape ? 1 : 0;
    totals.missing += one.state == DiffState::kOnlyA || one.state == DiffState::kOnlyB ? 1 : 0;
    square += one.distance * one.distance;
    a_square += one.a_norm * one.a_norm;
    take(one);
  }
  totals.distance = std::sqrt(square);
  totals.relative = square > 0 ? std::sqrt(square / a_square) : square;
  return totals;
}

std::string_view state_name(DiffState state) {
  switch (state) {
    case DiffState::kEqual:
      return "equal";
    case DiffState::kDiffers:
      return "differs";
    case DiffState::kOnlyA:
      return "only in A";
    case DiffState::kOnlyB:
      return "only in B";
    case DiffState::kShape:
      return "shape";
  }
  return "";
}

}  // namespace lm::merge
