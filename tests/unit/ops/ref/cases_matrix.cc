#include "cases.h"
#include "core/str.h"
#include "ops/ops.h"

namespace lm::test {

namespace {

using Outputs = std::vector<Value>;

struct Mnk {
  i64 m, n, k;
};

void add_linear_cases(std::vector<OpCase>& cases) {
  for (const Mnk s : {Mnk{1, 1, 1}, Mnk{3, 5, 7}, Mnk{17, 33, 19}, Mnk{64, 48, 300}, Mnk{0, 4, 5},
                      Mnk{130, 7, 65}}) {
    const std::string where = cat(s.m, "x", s.n, "x", s.k);
    const f64 limit = 1e-10;
    cases.push_back({"linear " + where,
                     [s](CaseGraph& c) {
                       return Outputs{linear(c.g, c.f({s.m, s.k}), c.param({s.n, s.k}))};
                     },
                     limit});
    cases.push_back({"linear with bias, tied " + where,
                     [s](CaseGraph& c) {
                       const Value x = c.f({s.m, s.k});
                       const Value w = c.param({s.n, s.k});
                       const Value b = c.param({s.n});
                       const Value y = linear(c.g, x, w, b);
                       return Outputs{y, linear(c.g, scale(c.g, x, 0.5f), w)};
                     },
                     limit});
    cases.push_back({"linear_add " + where,
                     [s](CaseGraph& c) {
                       const Value x = c.f({s.m, s.k});
                       const Value w = c.param({s.n, s.k});
                       const Value r = c.f({s.m, s.n});
                       return Outputs{linear_add(c.g, x, w, c.param({s.n}), r), copy(c.g, r)};
                     },
                     limit});
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        if (ta && tb) continue;
        cases.push_back({cat("matmul ", ta, tb, " ", where),
                         [=](CaseGraph& c) {
                           const Value a = c.f(ta ? Shape{s.k, s.m} : Shape{s.m, s.k});
                           const Value b = c.f(tb ? Shape{s.n, s.k} : Shape{s.k, s.n});
                           return Outputs{matmul(c.g, a, b, ta, tb, 0.7f)};
                         },
                         limit});
        cases.push_back({cat("batched matmul ", ta, tb, " ", where),
                         [=](CaseGraph& c) {
                           const Value a = c.f(ta ? Shape{3, s.k, s.m} : Shape{3, s.m, s.k});
                           const Value b = c.f(tb ? Shape{3, s.n, s.k} : Shape{3, s.k, s.n});
                           return Outputs{matmul(c.g, a, b, ta, tb)};
                         },
                         limit});
      }
    }
  }
  for (const Unary act :
       {Unary::kGeluTanh, Unary::kGeluErf, Unary::kRelu, Unary::kRelu2, Unary::kSilu}) {
    cases.push_back({cat("linear with activation ", static_cast<int>(act)),
                     [act](CaseGraph& c) {
                       const Value x = c.f({2, 9, 24}, 0.3);
                       const Value w = c.param({31, 24});
                       return Outputs{linear(c.g, x, w, c.param({31}), act)};
                     },
                     1e-10});
  }
  cases.push_back({"linear of a column slice",
                   [](CaseGraph& c) {
                     const Value x = c.f({10, 40});
                     const Value w = c.param({6, 16});
                     return Outputs{linear(c.g, slice_columns(c.g, x, 8, 16), w)};
                   },
                   1e-10});
}

struct CeCase {
  i64 rows, width, rows_w, vocab;
  bool weighted;
  f32 cap, z, eps;
};

std::vector<i32> some_ignored(std::vector<i32> targets) {
  for (std::size_t i = 2; i < targets.size(); i += 5)
    targets[i] = kIgnoreTarget;
  return targets;
}

void add_loss_cases(std::vector<OpCase>& cases) {
  for (const CeCase s :
       {CeCase{1, 4, 3, 3, false, 0, 0, 0}, CeCase{9, 16, 40, 37, false, 0, 0, 0},
        CeCase{40, 12, 128, 101, true, 0, 0, 0}, CeCase{23, 8, 64, 50, true, 3.0f, 0.01f, 0.1f},
        CeCase{1100, 6, 20, 20, true, 0, 0.001f, 0}}) {
    const CeAttr attr{s.vocab, s.cap, s.z, s.eps, false};
    const std::string where = cat(s.rows, "x", s.width, " vocab ", s.vocab);
    const auto inputs = [s](CaseGraph& c) {
      const Value x = c.f({s.rows, s.width});
      const Value w = c.param({s.rows_w, s.width}, 0.5);
      const Value t = c.ints({s.rows}, some_ignored(c.draw_ints(s.rows, s.vocab)));
      std::vector<f32> weights;
      for (i64 i = 0; i < s.rows; ++i)
        weights.push_back(0.25f * static_cast<f32>(i % 5 + 1));
      const Value weight = s.weighted ? c.fixed({s.rows}, weights) : Value{};
      return std::array<Value, 4>{x, w, t, weight};
    };
    cases.push_back({"linear_ce " + where,
                     [=](CaseGraph& c) {
                       const auto [x, w, t, weight] = inputs(c);
                       const CeResult r = linear_ce(c.g, x, w, t, weight, attr);
                       return Outputs{r.sum, r.rows};
                     },
                     1e-10});
    cases.push_back(
        {"linear_logprob " + where,
         [=](CaseGraph& c) {
           const auto [x, w, t, weight] = inputs(c);
           const LogprobResult r = linear_logprob(c.g, x, w, t, LogprobAttr{s.vocab, s.cap});
           return Outputs{r.logprob, r.entropy, r.argmax, r.rank};
         },
         1e-10, false});
    cases.push_back({"logits " + where,
                     [=](CaseGraph& c) {
                       const auto [x, w, t, weight] = inputs(c);
                       return Outputs{logits(c.g, x, w, s.vocab, s.cap)};
                     },
                     1e-10});
  }
}

}  // namespace

void add_matrix_cases(std::vector<OpCase>& cases) {
  add_linear_cases(cases);
  add_loss_cases(cases);
}

}  // namespace lm::test
