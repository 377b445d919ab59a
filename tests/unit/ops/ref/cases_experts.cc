#include <array>

#include "cases.h"
#include "core/str.h"
#include "ops/ops.h"

namespace lm::test {

namespace {

using Outputs = std::vector<Value>;

// Spans of n rows, every third of which is padding.
std::vector<i32> spans_with_holes(i64 n) {
  const std::array<i64, 1> one = {n};
  std::vector<i32> spans = causal_spans(one);
  for (i64 i = 2; i < n; i += 3)
    for (i64 s = 0; s < kSpanInts; ++s)
      spans[usize(i * kSpanInts + s)] = 0;
  return spans;
}

Outputs all_of(const Routing& r) {
  return {r.weights, r.index, r.probabilities, r.lse};
}

void add_route_cases(std::vector<OpCase>& cases) {
  struct Kind {
    const char* name;
    RouteAttr attr;
  };
  for (const Kind& kind :
       {Kind{"best", {8, 2, GateKind::kSoftmax, false}},
        Kind{"best, over their sum", {8, 3, GateKind::kSoftmax, true}},
        Kind{"all", {5, 5, GateKind::kSoftmax, true}}, Kind{"one of one", {1, 1, {}, false}},
        Kind{"one", {19, 1, GateKind::kSoftmax, false}},
        Kind{"sigmoid", {8, 3, GateKind::kSigmoid, false}},
        Kind{"sigmoid, over their sum", {8, 2, GateKind::kSigmoid, true}}}) {
    for (const i64 n : {1, 5, 37}) {
      const i64 experts = kind.attr.experts;
      // A lone expert's gate is 1, whatever its logit: no gradient to measure.
      const bool flat = experts == 1;
      cases.push_back({cat("route ", n, ", ", kind.name), [=](CaseGraph& c) {
                         return all_of(route(c.g, {c.f({n, experts}), {}, {}, {}, {}}, kind.attr));
                       }});
      cases.back().differentiable = !flat;
      cases.push_back({cat("route ", n, ", ", kind.name, ", bias, padding"), [=](CaseGraph& c) {
                         std::vector<f32> bias;
                         for (i64 e = 0; e < experts; ++e)
                           bias.push_back(0.3f * static_cast<f32>(e % 3));
                         const Value logits = c.f({n, experts});
                         const Value b = c.fixed({experts}, bias);
                         const Value spans = c.ints({n, kSpanInts}, spans_with_holes(n));
                         return all_of(route(c.g, {logits, b, spans, {}, {}}, kind.attr));
                       }});
      cases.back().differentiable = !flat;
      if (kind.attr.active == 2)
        cases.push_back({cat("route ", n, ", ", kind.name, ", draws"), [=](CaseGraph& c) {
                           std::vector<f32> draws;
                           for (i64 i = 0; i < n; ++i)
                             draws.push_back(0.05f + 0.9f * static_cast<f32>(i % 7) / 7);
                           const Value logits = c.f({n, experts});
                           const Value u = c.fixed({n}, draws);
                           return all_of(route(c.g, {logits, {}, {}, u, {}}, kind.attr));
                         }});
    }
  }
  cases.push_back({"route 40, tokens", [](CaseGraph& c) {
                     const Value tokens = c.ints({40}, c.draw_ints(40, 1000));
                     return all_of(route(c.g, {{}, {}, {}, {}, tokens}, {6, 1, {}, false}));
                   }});
  cases.back().differentiable = false;
}

struct Pairs {
  i64 rows = 0, active = 0, experts = 0;
  std::vector<i32> index;
};

// Rows whose experts differ; some slots go nowhere, and the last expert gets none where there are
// three or more.
Pairs some_pairs(i64 rows, i64 active, i64 experts) {
  Pairs out{rows, active, experts, {}};
  const i64 used = experts > 2 ? experts - 1 : experts;
  for (i64 i = 0; i < rows; ++i)
    for (i64 k = 0; k < active; ++k)
      out.index.push_back(i % 5 == 3 && k > 0 ? -1 : static_cast<i32>((i * i + k) % used));
  return out;
}

void add_layer_cases(std::vector<OpCase>& cases) {
  for (const Pairs& p :
       {some_pairs(1, 1, 1), some_pairs(7, 2, 5), some_pairs(150, 2, 3), some_pairs(33, 3, 8)}) {
    const std::string name = cat(p.rows, " rows, ", p.active, " of ", p.experts);
    const auto sorted = [=](CaseGraph& c) {
      Routing routing;
      routing.index = c.ints({p.rows, p.active}, p.index);
      routing.weights = c.f({p.rows, p.active});
      return std::pair(routing, dispatch(c.g, routing, {static_cast<i32>(p.experts), 0, false}));
    };
    cases.push_back({cat("dispatch ", name), [=](CaseGraph& c) {
                       const Dispatch d = sorted(c).second;
                       return Outputs{d.rows, d.place, d.offsets, d.load, d.share};
                     }});
    cases.back().differentiable = false;
    for (const i64 out : {1, 17, 40}) {
      const i64 in = out == 1 ? 3 : 24;
      cases.push_back({cat("grouped linear ", name, ", ", in, " to ", out), [=](CaseGraph& c) {
                         const Dispatch d = sorted(c).second;
                         const Value x = c.f({p.rows * p.active, in});
                         const Value w = c.param({p.experts * out, in}, 0.3);
                         return Outputs{grouped_linear(c.g, x, w, d.offsets, p.experts)};
                       }});
      cases.back().differentiable = false;
      cases.push_back({cat("experts ", name, ", ", in, " to ", out), [=](CaseGraph& c) {
                         const auto [routing, d] = sorted(c);
                         const Value x = c.f({p.rows, in});
                         const Value w = c.param({p.experts * out, in}, 0.3);
                         const Value h = grouped_linear(c.g, gather_rows(c.g, x, d.rows), w,
                                                        d.offsets, p.experts);
                         const Value r = c.f({p.rows, out});
                         return Outputs{combine(c.g, h, routing.weights, d.place, r)};
                       }});
    }
    cases.push_back({cat("combine ", name), [=](CaseGraph& c) {
                       const auto [routing, d] = sorted(c);
                       const Value x = c.f({p.rows * p.active, 19});
                       return Outputs{combine(c.g, x, routing.weights, d.place)};
                     }});
  }
}

}  // namespace

void add_experts_cases(std::vector<OpCase>& cases) {
  const i64 before = isize(cases);
  add_route_cases(cases);
  add_layer_cases(cases);
  cases.push_back({"draws",
                   [](CaseGraph& c) {
                     return Outputs{draws(c.g, {5, 3}, DrawKind::kNormal)};
                   },
                   1e-11, false});
  for (i64 i = before; i < isize(cases); ++i)
    cases[usize(i)].host_only = true;
}

}  // namespace lm::test
