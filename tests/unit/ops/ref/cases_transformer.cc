#include "cases.h"
#include "core/str.h"
#include "ops/ops.h"
#include "ops/rope_table.h"

namespace lm::test {

namespace {

using Outputs = std::vector<Value>;

void add_norm_cases(std::vector<OpCase>& cases) {
  for (const Shape& s : {Shape{1, 3}, Shape{7, 13}, Shape{2, 5, 64}, Shape{600, 33}, Shape{0, 8}}) {
    const std::string where = to_string(s);
    cases.push_back({"layernorm " + where, [s](CaseGraph& c) {
                       const Value x = c.f(s, 2.0, 0.5);
                       return Outputs{layernorm(c.g, x, c.param({s.cols()}), c.param({s.cols()})),
                                      layernorm(c.g, x, {}, {})};
                     }});
    cases.push_back({"rmsnorm " + where, [s](CaseGraph& c) {
                       const Value x = c.f(s, 2.0);
                       return Outputs{rmsnorm(c.g, x, c.param({s.cols()})),
                                      rmsnorm(c.g, x, c.param({s.cols()}), 1e-5f, true)};
                     }});
    for (const NormKind kind : {NormKind::kLayer, NormKind::kRms}) {
      const NormAttr attr{kind, 1e-5f, false};
      cases.push_back(
          {cat("norm_residual ", static_cast<int>(kind), " ", where), [=](CaseGraph& c) {
             const Value x = c.f(s);
             const Value w = c.param({s.cols()});
             const Value b = kind == NormKind::kLayer ? c.param({s.cols()}) : Value{};
             const NormResidual n = norm_residual(c.g, x, c.f(s), w, b, attr);
             return Outputs{n.y, n.sum};
           }});
    }
  }
}

void add_position_cases(std::vector<OpCase>& cases) {
  for (const bool interleaved : {false, true}) {
    for (const i32 rotary : {4, 16}) {
      cases.push_back({cat("rope ", rotary, interleaved ? " interleaved" : ""), [=](CaseGraph& c) {
                         RopeConfig cfg;
                         cfg.rotary_dim = rotary;
                         const Value table = c.fixed({2, 50, rotary / 2}, make_rope_table(cfg, 50));
                         const Value pos = c.ints({11}, c.draw_ints(11, 50));
                         const RopeAttr attr{3, 16, rotary, interleaved, false};
                         return Outputs{rope(c.g, c.f({11, 64}), pos, table, attr)};
                       }});
    }
  }
  for (const bool full : {false, true}) {
    for (const bool plus_one : {false, true}) {
      cases.push_back({cat("qk_norm full ", full, " plus one ", plus_one), [=](CaseGraph& c) {
                         const QkNormAttr attr{4, 2, 8, 1e-6f, full, plus_one};
                         const Value x = c.f({19, 64});
                         const Value q = c.param({full ? 32 : 8});
                         return Outputs{qk_norm(c.g, x, q, c.param({full ? 16 : 8}), attr)};
                       }});
    }
  }
}

struct Spans {
  std::string name;
  std::vector<i32> rows;  // six per row
};

std::vector<Spans> span_sets(i64 n) {
  const i32 count = static_cast<i32>(n);
  std::vector<Spans> sets;
  const std::array<i64, 1> one = {n};
  sets.push_back({"causal", causal_spans(one)});
  const std::array<i64, 3> packed = {n / 3, 1, n - n / 3 - 1};
  sets.push_back({"packed", causal_spans(packed)});
  Spans both{"bidirectional", {}};
  Spans window{"sink and window", {}};
  Spans holes{"some rows empty", {}};
  for (i32 i = 0; i < count; ++i) {
    both.rows.insert(both.rows.end(), {0, count, 0, 0, 0, 0});
    const i32 from = std::max(2, i - 4);
    const bool late = i >= 2;
    window.rows.insert(window.rows.end(),
                       {0, std::min(2, i + 1), late ? from : 0, late ? i + 1 : 0, 0, from});
    const bool hole = i % 4 == 1;
    holes.rows.insert(holes.rows.end(), {0, hole ? 0 : i + 1, 0, 0, 0, 0});
  }
  sets.push_back(both);
  sets.push_back(window);
  sets.push_back(holes);
  return sets;
}

void add_attention_cases(std::vector<OpCase>& cases) {
  for (const i64 n : {1, 3, 37, 150}) {
    for (const Spans& spans : span_sets(std::max<i64>(n, 1))) {
      if (n < 3 && spans.name == "packed") continue;
      for (const f32 cap : {0.0f, 2.0f}) {
        const AttentionAttr attr{4, 2, 8, 0.0f, cap, true};
        cases.push_back({cat("attention ", n, " ", spans.name, " cap ", cap),
                         [=](CaseGraph& c) {
                           const Value x = c.f({n, 64});
                           return Outputs{attention(c.g, x, c.ints({n, 6}, spans.rows), attr)};
                         },
                         1e-10});
      }
    }
  }
  for (const i64 n : {37, 150}) {
    for (const Spans& spans : span_sets(n)) {
      for (const i32 window : {1, 5, 64, 1000}) {
        AttentionAttr attr{4, 2, 8, 0.0f, 0.0f, true};
        attr.window = window;
        cases.push_back({cat("attention ", n, " ", spans.name, " window ", window),
                         [=](CaseGraph& c) {
                           const Value x = c.f({n, 64});
                           return Outputs{attention(c.g, x, c.ints({n, 6}, spans.rows), attr)};
                         },
                         1e-10});
      }
    }
  }
  for (const Spans& spans : span_sets(150)) {
    for (const SparseMask& mask : {SparseMask{16, 2, 1, 2}, SparseMask{16, 3, 1, 2}}) {
      AttentionAttr attr{4, 2, 8, 0.0f, 0.0f, true};
      attr.sparse = mask;
      cases.push_back({cat("attention 150 ", spans.name, " sparse ", mask.local),
                       [=](CaseGraph& c) {
                         const Value x = c.f({150, 64});
                         return Outputs{attention(c.g, x, c.ints({150, 6}, spans.rows), attr)};
                       },
                       1e-10});
      cases.back().host_only = true;
    }
  }
  for (const i32 d : {1, 5, 64, 72}) {
    cases.push_back({cat("attention of separate inputs, head size ", d),
                     [=](CaseGraph& c) {
                       const AttentionAttr attr{3, 1, d, 0.2f, 0.0f, false};
                       const Value q = c.f({9, i64{3} * d});
                       const Value k = c.f({21, d});
                       const Value v = c.f({21, d});
                       std::vector<i32> spans;
                       for (i32 i = 0; i < 9; ++i) {
                         spans.insert(spans.end(), {0, i + 3, 15, 15 + i % 6, 0, i + 3});
                       }
                       return Outputs{attention(c.g, q, k, v, c.ints({9, 6}, spans), attr)};
                     },
                     1e-10});
  }
}

}  // namespace

void add_transformer_cases(std::vector<OpCase>& cases) {
  add_norm_cases(cases);
  add_position_cases(cases);
  add_attention_cases(cases);
}

}  // namespace lm::test
