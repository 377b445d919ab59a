#include "ops/ops.h"

#include <cmath>
#include <map>
#include <set>

#include "catch.h"
#include "core/str.h"
#include "graph/plan.h"
#include "ops/rope_table.h"

using namespace lm;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("the table has one complete entry per operator", "[ops]") {
  CHECK(ssize(ops()) == kOpCount);
  std::set<std::string_view> names;
  for (const OpDef& def : ops()) {
    CHECK(names.insert(def.name).second);
    CHECK(def.infer != nullptr);
    CHECK((def.is_view || def.cost != nullptr));
  }
  // The enumerators and the table agree at its families' borders.
  const auto name = [](Op op) { return ops()[static_cast<std::size_t>(op)].name; };
  CHECK(name(kOpView) == "view");
  CHECK(name(kOpCopy) == "copy");
  CHECK(name(kOpFill) == "fill");
  CHECK(name(Op::kAdd) == "add");
  CHECK(name(Op::kSoftmax) == "softmax");
  CHECK(name(Op::kPick) == "pick");
  CHECK(name(Op::kLinear) == "linear");
  CHECK(name(Op::kNorm) == "norm");
  CHECK(name(Op::kPagedAttention) == "paged_attention");
  CHECK(name(Op::kEmbeddingGrad) == "embedding_grad");
  CHECK(name(Op::kLinearLogprob) == "linear_logprob");
}

TEST_CASE("shape mistakes name operator, node and shapes", "[ops]") {
  Graph g(ops());
  const Value x = g.input("x", {4, 6});
  const Value w = g.input("w", {5, 7});
  const Value ids = g.input("ids", {4}, DType::kI32);
  const Graph::Scope scope = g.scope("blocks.7");
  CHECK_THROWS_WITH(linear(g, x, w), ContainsSubstring("linear (blocks.7.linear)") &&
                                         ContainsSubstring("f32[4, 6], f32[5, 7]"));
  CHECK_THROWS_AS(linear(g, ids, w), ShapeError);
  CHECK_THROWS_AS(linear(g, x, g.input("w", {5, 6}), g.input("b", {6})), ShapeError);
  CHECK_THROWS_AS(linear_add(g, x, g.input("w", {5, 6}), {}, x), ShapeError);
  CHECK_THROWS_AS(linear(g, x, g.input("w", {5, 6}), {}, Unary::kTanh), ShapeError);
  CHECK_THROWS_AS(matmul(g, x, w), ShapeError);
  CHECK_THROWS_AS(matmul(g, x, x, true, true), ShapeError);
  CHECK_THROWS_AS(matmul(g, g.input("a", {2, 3, 4}), g.input("b", {3, 4, 5})), ShapeError);
  CHECK_THROWS_AS(add(g, x, w), ShapeError);
  CHECK_THROWS_AS(mul(g, x, ids), ShapeError);
  CHECK_THROWS_AS(add(g, x, g.input("v", {4}), 1, 1, Along::kRow), ShapeError);
  CHECK_THROWS_AS(dropout(g, x, 1.0f), ShapeError);
  CHECK_THROWS_AS(glu(g, w, GluKind::kSilu), ShapeError);
  CHECK_THROWS_AS(layernorm(g, x, g.input("v", {5}), {}), ShapeError);
  CHECK_THROWS_AS(embedding(g, x, w), ShapeError);
  CHECK_THROWS_AS(embedding(g, ids, w, ids, {}), ShapeError);
  CHECK_THROWS_AS(slice_rows(g, x, 3, 2), ShapeError);
  CHECK_THROWS_AS(slice_columns(g, x, -1, 2), ShapeError);
  CHECK_THROWS_AS(reshape(g, x, {5, 5}), ShapeError);
  CHECK_THROWS_AS(reshape(g, slice_columns(g, x, 0, 3), {12}), ShapeError);
  CHECK_THROWS_AS(concat_rows(g, {x, w}), ShapeError);
  CHECK_THROWS_AS(concat_columns(g, {x, w}), ShapeError);
  CHECK_THROWS_AS(gather_rows(g, x, x), ShapeError);
  CHECK_THROWS_AS(linear_ce(g, x, g.input("h", {9, 6}), ids, {}, CeAttr{10, 0, 0, 0, false}).sum,
                  ShapeError);
  const Value spans = g.input("spans", {4, 6}, DType::kI32);
  CHECK_THROWS_AS(attention(g, x, spans, AttentionAttr{2, 1, 2, 0, 0, true}), ShapeError);
  CHECK_THROWS_AS(attention(g, x, spans, AttentionAttr{3, 2, 1, 0, 0, true}), ShapeError);
  CHECK_THROWS_AS(paged_attention(g, x, PagedAttr{2, 1, 2, 0, 0, 0, 0}), ShapeError);
  const Value table = g.input("table", {2, 9, 2});
  CHECK_THROWS_AS(rope(g, x, ids, table, RopeAttr{2, 3, 3, false, false}), ShapeError);
  CHECK_THROWS_AS(rope(g, x, ids, table, RopeAttr{2, 4, 4, false, false}), ShapeError);
}

TEST_CASE("stop_gradient cuts", "[ops]") {
  Graph g(ops());
  const Value x = g.input("x", {3}, DType::kF32, true);
  const Value loss = sum(g, mul(g, x, stop_gradient(g, x)));
  g.backward(loss);
  i64 products = 0;
  for (const Node& n : g.nodes())
    products += n.backward && n.op == Op::kMul;
  CHECK(products == 1);  // one factor only
}

TEST_CASE("a plain cross-entropy makes its gradients in the forward node", "[ops]") {
  const auto backward_head_nodes = [](bool scaled) {
    Graph g(ops());
    const Value x = g.input("x", {8, 4}, DType::kF32, true);
    const Value w = g.parameter("w", {10, 4}, 0);
    const Value t = g.input("t", {8}, DType::kI32);
    Value loss = linear_ce(g, x, w, t, {}, CeAttr{10, 0, 0, 0, false}).sum;
    if (scaled) loss = scale(g, loss, 0.5f);
    g.backward(loss);
    i64 count = 0;
    for (const Node& n : g.nodes())
      count += n.op == Op::kLinearCeGrad;
    CHECK(g.nodes()[0].attr.as<CeAttr>().fused == !scaled);
    CHECK(g.grad(x));
    CHECK(g.grad(w));
    return count;
  };
  CHECK(backward_head_nodes(false) == 0);
  CHECK(backward_head_nodes(true) == 1);
}

TEST_CASE("costs count the products of a linear layer and of a loss", "[ops]") {
  Graph g(ops());
  const Value x = g.input("x", {8, 4});
  const Value w = g.parameter("w", {10, 4}, 0);
  const Value y = linear(g, x, w);
  g.keep(y);
  CHECK(total_flops(g) == 2 * 8 * 4 * 10);
  Graph h(ops());
  const Value hx = h.input("x", {8, 4}, DType::kF32, true);
  const Value hw = h.parameter("w", {10, 4}, 0);
  const Value loss =
      linear_ce(h, hx, hw, h.input("t", {8}, DType::kI32), {}, CeAttr{10, 0, 0, 0, false}).sum;
  h.keep(loss);
  h.backward(loss);
  CHECK(total_flops(h) >= 3 * 2 * 8 * 4 * 10);  // logits, dx and dW
}

TEST_CASE("rotary frequencies follow their published rules", "[ops]") {
  RopeConfig plain;
  plain.rotary_dim = 4;
  // theta = 10000^0, 10000^(-1/2)
  CHECK(rope_frequencies(plain) == std::vector<f64>{1.0, std::pow(10000.0, -0.5)});
  RopeConfig linear_cfg = plain;
  linear_cfg.kind = RopeConfig::kLinear;
  linear_cfg.factor = 4;
  CHECK(rope_frequencies(linear_cfg)[0] == 0.25);

  RopeConfig llama = plain;
  llama.kind = RopeConfig::kLlama3;
  llama.rotary_dim = 128;
  llama.base = 500000;
  llama.factor = 8;
  llama.original_context = 8192;
  const std::vector<f64> scaled = rope_frequencies(llama);
  llama.kind = RopeConfig::kPlain;
  const std::vector<f64> base = rope_frequencies(llama);
  for (std::size_t k = 0; k < base.size(); ++k) {
    const f64 wavelength = 6.283185307179586 / base[k];
    if (wavelength < 2048) CHECK(scaled[k] == base[k]);
    if (wavelength > 8192) CHECK(scaled[k] == base[k] / 8);
    CHECK(scaled[k] <= base[k]);
    CHECK(scaled[k] >= base[k] / 8);
    if (k > 0) CHECK(scaled[k] < scaled[k - 1]);  // the blend is monotone
  }

  RopeConfig yarn = plain;
  yarn.kind = RopeConfig::kYarn;
  yarn.rotary_dim = 64;
  yarn.factor = 4;
  yarn.original_context = 2048;
  const std::vector<f64> blended = rope_frequencies(yarn);
  CHECK(blended.front() == 1.0);  // many turns: kept
  CHECK(blended.back() == Approx(std::pow(10000.0, -62.0 / 64) / 4).epsilon(1e-12));
  // Attention factor 0.1 ln 4 + 1 scales cosines: cos(0) = 1.
  CHECK(make_rope_table(yarn, 1)[0] == Approx(0.1 * std::log(4.0) + 1));

  RopeConfig ntk = plain;
  ntk.kind = RopeConfig::kDynamicNtk;
  ntk.factor = 2;
  ntk.original_context = 100;
  CHECK(rope_frequencies(ntk, 100) == rope_frequencies(plain));
  // base * (2 * 200/100 - 1)^(4/2) = 90000: theta_1 = 1/300
  CHECK(rope_frequencies(ntk, 200)[1] == Approx(1.0 / 300).epsilon(1e-12));
}

TEST_CASE("attention costs what rows of one sequence see", "[ops]") {
  const auto flops = [](i64 span_rows) {
    Graph g(ops());
    g.set_span_rows(span_rows);
    const AttentionAttr attr{2, 1, 4, 0, 0, true};
    const Value x = g.input("x", {24, 16}, DType::kF32, true);
    const Value y = attention(g, x, g.input("spans", {24, kSpanInts}, DType::kI32), attr);
    const Value loss = sum(g, y);
    g.keep(loss);
    g.backward(loss);
    g.keep(g.grad(x));
    std::map<std::string, i64> out;
    for (const OpTotal& total : op_totals(g))
      out[total.op] = total.flops;
    return out;
  };
  // 24 rows, half of 24 or of 6 keys each, 2 heads of 4, two multiply-adds (seven backward).
  std::map<std::string, i64> all = flops(0);
  CHECK(all["attention"] == 24 * 12 * 2 * 4 * 4);
  CHECK(all["attention_grad"] == 24 * 12 * 2 * 4 * 14);
  std::map<std::string, i64> apart = flops(6);
  CHECK(apart["attention"] == 24 * 3 * 2 * 4 * 4);
  CHECK(apart["attention_grad"] == 24 * 3 * 2 * 4 * 14);
  // Rows that see all of their sequence: of one that is twice as long.
  std::map<std::string, i64> whole = flops(48);
  CHECK(whole["attention"] == 2 * all["attention"]);
  CHECK(whole["attention_grad"] == 2 * all["attention_grad"]);
  CHECK(flops(100) == whole);
}

TEST_CASE("rotary tables hold cosines, then sines", "[ops]") {
  RopeConfig cfg;
  cfg.rotary_dim = 4;
  const std::vector<f32> t = make_rope_table(cfg, 3);
  REQUIRE(t.size() == 12);
  CHECK(t[0] == 1.0f);
  CHECK(t[2 * 2] == static_cast<f32>(std::cos(2.0)));
  CHECK(t[6 + 2 * 2] == static_cast<f32>(std::sin(2.0)));
  CHECK(t[6 + 2 * 2 + 1] == static_cast<f32>(std::sin(0.02)));
}

TEST_CASE("impossible rotary configurations are refused", "[ops]") {
  RopeConfig cfg;
  CHECK_THROWS_WITH(rope_frequencies(cfg), ContainsSubstring("rotary_dim is 0"));
  cfg.rotary_dim = 5;
  CHECK_THROWS_AS(rope_frequencies(cfg), Error);
  cfg.rotary_dim = 4;
  cfg.base = -1;
  CHECK_THROWS_AS(rope_frequencies(cfg), Error);
  cfg.base = 10000;
  cfg.factor = 0.5;
  CHECK_THROWS_AS(rope_frequencies(cfg), Error);
  cfg.factor = 2;
  cfg.kind = RopeConfig::kYarn;
  CHECK_THROWS_WITH(rope_frequencies(cfg), ContainsSubstring("original context"));
}
