#include <array>

#include "cases.h"
#include "core/str.h"
#include "ops/ops.h"

namespace lm::test {

namespace {

using Outputs = std::vector<Value>;

struct Texts {
  std::string name;
  std::vector<i32> spans;  // six per row
  std::vector<i32> ends;   // of prefixes, one per row
};

// One text, several, and several with rows of none between them.
std::vector<Texts> text_sets(i64 n) {
  std::vector<Texts> sets;
  const auto add = [&](const std::string& name, std::span<const i64> lengths) {
    Texts one{name, causal_spans(lengths), {}};
    i64 begin = 0;
    for (const i64 length : lengths) {
      for (i64 i = 0; i < length; ++i)
        one.ends.push_back(static_cast<i32>(begin + length * 2 / 3));
      begin += length;
    }
    sets.push_back(std::move(one));
  };
  const std::array<i64, 1> one = {n};
  add("one text", one);
  if (n < 4) return sets;
  const std::array<i64, 3> three = {n / 3, 1, n - n / 3 - 1};
  add("three texts", three);
  Texts holes = sets.back();
  holes.name = "rows of no text";
  for (const i64 row : {n / 3, n - 1})
    for (i64 s = 0; s < kSpanInts; ++s)
      holes.spans[usize(row * kSpanInts + s)] = 0;
  for (i64 i = 0; i < n; ++i)  // the last text has a row less
    if (i > n / 3) holes.ends[usize(i)] = static_cast<i32>(n / 3 + 2);
  sets.push_back(std::move(holes));
  return sets;
}

}  // namespace

void add_recurrent_cases(std::vector<OpCase>& cases) {
  const i64 before = isize(cases);
  for (const i64 n : {1, 5, 37}) {
    for (const Texts& texts : text_sets(n)) {
      for (const i64 cols : {1, 19, 300}) {
        if (cols == 300 && n == 37 && texts.name != "three texts") continue;
        cases.push_back({cat("scan ", n, "x", cols, ", ", texts.name), [=](CaseGraph& c) {
                           const Value gate = unary(c.g, c.f({n, cols}), Unary::kSigmoid);
                           const Value x = c.f({n, cols});
                           return Outputs{scan(c.g, gate, x, c.ints({n, 6}, texts.spans))};
                         }});
        if (cols < 300)
          cases.push_back({cat("lstm ", n, "x", cols, ", ", texts.name),
                           [=](CaseGraph& c) {
                             const Value x = c.f({n, 4 * cols});
                             const Value w = c.param({4 * cols, cols}, 0.3);
                             return Outputs{lstm(c.g, x, w, c.ints({n, 6}, texts.spans))};
                           },
                           1e-10});
        for (const i64 taps : {1, 3, 8})
          cases.push_back(
              {cat("conv ", n, "x", cols, ", ", taps, " taps, ", texts.name), [=](CaseGraph& c) {
                 const Value x = c.f({n, cols});
                 const Value w = c.param({taps, cols});
                 return Outputs{conv(c.g, x, w, c.ints({n, 6}, texts.spans))};
               }});
      }
      for (const LinearAttentionAttr attr :
           {LinearAttentionAttr{1, 1, 1}, LinearAttentionAttr{3, 4, 7},
            LinearAttentionAttr{2, 16, 24}}) {
        // A lone row is its own value, whatever query and key are: their gradients are rounding.
        if (n == 1 || (attr.dim == 16 && n == 37)) continue;
        for (const bool prefix : {false, true})
          cases.push_back(
              {cat("linear attention ", n, ", ", attr.heads, " heads of ", attr.dim, " to ",
                   attr.head_dim, ", ", texts.name, prefix ? ", prefix" : ""),
               [=](CaseGraph& c) {
                 const Shape keys{n, i64{attr.heads} * attr.dim};
                 const Shape values{n, i64{attr.heads} * attr.head_dim};
                 LinearAttentionInputs x{c.f(keys), c.f(keys), c.f(values), {}, {}, {}};
                 if (prefix) {
                   x.prefix_k = c.f(keys);
                   x.prefix_v = c.f(values);
                   x.prefix_end = c.ints({n}, texts.ends);
                 }
                 return Outputs{linear_attention(c.g, x, c.ints({n, 6}, texts.spans), attr)};
               },
               1e-10});
      }
    }
  }
  for (i64 i = before; i < isize(cases); ++i)
    cases[usize(i)].host_only = true;
}

}  // namespace lm::test
