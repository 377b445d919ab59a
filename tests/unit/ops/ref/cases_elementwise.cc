#include "cases.h"
#include "core/str.h"
#include "ops/ops.h"

namespace lm::test {

namespace {

using Outputs = std::vector<Value>;

constexpr std::array<Shape (*)(), 5> kShapes = {[] {
                                                  return Shape{1, 1};
                                                },
                                                [] {
                                                  return Shape{7, 13};
                                                },
                                                [] {
                                                  return Shape{3, 5, 31};
                                                },
                                                [] {
                                                  return Shape{300, 67};
                                                },
                                                [] {
                                                  return Shape{0, 4};
                                                }};

void add_unary_cases(std::vector<OpCase>& cases) {
  struct Named {
    const char* name;
    Unary kind;
    f64 around;  // 0: on both sides of it
  };
  for (const Named& u :
       {Named{"gelu_tanh", Unary::kGeluTanh, 0}, Named{"gelu_erf", Unary::kGeluErf, 0},
        Named{"relu", Unary::kRelu, 0}, Named{"relu2", Unary::kRelu2, 0},
        Named{"silu", Unary::kSilu, 0}, Named{"tanh", Unary::kTanh, 0},
        Named{"sigmoid", Unary::kSigmoid, 0}, Named{"exp", Unary::kExp, 0},
        Named{"log", Unary::kLog, 3}, Named{"square", Unary::kSquare, 0},
        Named{"sqrt", Unary::kSqrt, 3}, Named{"softcap", Unary::kSoftcap, 0},
        Named{"log_sigmoid", Unary::kLogSigmoid, 0}, Named{"log1mexp", Unary::kLog1mExp, -0.6},
        Named{"log1mexp far", Unary::kLog1mExp, -5}, Named{"step", Unary::kStep, 0}}) {
    for (const auto shape : kShapes) {
      cases.push_back({cat("unary ", u.name, " ", to_string(shape())), [u, shape](CaseGraph& c) {
                         const Value x = u.around != 0 ? c.f(shape(), 0.1, u.around)
                                                       : c.away_from_zero(shape());
                         return Outputs{unary(c.g, x, u.kind, 2.5f)};
                       }});
    }
  }
}

void add_pair_cases(std::vector<OpCase>& cases) {
  for (const auto shape : kShapes) {
    for (const Along along : {Along::kSame, Along::kRow, Along::kCol, Along::kScalar}) {
      const auto other = [shape, along] {
        const Shape s = shape();
        if (along == Along::kRow) return Shape{s.cols()};
        if (along == Along::kCol) return Shape{s.rows()};
        return along == Along::kScalar ? Shape{1} : s;
      };
      const std::string where = cat(static_cast<int>(along), " ", to_string(shape()));
      cases.push_back({"add along " + where, [=](CaseGraph& c) {
                         const Value a = c.f(shape());
                         return Outputs{add(c.g, a, c.f(other()), 0.75f, -1.5f, along)};
                       }});
      cases.push_back({"mul along " + where, [=](CaseGraph& c) {
                         const Value a = c.f(shape());
                         return Outputs{mul(c.g, a, c.param(other()), along)};
                       }});
      if (along == Along::kSame) continue;
      cases.push_back(
          {"reduce along " + where,
           [=](CaseGraph& c) {
             const Value x = c.f(shape());
             const Value y = c.f(shape());
             const Attr one = Attr::of(ReduceAttr{along, 1.0f});
             const Attr two = Attr::of(ReduceAttr{along, 0.5f});
             return Outputs{c.g.apply(Op::kReduce, one, {x}), c.g.apply(Op::kReduce, two, {x, y})};
           },
           1e-10});
      cases.push_back({"broadcast along " + where, [=](CaseGraph& c) {
                         const Attr attr = Attr::of(BroadcastAttr{along, 1.25f, shape()});
                         return Outputs{c.g.apply(Op::kBroadcast, attr, {c.f(other())})};
                       }});
    }
  }
}

void add_row_cases(std::vector<OpCase>& cases) {
  for (const auto shape : kShapes) {
    const std::string where = to_string(shape());
    cases.push_back({"softmax " + where, [=](CaseGraph& c) {
                       const Value x = c.f(shape());
                       return Outputs{softmax(c.g, x), softmax(c.g, x, 0.3f)};
                     }});
    cases.push_back({"logsumexp " + where,
                     [=](CaseGraph& c) { return Outputs{logsumexp(c.g, c.f(shape(), 3.0))}; }});
    cases.push_back({"pick " + where, [=](CaseGraph& c) {
                       const Value x = c.f(shape());
                       std::vector<i32> index = c.draw_ints(shape().rows(), shape().cols());
                       if (index.size() > 2) index[1] = -100;
                       return Outputs{pick(c.g, x, c.ints({shape().rows()}, index))};
                     }});
    cases.push_back({"dropout off " + where,
                     [=](CaseGraph& c) { return Outputs{dropout(c.g, c.f(shape()), 0.3f)}; }});
    cases.push_back({"scale, mean, mse " + where,
                     [=](CaseGraph& c) {
                       const Value x = c.f(shape());
                       return Outputs{scale(c.g, x, 0.1f), mean(c.g, x), mse(c.g, x, c.f(shape()))};
                     },
                     1e-10});
  }
  for (const GluKind kind :
       {GluKind::kSilu, GluKind::kGeluTanh, GluKind::kRelu2, GluKind::kGeluErf}) {
    for (const i64 half : {1, 5, 32, 129}) {
      cases.push_back({cat("glu ", static_cast<int>(kind), " ", half), [=](CaseGraph& c) {
                         return Outputs{glu(c.g, c.away_from_zero({9, 2 * half}), kind)};
                       }});
    }
  }
}

void add_movement_cases(std::vector<OpCase>& cases) {
  cases.push_back({"views and copies", [](CaseGraph& c) {
                     const Value x = c.f({6, 4, 10});
                     const Value rows = slice_rows(c.g, x, 2, 3);
                     const Value cols = slice_columns(c.g, x, 3, 4);
                     const Value flat = reshape(c.g, copy(c.g, cols), {4, 24});
                     return Outputs{copy(c.g, rows), flat, scale(c.g, cols, 2.0f)};
                   }});
  cases.push_back({"one value by many ways", [](CaseGraph& c) {  // accumulation, shared gradients
                     const Value x = c.f({5, 8});
                     const Value y = add(c.g, x, x);
                     const Value z = mul(c.g, x, y);
                     const Value v = reshape(c.g, z, {8, 5});
                     return Outputs{add(c.g, z, y), mul(c.g, x, x), v, copy(c.g, x)};
                   }});
  cases.push_back({"a parameter used directly", [](CaseGraph& c) {
                     const Value w = c.param({3, 7});
                     return Outputs{add(c.g, w, w), reshape(c.g, w, {7, 3})};
                   }});
  cases.push_back({"concat rows", [](CaseGraph& c) {
                     const Value a = c.f({2, 3, 5});
                     const Value b = c.f({4, 5});
                     return Outputs{concat_rows(c.g, {a, b, a})};
                   }});
  cases.push_back({"concat columns", [](CaseGraph& c) {
                     const Value a = c.f({6, 5});
                     const Value b = c.f({2, 3, 7});
                     return Outputs{concat_columns(c.g, {a, b})};
                   }});
  cases.push_back({"gather rows", [](CaseGraph& c) {
                     const Value x = c.f({6, 11});
                     return Outputs{gather_rows(c.g, x, c.ints({5}, {3, 0, 3, -1, 6}))};
                   }});
  cases.push_back({"scatter rows", [](CaseGraph& c) {
                     const Value x = c.f({5, 11});
                     return Outputs{scatter_add_rows(c.g, x, c.ints({5}, {3, 0, 3, -1, 9}), 6)};
                   }});
  for (const i64 rows : {1, 40, 700}) {
    cases.push_back({cat("embedding ", rows), [rows](CaseGraph& c) {
                       const Value table = c.param({17, 12});
                       const Value positions = c.param({rows, 12});
                       const Value tokens = c.ints({rows}, c.draw_ints(rows, 17));
                       const Value at = c.ints({rows}, c.draw_ints(rows, rows));
                       return Outputs{embedding(c.g, tokens, table, at, positions, 3.0f),
                                      embedding(c.g, tokens, table)};
                     }});
  }
}

}  // namespace

void add_elementwise_cases(std::vector<OpCase>& cases) {
  add_unary_cases(cases);
  add_pair_cases(cases);
  add_row_cases(cases);
  add_movement_cases(cases);
}

}  // namespace lm::test
