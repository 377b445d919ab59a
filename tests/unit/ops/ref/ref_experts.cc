// Mixtures of experts by their definitions: every row by itself.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/hash.h"
#include "ops/op.h"
#include "ref.h"

namespace lm::test {

namespace {

bool padding(const RefNode& r, i64 i) {
  if (!r.has(2)) return false;
  const f64* const s = r.x(2).data() + i * kSpanInts;
  return s[1] <= s[0] && s[3] <= s[2];
}

Numbers gates(const RefNode& r, i64 i, f64* lse) {
  const RouteAttr a = r.n.attr.as<RouteAttr>();
  Numbers z(r.x(0).begin() + i * a.experts, r.x(0).begin() + (i + 1) * a.experts);
  f64 sum = 0;
  for (const f64 x : z)
    sum += std::exp(x);
  *lse = std::log(sum);
  for (f64& x : z)
    x = a.gate == GateKind::kSoftmax ? std::exp(x) / sum : 1 / (1 + std::exp(-x));
  return z;
}

void route(const RefNode& r) {
  const RouteAttr a = r.n.attr.as<RouteAttr>();
  const i64 rows = r.has(0) ? r.rows(0) : r.shape(4).count();
  for (i64 i = 0; i < rows; ++i) {
    f64* const index = r.y(1).data() + i * a.active;
    f64* const w = r.y(0).data() + i * a.active;
    f64* const p = r.y(2).data() + i * a.experts;
    std::fill_n(index, a.active, -1.0);
    if (padding(r, i)) continue;
    if (!r.has(0)) {
      const u64 token = static_cast<u64>(static_cast<i64>(r.x(4)[usize(i)]));
      index[0] = static_cast<f64>(mix64(token) % static_cast<u64>(a.experts));
      w[0] = p[static_cast<i64>(index[0])] = 1;
      continue;
    }
    const Numbers g = gates(r, i, &r.y(3)[usize(i)]);
    std::vector<i64> order(usize(a.experts), 0);
    std::iota(order.begin(), order.end(), i64{0});
    const auto score = [&](i64 e) { return g[usize(e)] + (r.has(1) ? r.x(1)[usize(e)] : 0.0); };
    std::stable_sort(order.begin(), order.end(), [&](i64 x, i64 y) { return score(x) > score(y); });
    f64 taken = 0;
    for (i64 k = 0; k < a.active; ++k)
      taken += g[usize(order[usize(k)])];
    for (i64 k = 0; k < a.active; ++k) {
      index[k] = static_cast<f64>(order[usize(k)]);
      w[k] = g[usize(order[usize(k)])] / (a.renormalise ? taken : 1);
    }
    if (r.has(3) && r.x(3)[usize(i)] >= 2 * w[1]) {
      w[1] = 0;
      index[1] = -2 - index[1];
    }
    const f64 all = std::accumulate(g.begin(), g.end(), 0.0);
    for (i64 e = 0; e < a.experts; ++e)
      p[e] = g[usize(e)] / all;
  }
}

void dispatch(const RefNode& r) {
  const i64 experts = r.n.attr.as<DispatchAttr>().experts;
  std::fill(r.y(0).begin(), r.y(0).end(), -1.0);
  std::fill(r.y(1).begin(), r.y(1).end(), -1.0);
  i64 at = 0;
  for (i64 e = 0; e < experts; ++e) {
    r.y(2)[usize(e)] = static_cast<f64>(at);
    for (i64 pair = 0; pair < ssize(r.x(0)); ++pair) {
      if (r.x(0)[usize(pair)] != static_cast<f64>(e)) continue;
      r.y(0)[usize(at)] = static_cast<f64>(pair / r.cols(0));
      r.y(1)[usize(pair)] = static_cast<f64>(at++);
      r.y(3)[usize(e)] += 1;
    }
  }
  r.y(2)[usize(experts)] = static_cast<f64>(at);
  for (i64 e = 0; e < experts; ++e)
    r.y(4)[usize(e)] = r.y(3)[usize(e)] / static_cast<f64>(std::max<i64>(1, at));
}

void grouped(const RefNode& r) {
  const i64 groups = r.n.attr.as<GroupedAttr>().groups;
  const i64 out = r.rows(1) / groups;
  const i64 in = r.cols(0);
  for (i64 e = 0; e < groups; ++e)
    for (i64 i = static_cast<i64>(r.x(2)[usize(e)]); i < static_cast<i64>(r.x(2)[usize(e + 1)]);
         ++i)
      for (i64 o = 0; o < out; ++o)
        for (i64 c = 0; c < in; ++c)
          r.y(0)[usize(i * out + o)] +=
              r.x(0)[usize(i * in + c)] * r.x(1)[usize((e * out + o) * in + c)];
}

void combine(const RefNode& r) {
  const i64 cols = r.cols(0);
  for (i64 i = 0; i < r.rows(1); ++i) {
    for (i64 c = 0; c < cols; ++c) {
      f64 sum = r.has(3) ? r.x(3)[usize(i * cols + c)] : 0;
      for (i64 k = 0; k < r.cols(1); ++k) {
        const i64 place = static_cast<i64>(r.x(2)[usize(i * r.cols(1) + k)]);
        if (place >= 0) sum += r.x(1)[usize(i * r.cols(1) + k)] * r.x(0)[usize(place * cols + c)];
      }
      r.y(0)[usize(i * cols + c)] = sum;
    }
  }
}

}  // namespace

bool ref_experts(const RefNode& r) {
  switch (r.n.op) {
    case Op::kRoute:
      route(r);
      return true;
    case Op::kDispatch:
      dispatch(r);
      return true;
    case Op::kGroupedLinear:
      grouped(r);
      return true;
    case Op::kCombine:
      combine(r);
      return true;
    case Op::kDraws:  // outside training
      return true;
    default:
      return false;
  }
}

}  // namespace lm::test
