#include "train/router_loss.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "graph/plan.h"
#include "probe.h"
#include "tiny.h"
#include "unit/model/reference.h"

using namespace lm;
using train::Example;
using train::Examples;

namespace {

model::ModelCfg config(const std::string& moe, const std::string& family = "moe") {
  return model::make_config(model::parse_shape(
      cat("family=", family,
          ",layers=2,width=32,heads=4,kv_heads=2,ffn=24,vocab=64,context=32,moe=", moe)));
}

train::TrainOptions options(f32 balance = 0.01f, f32 z = 1e-3f) {
  train::TrainOptions out = test::tiny_options();
  out.routers.balance = balance;
  out.routers.z = z;
  return out;
}

std::unique_ptr<train::Objective> next_token() {
  return train::make_objective({});
}

/// Larger weights, so that routers are far from even.
test::Probe probe(const std::string& moe, const train::TrainOptions& train) {
  test::Probe out(next_token(), config(moe), train::graph_options(config(moe), train));
  for (i64 i = 0; i < out.model.weights.elements(); ++i)
    out.model.weights.data()[i] *= 5.0f;
  return out;
}

f64 run(test::Probe& p, const Examples& batch) {
  p.grads.zero();
  p.share = p.objective->fill(batch, {}, p.graph->inputs);
  p.graph->weigh(p.share);
  p.graph->inputs.set(*p.executor);
  p.executor->run({});
  return static_cast<f64>(p.executor->scalar(p.graph->loss.sum));
}

Examples batch_of(i64 count, i64 seq_len, i64 first = 0) {
  return test::consecutive(test::formula_tokens((first + count) * seq_len + 1), first, count,
                           seq_len);
}

}  // namespace

TEST_CASE("losses of routers are means over rows, and leave the reported loss alone", "[train]") {
  const Examples batch = batch_of(8, 32);
  test::Probe plain = probe("n=4,router=topk:2", options(0, 0));
  test::Probe both = probe("n=4,router=topk:2", options(0.5f, 0.25f));
  const f64 loss = run(plain, batch);
  CHECK(run(both, batch) == loss);
  // Even probabilities and loads give 1; here neither is even.
  CHECK(both.metric("moe_balance") > 1);
  CHECK(both.metric("moe_balance") < 4);
  CHECK(both.metric("moe_z") == Approx(plain.metric("moe_z")));
  CHECK_FALSE(test::same_bits(plain.grads, both.grads));
  // Rows of padding count nowhere: half of the batch has the means of itself alone.
  test::Probe half = probe("n=4,router=topk:2", [] {
    train::TrainOptions out = options(0.5f, 0.25f);
    out.micro_batch = out.batch = 4;
    return out;
  }());
  const Examples first(batch.begin(), batch.begin() + 4);
  run(half, first);
  run(both, first);
  CHECK(both.metric("moe_balance") == Approx(half.metric("moe_balance")).epsilon(1e-5));
  CHECK(both.metric("moe_z") == Approx(half.metric("moe_z")).epsilon(1e-5));
  f64 most = 0, apart = 0;
  for (i64 i = 0; i < half.grads.elements(); ++i) {
    most = std::max(most, std::abs(static_cast<f64>(half.grads.data()[i])));
    apart = std::max(apart, std::abs(static_cast<f64>(half.grads.data()[i]) -
                                     static_cast<f64>(both.grads.data()[i])));
  }
  CHECK(apart < 1e-5 * most);
}

TEST_CASE("gradients with losses of routers agree with differences of the reference", "[train]") {
  train::TrainOptions small = options(0.5f, 0.25f);
  small.seq_len = 6;
  small.micro_batch = small.batch = 2;
  small.routers.sequence = 0.3f;
  small.routers.importance = 0.2f;
  for (const char* const moe :
       {"n=4,router=topk:2", "n=4,router=topk:1,renorm=0,shared=1",
        "n=3,router=topk:2,gate=sigmoid,bias=1", "n=4,router=topk:2,every=2"}) {
    CAPTURE(moe);
    test::Probe p = probe(moe, small);
    const Examples batch = batch_of(2, 6);
    run(p, batch);
    const Graph& graph = p.graph->graph;
    const auto total = [&](i32 param, i64 element, f64 by) {
      test::RefRun ref(graph);
      const train::RowInputs& in = p.graph->inputs;
      const auto give = [&](Value v, const auto& list) {
        ref.set(v, test::Numbers(list.begin(), list.end()));
      };
      give(in.token_value, in.tokens);
      give(in.position_value, in.positions);
      give(in.target_value, in.targets);
      test::Numbers spans;
      for (const RowSpan& s : in.spans)
        spans.insert(spans.end(),
                     {1.0 * s.a0, 1.0 * s.a1, 1.0 * s.b0, 1.0 * s.b1, 1.0 * s.la, 1.0 * s.lb});
      ref.set(in.span_value, spans);
      for (i32 v = 0; v < isize(graph.values()); ++v)
        for (const char* const name : {"routed_rows", "router_scale"})
          if (graph.values()[usize(v)].name == name) give(Value{v}, p.graph->inputs.numbers(name));
      const model::RopeTables ropes(p.model.cfg, small.seq_len);
      for (i32 v = 0; v < isize(graph.values()); ++v) {
        const ValueInfo& info = graph.values()[usize(v)];
        const bool weight = info.kind == ValueKind::kParameter;
        if (!weight && info.name != "rope.0") continue;
        const Tensor t = weight ? p.model.weights[info.param] : ropes.tensor(0);
        test::Numbers all(t.f32_data(), t.f32_data() + t.count());
        if (weight && info.param == param) all[usize(element)] += by;
        ref.set(Value{v}, all);
      }
      ref.run(graph.forward_nodes());
      return ref.at(p.graph->loss.sum)[0] +
             static_cast<f64>(p.graph->inputs.numbers("router_scale")[0]) *
                 ref.at(p.graph->routers.loss)[0];
    };
    const std::string block = "blocks.1.mlp.";
    for (const char* const name :
         {"router.weight", "experts.gate_up.weight", "experts.down.weight"}) {
      const i32 param = p.model.params->set.find(block + name);
      REQUIRE(param >= 0);
      const Tensor grad = p.grads[param];
      for (const i64 element : {i64{1}, grad.count() / 2, grad.count() - 3}) {
        const f64 measured = (total(param, element, 1e-5) - total(param, element, -1e-5)) / 2e-5;
        CAPTURE(name, element);
        CHECK(static_cast<f64>(grad.f32_data()[element]) ==
              Approx(measured).epsilon(2e-3).margin(2e-3));
      }
    }
  }
}

TEST_CASE("the balance loss pushes nowhere from even probabilities and loads", "[train]") {
  // Row i asks for expert i mod 4 by a hair.
  constexpr i64 kRows = 64, kExperts = 4;
  const auto gradient = [&](f32 lead) {
    Graph g(ops());
    const Value logits = g.input("logits", {kRows, kExperts}, DType::kF32, true);
    const Routing routing =
        route(g, {logits, {}, {}, {}, {}}, {kExperts, 1, GateKind::kSoftmax, false});
    const Dispatch sorted = dispatch(g, routing, {kExperts, 0, false});
    g.backward(dot(g, sum_rows(g, routing.probabilities), sorted.share, kExperts));
    g.keep(g.grad(logits));
    Executor executor(g, cpu_backend());
    std::vector<f32> data(kRows * kExperts, 0.0f);
    for (i64 i = 0; i < kRows; ++i)
      data[usize(i * kExperts + (lead < 0 ? 0 : i % kExperts))] = std::abs(lead);
    executor.bind(logits, make_tensor(data.data(), {kRows, kExperts}));
    executor.run({});
    std::vector<f32> out(data.size());
    executor.read(g.grad(logits), out);
    f32 most = 0;
    for (const f32 x : out)
      most = std::max(most, std::abs(x));
    return most;
  };
  CHECK(gradient(1e-6f) < 1e-6f);
  CHECK(gradient(-1e-6f) > 0.1f);  // all ask for the first one
}

TEST_CASE("biases move against the loads and have no gradient", "[train]") {
  train::TrainOptions o = options(0, 0);
  o.routers.bias_update = 0.01;
  o.schedule.peak = 0;  // nothing else moves
  test::Bench bench(config("n=4,router=topk:1,bias=1"), o);
  const i32 param = bench.model.params->set.find("blocks.1.mlp.selection.bias");
  const f32* const bias = bench.model.weights[param].f32_data();
  const train::StepResult first = bench.trainer.step(batch_of(8, 32));
  f32 sum = 0;
  for (i64 e = 0; e < 4; ++e) {
    CHECK((bias[e] == 0.0f || std::abs(bias[e]) == 0.01f));
    sum += std::abs(bias[e]);
  }
  CHECK(sum > 0);
  REQUIRE(first.layers[0].first == "moe_load_cv");
  CHECK(first.layers[0].second.size() == 2);
}

TEST_CASE("a capacity drops what finds no room in training alone", "[train]") {
  train::TrainOptions o = options();
  const Examples batch = batch_of(8, 32);
  const auto dropped = [&](f32 capacity, bool by_weight) {
    o.moe.capacity = capacity;
    o.moe.by_weight = by_weight;
    test::Bench bench(config("n=4,router=topk:1"), o);
    const train::StepResult r = bench.trainer.step(batch);
    REQUIRE(r.layers[3].first == "moe_dropped");
    return std::pair(r.layers[3].second, r.loss);
  };
  CHECK(dropped(0, false).first == std::vector<f64>{0, 0});
  CHECK(dropped(1000, false) == dropped(0, false));  // the same numbers
  const auto some = dropped(0.5f, false);
  for (const f64 share : some.first)
    CHECK((share >= 0.5 && share < 1));
  CHECK(dropped(0.5f, true).first == some.first);
}

TEST_CASE("a token changes nothing before it, whatever its experts", "[train]") {
  for (const char* const moe :
       {"n=4,router=topk:2", "n=4,router=hash", "n=4,router=noisy-topk:2"}) {
    CAPTURE(moe);
    train::TrainOptions o = options();
    o.micro_batch = o.batch = 1;
    test::Probe p = probe(moe, o);
    const auto rows = [&](i32 changed) {
      Examples batch = batch_of(1, 32);
      batch[0].tokens[20] = changed;
      run(p, batch);
      std::vector<f32> out(32);
      p.executor->read(p.graph->loss.rows, out);
      return out;
    };
    const std::vector<f32> one = rows(3), other = rows(40);
    CHECK(std::equal(one.begin(), one.begin() + 19, other.begin()));
    CHECK_FALSE(std::equal(one.begin() + 20, one.end(), other.begin() + 20));
  }
}

TEST_CASE("draws of routers change training alone and repeat with the step", "[train]") {
  const Examples batch = batch_of(8, 32);
  for (const char* const moe :
       {"n=4,router=noisy-topk:2", "n=4,router=top2-random", "n=4,router=topk:2"}) {
    CAPTURE(moe);
    train::TrainOptions o = options();
    if (std::string_view(moe) == "n=4,router=topk:2") o.moe.jitter = 0.3f;
    test::Probe p = probe(moe, o);
    const f64 still = run(p, batch);
    const auto trained = [&](u32 step) {
      RunCtx ctx;
      ctx.training = true;
      ctx.step = step;
      p.executor->run(ctx);
      return static_cast<f64>(p.executor->scalar(p.graph->loss.sum));
    };
    CHECK(trained(1) != still);
    CHECK(trained(1) != trained(2));
    CHECK(trained(2) == trained(2));
    CHECK(run(p, batch) == still);
  }
}

TEST_CASE("executed and useful FLOPs of experts are of those that are active", "[train]") {
  const model::ModelCfg cfg = config("n=8,router=topk:2,shared=1");
  train::TrainOptions o = options();
  const std::unique_ptr<train::Objective> objective = next_token();
  const model::ModelParams params = model::make_params(cfg);
  const train::TrainGraph graph(cfg, params, *objective, train::graph_options(cfg, o));
  i64 grouped = 0;
  for (const OpTotal& total : op_totals(graph.graph))
    if (total.op.starts_with("grouped_linear")) grouped += total.flops;
  // 2 of 8 experts of 3 matrices of 32 x 24, forward and both gradients, in 2 layers.
  CHECK(grouped == 6 * (8 * 32) * 2 * 2 * 3 * 32 * 24);
  const f64 useful = train::useful_flops_per_token(cfg, 32) * 8 * 32;
  i64 products = 0;
  for (const OpTotal& total : op_totals(graph.graph))
    if (total.op.find("linear") != std::string::npos || total.op.starts_with("attention"))
      products += total.flops;
  CHECK(static_cast<f64>(products) == Approx(useful).epsilon(0.05));
}
