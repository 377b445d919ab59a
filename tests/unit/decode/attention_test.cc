// Attention weights beside the slow reference of the operators: a layer's attention is the sum of
// values by these weights.

#include "decode/attention.h"

#include "catch.h"
#include "core/str.h"
#include "model/build.h"
#include "unit/model/engine_rows.h"
#include "unit/model/reference.h"
#include "unit/ops/ref/ref.h"

namespace {

using namespace lm;

/// Attention of the reference that keeps what it was given and what it made.
class KeepingContext : public model::MixContext {
 public:
  KeepingContext(Graph& g, Value spans) : g_(g), spans_(spans) {}
  Value attend(Value qkv, const AttentionAttr& attr, i64 /*layer*/) override {
    given.push_back(qkv);
    made.push_back(attention(g_, qkv, spans_, attr));
    return made.back();
  }
  Value scan(Value gate, Value x, i64 /*layer*/) override { return lm::scan(g_, gate, x, spans_); }
  Value lstm(Value x, Value w, i64 /*layer*/) override { return lm::lstm(g_, x, w, spans_); }
  Value conv(Value x, Value w, i64 /*layer*/) override { return lm::conv(g_, x, w, spans_); }
  Value linear_attend(const LinearAttentionInputs& x, const LinearAttentionAttr& attr,
                      i64 /*layer*/) override {
    return linear_attention(g_, x, spans_, attr);
  }
  std::vector<Value> given, made;

 private:
  Graph& g_;
  Value spans_;
};

/// The largest difference between the reference's attention and the values weighted by the reader's
/// weights, over all layers, heads and rows.
f64 difference(const std::string& shape, i64 n) {
  const model::Model model = test::scaled_model(shape, 4);
  const std::vector<i32> tokens = test::random_tokens(n, 3);
  Graph graph(ops());
  model::GraphModel parts(graph, model.cfg, *model.params, {});
  const Value ids = graph.input("tokens", {n}, DType::kI32);
  const Value at = graph.input("positions", {n}, DType::kI32);
  const Value seen = graph.input("spans", {n, kSpanInts}, DType::kI32);
  KeepingContext mix(graph, seen);
  parts.hidden(ids, at, mix);
  test::RefRun run(graph);
  test::Numbers positions, edges;
  for (i64 i = 0; i < n; ++i) {
    positions.push_back(static_cast<f64>(i));
    edges.insert(edges.end(), {0.0, static_cast<f64>(i + 1), 0, 0, 0, 0});
  }
  run.set(ids, test::Numbers(tokens.begin(), tokens.end()));
  run.set(at, positions);
  run.set(seen, edges);
  test::run_with_weights(run, graph, model);

  model::EngineOptions options;
  options.max_rows = 5;  // several passes
  for (i64 layer = 0; layer < model.cfg.depth(); ++layer)
    options.projections.push_back(layer);
  model::Engine engine(model, options);
  decode::AttentionReader reader(engine, options.projections);
  reader.read(test::random_tokens(n + 2, 9));  // another text before it leaves nothing behind
  reader.read(tokens);
  f64 worst = 0;
  for (i64 layer = 0; layer < model.cfg.depth(); ++layer) {
    const model::AttentionCfg& a =
        std::get<model::AttentionCfg>(model.cfg.layers[usize(layer)].mixer);
    const test::Numbers& qkv = run.at(mix.given[usize(layer)]);
    const test::Numbers& want = run.at(mix.made[usize(layer)]);
    for (i64 head = 0; head < a.heads; ++head) {
      for (i64 row = 0; row < n; ++row) {
        std::vector<f64> weights(usize(row + 1));
        reader.weights(layer, head, row, weights);
        f64 sum = 0;
        for (const f64 w : weights)
          sum += w;
        worst = std::max(worst, std::abs(sum - 1));
        for (i64 k = 0; k < a.head_dim; ++k) {
          f64 made = 0;
          for (i64 j = 0; j <= row; ++j)
            made += weights[usize(j)] * qkv[usize(j * a.qkv_size() + a.q_size() + a.kv_size() +
                                                  head / (a.heads / a.kv_heads) * a.head_dim + k)];
          worst = std::max(worst,
                           std::abs(made - want[usize(row * a.q_size() + head * a.head_dim + k)]));
        }
      }
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("values weighted by attention weights are what attention gives", "[decode]") {
  CHECK(difference("family=llama,layers=2,width=16,heads=4,kv_heads=2,vocab=50,context=40", 13) <
        1e-4);
  CHECK(difference("family=gpt2,layers=2,width=16,heads=2,vocab=50,context=40", 9) < 1e-4);
  CHECK(difference("family=gpt2,layers=2,width=16,heads=2,vocab=50,context=40,attn=alternating,"
                   "sparse=fixed:block=16,local=1,global=1",
                   36) < 1e-4);
  CHECK(difference("family=mistral,layers=2,width=16,heads=2,window=4,vocab=50,context=40", 12) <
        1e-4);
}
