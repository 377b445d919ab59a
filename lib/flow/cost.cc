#include "flow/cost.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace lm::flow {

namespace {

constexpr i64 kTerms = 5;
using Terms = std::array<f64, kTerms>;

Terms terms_of(const CallTokens& tokens) {
  const f64 in = static_cast<f64>(tokens.prefill);
  const f64 out = static_cast<f64>(tokens.decode);
  return {1, in, in * in, out, in * out};
}

/// Normal equations in columns of unit length.
struct Normal {
  std::array<Terms, kTerms> a{};
  Terms b{};
  f64 squares = 0;  // of the weighted costs
};

/// Cholesky over the terms of a set. Nothing if the terms depend on each other.
std::optional<Terms> solve(const Normal& normal, u32 set) {
  std::array<i64, kTerms> at{};
  i64 n = 0;
  for (i64 i = 0; i < kTerms; ++i)
    if (set >> i & 1) at[usize(n++)] = i;
  std::array<Terms, kTerms> low{};
  for (i64 i = 0; i < n; ++i) {
    for (i64 j = 0; j <= i; ++j) {
      f64 sum = normal.a[usize(at[usize(i)])][usize(at[usize(j)])];
      for (i64 k = 0; k < j; ++k)
        sum -= low[usize(i)][usize(k)] * low[usize(j)][usize(k)];
      if (i == j) {
        if (sum < 1e-11) return std::nullopt;
        low[usize(i)][usize(i)] = std::sqrt(sum);
      } else {
        low[usize(i)][usize(j)] = sum / low[usize(j)][usize(j)];
      }
    }
  }
  Terms y{};
  for (i64 i = 0; i < n; ++i) {
    f64 sum = normal.b[usize(at[usize(i)])];
    for (i64 k = 0; k < i; ++k)
      sum -= low[usize(i)][usize(k)] * y[usize(k)];
    y[usize(i)] = sum / low[usize(i)][usize(i)];
  }
  Terms out{};
  for (i64 i = n - 1; i >= 0; --i) {
    f64 sum = y[usize(i)];
    for (i64 k = i + 1; k < n; ++k)
      sum -= low[usize(k)][usize(i)] * out[usize(at[usize(k)])];
    out[usize(at[usize(i)])] = sum / low[usize(i)][usize(i)];
  }
  return out;
}

f64 error_of(const Normal& normal, const Terms& x) {
  f64 out = normal.squares;
  for (i64 i = 0; i < kTerms; ++i) {
    out -= 2 * normal.b[usize(i)] * x[usize(i)];
    for (i64 j = 0; j < kTerms; ++j)
      out += x[usize(i)] * normal.a[usize(i)][usize(j)] * x[usize(j)];
  }
  return out;
}

}  // namespace

CostModel fit_cost(std::span<const CostSample> samples) {
  Terms length{};
  for (const CostSample& one : samples) {
    const Terms t = terms_of(one.tokens);
    for (i64 i = 0; i < kTerms; ++i)
      length[usize(i)] += one.weight * t[usize(i)] * t[usize(i)];
  }
  for (f64& l : length)
    l = l > 0 ? std::sqrt(l) : 1;
  Normal normal;
  for (const CostSample& one : samples) {
    Terms t = terms_of(one.tokens);
    for (i64 i = 0; i < kTerms; ++i)
      t[usize(i)] /= length[usize(i)];
    for (i64 i = 0; i < kTerms; ++i) {
      normal.b[usize(i)] += one.weight * t[usize(i)] * one.cost;
      for (i64 j = 0; j < kTerms; ++j)
        normal.a[usize(i)][usize(j)] += one.weight * t[usize(i)] * t[usize(j)];
    }
    normal.squares += one.weight * one.cost * one.cost;
  }
  Terms best{};
  f64 least = normal.squares;
  for (i64 size = 1; size <= kTerms; ++size) {
    for (u32 set = 1; set < 1u << kTerms; ++set) {
      if (std::popcount(set) != size) continue;
      const std::optional<Terms> x = solve(normal, set);
      if (!x || std::any_of(x->begin(), x->end(), [](f64 v) { return v < 0; })) continue;
      const f64 error = error_of(normal, *x);
      // What is left of an exact fit is rounding.
      if (error >= least - 1e-12 * normal.squares) continue;
      least = error;
      best = *x;
    }
  }
  for (i64 i = 0; i < kTerms; ++i)
    best[usize(i)] /= length[usize(i)];
  return {best[0], best[1], best[2], best[3], best[4]};
}

std::optional<f64> cheapest_piece(const CostModel& c, f64 system, f64 per_unit, f64 answer) {
  const f64 curve = c.a2 * per_unit * per_unit;
  if (!(curve > 0)) return std::nullopt;
  const f64 fixed =
      c.a0 + c.a1 * system + c.a2 * system * system + c.b1 * answer + c.b2 * system * answer;
  return std::sqrt(fixed / curve);
}

}  // namespace lm::flow
