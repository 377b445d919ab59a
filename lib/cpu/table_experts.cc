// Mixtures of experts: routing, sorting by expert, products by groups, sums of slots.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "core/hash.h"
#include "core/parallel.h"
#include "core/random.h"
#include "cpu/scratch.h"
#include "cpu/table.h"

namespace lm::cpu {

namespace {

constexpr i64 kGrainElements = 16384;  // a task worth its hand-over

i64 row_grain(i64 cols) {
  return std::max<i64>(1, kGrainElements / std::max<i64>(1, cols));
}

bool present(const Node& n, i64 i) {
  return i < n.in.size() && n.in[i];
}

// A second expert that its draw drops is remembered, for the gradient of the first one's weight.
constexpr i32 kNowhere = -1;
constexpr i32 dropped(i32 expert) {
  return -2 - expert;
}
constexpr i32 chosen(i32 index) {
  return index >= 0 ? index : -2 - index;
}

f32 sigmoid(f32 x) {
  return static_cast<f32>(1 / (1 + std::exp(-static_cast<f64>(x))));
}

// gates [experts] of a row.
void gates_of(GateKind kind, i64 experts, const f32* logits, f32* gates) {
  if (kind == GateKind::kSoftmax) {
    softmax_rows(1, experts, logits, experts, gates, experts);
    return;
  }
  for (i64 e = 0; e < experts; ++e)
    gates[e] = sigmoid(logits[e]);
}

// The `count` experts of largest gate plus bias, best first, equal ones in order.
void take_best(i64 experts, i64 count, const f32* gates, const f32* bias, i32* index) {
  const auto score = [&](i64 e) { return bias == nullptr ? gates[e] : gates[e] + bias[e]; };
  for (i64 k = 0; k < count; ++k) {
    i64 best = -1;
    for (i64 e = 0; e < experts; ++e) {
      if (std::find(index, index + k, static_cast<i32>(e)) != index + k) continue;
      if (best < 0 || score(e) > score(best)) best = e;
    }
    index[k] = static_cast<i32>(best);
  }
}

struct RouteRows {
  const RouteAttr attr;
  const f32* bias = nullptr;
  const f32* draws = nullptr;
  f32* weights = nullptr;
  i32* index = nullptr;
  f32* probabilities = nullptr;
  f32* lse = nullptr;

  void pad(i64 i) const {
    fill(attr.active, 0.0f, weights + i * attr.active);
    std::fill_n(index + i * attr.active, attr.active, kNowhere);
    fill(attr.experts, 0.0f, probabilities + i * attr.experts);
    lse[i] = 0;
  }
  void by_logits(i64 i, const f32* logits) const {
    const i64 experts = attr.experts;
    const i64 active = attr.active;
    f32* const p = probabilities + i * experts;
    f32* const w = weights + i * active;
    i32* const to = index + i * active;
    gates_of(attr.gate, experts, logits, p);
    logsumexp_rows(1, experts, logits, experts, lse + i);
    take_best(experts, active, p, bias, to);
    f32 sum = 0;
    for (i64 k = 0; k < active; ++k)
      sum += w[k] = p[to[k]];
    if (attr.renormalise)
      for (i64 k = 0; k < active; ++k)
        w[k] /= sum;
    if (draws != nullptr && draws[i] >= 2 * w[1]) {
      w[1] = 0;
      to[1] = dropped(to[1]);
    }
    if (attr.gate == GateKind::kSoftmax) return;
    const f32 all = std::accumulate(p, p + experts, 0.0f);
    for (i64 e = 0; e < experts; ++e)
      p[e] /= all;
  }
  void by_token(i64 i, i32 token) const {
    const u64 expert = mix64(static_cast<u64>(token)) % static_cast<u64>(attr.experts);
    pad(i);
    weights[i] = 1;
    index[i] = static_cast<i32>(expert);
    probabilities[i * attr.experts + static_cast<i64>(expert)] = 1;
  }
};

}  // namespace

void run_route(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  RouteRows r{n.attr.as<RouteAttr>()};
  if (present(n, 1)) r.bias = floats(in[1]);
  if (present(n, 3)) r.draws = floats(in[3]);
  const i64 rows = out[0].rows();
  const i64 active = r.attr.active;
  const i64 experts = r.attr.experts;
  // Outputs that nobody reads have no memory.
  const auto memory = [](const Tensor& t, const Scratch& spare) {
    return t.data != nullptr ? t.data : spare.data();
  };
  const auto spare = [&](i64 j, i64 numbers) { return out[j].data != nullptr ? 0 : numbers; };
  const Scratch weights(spare(0, rows * active)), index(spare(1, rows * active)),
      probabilities(spare(2, rows * experts)), lse(spare(3, rows));
  r.weights = static_cast<f32*>(memory(out[0], weights));
  r.index = static_cast<i32*>(memory(out[1], index));
  r.probabilities = static_cast<f32*>(memory(out[2], probabilities));
  r.lse = static_cast<f32*>(memory(out[3], lse));
  const RowSpan* const spans = present(n, 2) ? checked_spans(n, in[2], rows) : nullptr;
  parallel_for(rows, row_grain(experts * (active + 8)), [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      if (spans != nullptr && spans[i].a1 <= spans[i].a0 && spans[i].b1 <= spans[i].b0)
        r.pad(i);
      else if (present(n, 0))
        r.by_logits(i, floats(in[0]) + i * in[0].ld);
      else
        r.by_token(i, in[4].i32_data()[i]);
    }
  });
}

namespace {

struct RouteGrad {
  RouteAttr attr;
  const f32* logits = nullptr;
  const i32* index = nullptr;
  const f32* p = nullptr;  // gates over their sum
  f32 lse = 0;
  const f32* dweights = nullptr;  // null: nobody depends on them
  const f32* dp = nullptr;
  f32 dlse = 0;

  /// d: [experts], gradients of the gates, then of the logits.
  void row(f32* gates, f32* d) const {
    const i64 experts = attr.experts;
    const bool soft = attr.gate == GateKind::kSoftmax;
    if (soft)
      std::copy_n(p, experts, gates);
    else
      gates_of(attr.gate, experts, logits, gates);
    spread(gates, d);
    slots(gates, d);
    if (soft) {
      softmax_backward(1, experts, gates, experts, d, experts, d, experts);
    } else {
      for (i64 e = 0; e < experts; ++e)
        d[e] *= gates[e] * (1 - gates[e]);
    }
    if (dlse == 0) return;
    for (i64 e = 0; e < experts; ++e)
      d[e] += dlse * std::exp(logits[e] - lse);
  }
  /// Of the probabilities, which for a sigmoid are gates over their sum.
  void spread(const f32* gates, f32* d) const {
    const i64 experts = attr.experts;
    if (dp == nullptr) return fill(experts, 0.0f, d);
    if (attr.gate == GateKind::kSoftmax) {
      std::copy_n(dp, experts, d);
      return;
    }
    const f32 all = std::accumulate(gates, gates + experts, 0.0f);
    f32 mean = 0;
    for (i64 e = 0; e < experts; ++e)
      mean += dp[e] * p[e];
    for (i64 e = 0; e < experts; ++e)
      d[e] = (dp[e] - mean) / all;
  }
  void slots(const f32* gates, f32* d) const {
    if (dweights == nullptr) return;
    const auto upstream = [&](i64 k) { return index[k] >= 0 ? dweights[k] : 0.0f; };
    f32 sum = 1, mean = 0;
    if (attr.renormalise) {
      sum = 0;
      for (i64 k = 0; k < attr.active; ++k)
        sum += gates[chosen(index[k])];
      for (i64 k = 0; k < attr.active; ++k)
        mean += upstream(k) * (gates[chosen(index[k])] / sum);
    }
    for (i64 k = 0; k < attr.active; ++k)
      d[chosen(index[k])] += (upstream(k) - mean) / sum;
  }
};

}  // namespace

// in: logits, index, probabilities, lse, dweights?, dprobabilities?, dlse?
void run_route_grad(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const RouteAttr attr = n.attr.as<RouteAttr>();
  const i64 active = attr.active;
  const i64 experts = attr.experts;
  parallel_for(out[0].rows(), row_grain(experts * (active + 8)), [&](i64 begin, i64 end) {
    const Scratch gates(experts);
    for (i64 i = begin; i < end; ++i) {
      f32* const d = floats(out[0]) + i * out[0].ld;
      const i32* const index = in[1].i32_data() + i * active;
      if (index[0] == kNowhere) {
        fill(experts, 0.0f, d);
        continue;
      }
      RouteGrad r;
      r.attr = attr;
      r.logits = floats(in[0]) + i * in[0].ld;
      r.index = index;
      r.p = floats(in[2]) + i * experts;
      r.lse = floats(in[3])[i];
      if (present(n, 4)) r.dweights = floats(in[4]) + i * in[4].ld;
      if (present(n, 5)) r.dp = floats(in[5]) + i * in[5].ld;
      if (present(n, 6)) r.dlse = floats(in[6])[i];
      r.row(gates.data(), d);
    }
  });
}

namespace {

// The pairs of each expert, in order.
std::vector<std::vector<i32>> pairs_by_expert(const Tensor& index, i64 experts) {
  std::vector<std::vector<i32>> out(usize(experts));
  for (i64 pair = 0; pair < index.count(); ++pair) {
    const i32 e = index.i32_data()[pair];
    if (e >= 0) out[usize(e)].push_back(static_cast<i32>(pair));
  }
  return out;
}

// Leaves the first `most` pairs, or those of largest weight, in order.
void keep_some(std::vector<i32>& pairs, i64 most, const f32* weights) {
  if (isize(pairs) <= most) return;
  if (weights != nullptr)
    std::stable_sort(pairs.begin(), pairs.end(),
                     [&](i32 a, i32 b) { return weights[a] > weights[b]; });
  pairs.resize(usize(most));
  std::sort(pairs.begin(), pairs.end());
}

}  // namespace

void run_dispatch(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const DispatchAttr a = n.attr.as<DispatchAttr>();
  std::vector<std::vector<i32>> pairs = pairs_by_expert(in[0], a.experts);
  i64 asked = 0;
  for (i64 e = 0; e < a.experts; ++e) {
    asked += isize(pairs[usize(e)]);
    if (out[3].data != nullptr) floats(out[3])[e] = static_cast<f32>(isize(pairs[usize(e)]));
  }
  for (i64 e = 0; e < a.experts && out[4].data != nullptr; ++e)
    floats(out[4])[e] = static_cast<f32>(static_cast<f64>(isize(pairs[usize(e)])) /
                                         static_cast<f64>(std::max<i64>(1, asked)));
  if (ctx.training && a.capacity > 0) {
    const f64 most = std::ceil(static_cast<f64>(a.capacity) * static_cast<f64>(asked) /
                               static_cast<f64>(a.experts));
    for (std::vector<i32>& one : pairs)
      keep_some(one, static_cast<i64>(most), a.by_weight ? floats(in[1]) : nullptr);
  }
  const i64 active = in[0].cols();
  i32* const place = out[1].i32_data();
  i32 at = 0;
  if (place != nullptr) std::fill_n(place, out[1].count(), -1);
  for (i64 e = 0; e < a.experts; ++e) {
    if (out[2].data != nullptr) out[2].i32_data()[e] = at;
    for (const i32 pair : pairs[usize(e)]) {
      if (out[0].data != nullptr) out[0].i32_data()[at] = pair / static_cast<i32>(active);
      if (place != nullptr) place[pair] = at;
      ++at;
    }
  }
  if (out[2].data != nullptr) out[2].i32_data()[a.experts] = at;
  if (out[0].data != nullptr)
    std::fill(out[0].i32_data() + at, out[0].i32_data() + out[0].count(), -1);
}

namespace {

// Rows of t from `first` on become zero.
void zero_from(const Tensor& t, i64 first) {
  for (i64 r = first; r < t.rows(); ++r)
    fill(t.cols(), 0.0f, floats(t) + r * t.ld);
}

}  // namespace

void run_grouped_linear(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const i64 groups = n.attr.as<GroupedAttr>().groups;
  times_grouped(ctx, in[2].i32_data(), groups, in[0], in[1], out[0]);
  zero_from(out[0], in[2].i32_data()[groups]);
}

// in: dy, w, offsets
void run_grouped_linear_grad_x(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const i64 groups = n.attr.as<GroupedAttr>().groups;
  const i64 size = in[1].rows() / groups;
  const std::vector<i64> offsets(in[2].i32_data(), in[2].i32_data() + groups + 1);
  gemm_grouped(Layout::kNN, groups, offsets.data(), in[1].cols(), size, floats(in[0]), in[0].ld,
               floats(in[1]), in[1].ld, size * in[1].ld, floats(out[0]), out[0].ld);
  zero_from(out[0], offsets.back());
}

// in: dy, x, offsets
void run_grouped_linear_grad_w(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const i64 groups = n.attr.as<GroupedAttr>().groups;
  const i32* const offsets = in[2].i32_data();
  const i64 size = in[0].cols();
  Epilogue e;
  e.accumulate = adds_to(n, 0);
  parallel_for(groups, 1, [&](i64 begin, i64 end) {
    for (i64 g = begin; g < end; ++g) {
      const i64 rows = offsets[g + 1] - offsets[g];
      if (rows == 0 && e.accumulate) continue;
      gemm(Layout::kTN, size, in[1].cols(), rows, floats(in[0]) + offsets[g] * in[0].ld, in[0].ld,
           floats(in[1]) + offsets[g] * in[1].ld, in[1].ld, floats(out[0]) + g * size * out[0].ld,
           out[0].ld, e);
    }
  });
}

void run_combine(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const i64 active = in[1].cols();
  const i64 cols = out[0].cols();
  parallel_for(out[0].rows(), row_grain(cols * active), [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      f32* const y = floats(out[0]) + i * out[0].ld;
      const i32* const place = in[2].i32_data() + i * active;
      const f32* const w = floats(in[1]) + i * in[1].ld;
      bool any = false;
      for (i64 k = 0; k < active; ++k) {
        if (place[k] < 0) continue;
        const f32* const x = floats(in[0]) + place[k] * in[0].ld;
        any ? axpy(cols, w[k], x, y) : scale(cols, w[k], x, y);
        any = true;
      }
      if (!any) fill(cols, 0.0f, y);
      if (present(n, 3)) add(cols, y, floats(in[3]) + i * in[3].ld, y);
    }
  });
}

// in: dy, x, weights, place
void run_combine_grad(const RunCtx&, const Node&, const Tensor* in, Tensor* out, void*) {
  const i64 active = in[2].cols();
  const i64 cols = in[0].cols();
  const i32* const places = in[3].i32_data();
  parallel_for(in[0].rows(), row_grain(2 * cols * active), [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      const f32* const dy = floats(in[0]) + i * in[0].ld;
      for (i64 k = 0; k < active; ++k) {
        const i64 place = places[i * active + k];
        f32* const dw = out[1].data == nullptr ? nullptr : floats(out[1]) + i * out[1].ld + k;
        if (place < 0) {
          if (dw != nullptr) *dw = 0;
          continue;
        }
        if (dw != nullptr) row_dots(1, cols, dy, cols, floats(in[1]) + place * in[1].ld, cols, dw);
        if (out[0].data != nullptr)
          scale(cols, floats(in[2])[i * in[2].ld + k], dy, floats(out[0]) + place * out[0].ld);
      }
    }
  });
  if (out[0].data == nullptr) return;
  const i64 placed = std::count_if(places, places + in[3].count(), [](i32 p) { return p >= 0; });
  zero_from(out[0], placed);
}

void run_draws(const RunCtx& ctx, const Node& n, const Tensor*, Tensor* out, void*) {
  f32* const y = floats(out[0]);
  const i64 count = out[0].count();
  if (!ctx.training) return fill(count, 0.0f, y);
  const u64 stream = u64{ctx.step} << 32 | ctx.micro_step;
  const RandomStream random(ctx.seed, RandomPurpose::kOther,
                            mix64(stream ^ mix64(fnv1a64("draws") + n.rng_id)));
  const DrawKind kind = n.attr.as<DrawsAttr>().kind;
  parallel_for(count, kGrainElements / 16, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      const u64 number = static_cast<u64>(i);
      const f64 draw = kind == DrawKind::kNormal ? random.normal(number) : random.uniform(number);
      y[i] = static_cast<f32>(kind == DrawKind::kSymmetric ? 2 * draw - 1 : draw);
    }
  });
}

}  // namespace lm::cpu
