// Losses, logits and gradients against numbers computed by transformers in double precision
// (scripts/bench/parity_transformers golden). Weights come from a formula both sides compute.

#include <algorithm>
#include <cmath>
#include <fstream>

#include "catch.h"
#include "core/error.h"
#include "core/parallel.h"
#include "cpu/backend.h"
#include "io/file.h"
#include "model/build.h"
#include "model/engine.h"
#include "model/family.h"
#include "model/mapping.h"
#include "stored_weights.h"
#include "tensor/safetensors.h"

using namespace lm;
using namespace lm::model;

namespace {

/// Cross entropy of rows' targets over a whole model, with gradients; executors point into it.
struct TrainGraph {
  struct Options {
    i64 rows = 0;
    bool weights = false;  // per-row weights input
    BuildOptions build;
  };
  TrainGraph(const ModelCfg& cfg, const ModelParams& params, const Options& options)
      : graph(ops()), model(graph, cfg, params, options.build) {
    const i64 n = options.rows;
    tokens = graph.input("tokens", {n}, DType::kI32);
    positions = graph.input("positions", {n}, DType::kI32);
    spans = graph.input("spans", {n, kSpanInts}, DType::kI32);
    targets = graph.input("targets", {n}, DType::kI32);
    if (options.weights) row_weights = graph.input("row_weights", {n});
    CeAttr attr;
    attr.vocab = cfg.vocab;
    const Value x = model.hidden(tokens, positions, spans);
    const CeResult ce = linear_ce(graph, x, model.head(), targets, row_weights, attr);
    loss_sum = ce.sum;
    row_loss = ce.rows;
    graph.keep(loss_sum);
    graph.keep(row_loss);
    graph.backward(loss_sum);
    apply_checkpointing(graph);
  }

  Graph graph;
  GraphModel model;
  Value tokens, positions, spans, targets, row_weights, loss_sum, row_loss;
};

/// Element k of tensor `index`: a hash of both in [-0.5, 0.5).
f64 pattern(u64 index, u64 k) {
  u64 h = (k * 2654435761u + index * 40503u + 12345u) & 0xffffffffu;
  h ^= h >> 16;
  h = (h * 0x45D9F3Bu) & 0xffffffffu;
  h ^= h >> 16;
  return static_cast<f64>(h) / 4294967296.0 - 0.5;
}

/// Writes the case's folder through the checkpoint's names and shapes, so that loading is tested
/// too.
void write_case(const std::string& folder, const Json& json) {
  std::filesystem::create_directory(folder);
  std::ofstream(folder + "/config.json") << json["config"].dump();
  const ModelCfg cfg = load_config(folder);
  std::vector<TensorMap> maps = tensor_maps(cfg, make_params(cfg).set);
  std::sort(maps.begin(), maps.end(),
            [](const TensorMap& a, const TensorMap& b) { return a.name < b.name; });
  std::vector<OwnedTensor> tensors;
  std::vector<SafeWrite> writes;
  for (u64 i = 0; i < maps.size(); ++i) {
    tensors.emplace_back(maps[i].shape);
    const bool gain = maps[i].shape.rank == 1 && maps[i].name.ends_with("weight");
    for (i64 k = 0; k < maps[i].shape.count(); ++k)
      tensors.back().view.f32_data()[k] =
          static_cast<f32>(0.7 * pattern(i, static_cast<u64>(k)) + (gain ? 1.0 : 0.0));
    writes.push_back({maps[i].name, tensors.back().view});
  }
  write_safetensors(folder + "/model.safetensors", writes);
}

struct Batch {
  std::vector<i32> tokens, targets;
  PackedRows rows;
  std::vector<i64> last;  // last row of each document
};

Batch make_batch(const Json& documents) {
  Batch batch;
  std::vector<i64> lengths;
  for (const Json& document : documents) {
    const std::vector<i32> ids = document;
    batch.tokens.insert(batch.tokens.end(), ids.begin(), ids.end());
    batch.targets.insert(batch.targets.end(), ids.begin() + 1, ids.end());
    batch.targets.push_back(kIgnoreTarget);
    lengths.push_back(isize(ids));
    batch.last.push_back(isize(batch.tokens) - 1);
  }
  batch.rows = causal_rows(lengths, isize(batch.tokens));
  return batch;
}

template <typename G>
void bind_batch(Executor& executor, const G& graph, Batch& batch) {
  const i64 n = isize(batch.tokens);
  executor.bind(graph.tokens, make_tensor(batch.tokens.data(), {n}, DType::kI32));
  executor.bind(graph.targets, make_tensor(batch.targets.data(), {n}, DType::kI32));
  executor.bind(graph.positions, make_tensor(batch.rows.positions.data(), {n}, DType::kI32));
  executor.bind(graph.spans, span_tensor(batch.rows.spans));
}

f64 largest(const std::vector<f64>& values) {
  f64 out = 0;
  for (const f64 v : values)
    out = std::max(out, std::abs(v));
  return out;
}

void check_gradients(const Json& expected, const Model& model, const ParamSlab& grads) {
  const test::StoredWeights stored(model.cfg, model.params->set, grads);
  REQUIRE(stored.tensors.size() == expected.size());
  for (u64 i = 0; i < stored.tensors.size(); ++i) {
    const SafeWrite& one = stored.tensors[i];
    CAPTURE(one.name);
    REQUIRE(expected.contains(one.name));
    const std::vector<f64> numbers = expected[one.name];
    const OwnedTensor flat(one.tensor.shape);
    copy_convert(one.tensor, flat.view);
    const f32* g = flat.view.f32_data();
    const i64 count = one.tensor.count();
    f64 dot = 0;
    f64 squares = 0;
    for (i64 k = 0; k < count; ++k) {
      dot += static_cast<f64>(g[k]) * pattern(i + 1000, static_cast<u64>(k));
      squares += static_cast<f64>(g[k]) * static_cast<f64>(g[k]);
    }
    const f64 scale = 2e-5 * numbers[1];  // of the tensor's norm: sums cancel
    CHECK(std::sqrt(squares) == Approx(numbers[1]).epsilon(2e-5));
    CHECK(std::abs(dot - numbers[0]) <= scale);
    CHECK(std::abs(static_cast<f64>(g[0]) - numbers[2]) <= scale);
    CHECK(std::abs(static_cast<f64>(g[count / 2]) - numbers[3]) <= scale);
  }
}

Json golden() {
  return parse_object(io::read_file(test::golden_file("model/parity.json")), "parity.json");
}

}  // namespace

TEST_CASE("losses and gradients equal those of transformers", "[model]") {
  const Json cases = golden();
  for (const auto& [name, json] : cases.items()) {
    CAPTURE(name);
    test::TempDir dir;
    write_case(dir.file("m"), json);
    const Model model = load_model(dir.file("m"));
    Batch batch = make_batch(json["documents"]);
    TrainGraph::Options options;
    options.rows = isize(batch.tokens);
    options.build.trainable = true;
    const TrainGraph train(model.cfg, *model.params, options);
    Executor executor(train.graph, cpu_backend());
    train.model.bind(executor, model.weights);
    ParamSlab grads(model.params->set);
    executor.bind_grads([&](i32 index) { return grads[index]; });
    bind_batch(executor, train, batch);
    executor.run({});
    const f64 loss = json["loss_sum"];
    CHECK(static_cast<f64>(executor.scalar(train.loss_sum)) == Approx(loss).epsilon(2e-6));
    std::vector<f32> rows(batch.tokens.size());
    executor.read(train.row_loss, rows);
    u64 at = 0;
    for (u64 i = 0; i < rows.size(); ++i) {
      if (batch.targets[i] == kIgnoreTarget) {
        CHECK(rows[i] == 0.0f);
        continue;
      }
      CHECK(static_cast<f64>(rows[i]) == Approx(json["row_losses"][at++].get<f64>()).epsilon(1e-5));
    }
    check_gradients(json["gradients"], model, grads);
  }
}

TEST_CASE("the engine's logits equal those of transformers", "[model]") {
  const Json cases = golden();
  for (const auto& [name, json] : cases.items()) {
    CAPTURE(name);
    test::TempDir dir;
    write_case(dir.file("m"), json);
    const Model model = load_model(dir.file("m"));
    Engine engine(model);
    for (u64 d = 0; d < json["documents"].size(); ++d) {
      const std::vector<i32> ids = json["documents"][d];
      const i32 seq = engine.create();
      const std::span<const f32> logits = engine.prefill(seq, ids);
      const std::vector<f64> expected = json["last_logits"][d];
      REQUIRE(logits.size() == expected.size());
      for (u64 v = 0; v < expected.size(); ++v)
        CHECK(std::abs(static_cast<f64>(logits[v]) - expected[v]) <= 2e-6 * largest(expected));
    }
  }
}

TEST_CASE("scores of a packed batch equal the recorded losses", "[model]") {
  const Json cases = golden();
  for (const auto& [name, json] : cases.items()) {
    CAPTURE(name);
    test::TempDir dir;
    write_case(dir.file("m"), json);
    const Model model = load_model(dir.file("m"));
    Batch batch = make_batch(json["documents"]);
    const ScoreGraph score(model.cfg, *model.params, isize(batch.tokens));
    Executor executor(score.graph, cpu_backend());
    score.model.bind(executor, model.weights);
    bind_batch(executor, score, batch);
    executor.run({});
    const f32* logprob = executor.tensor(score.result.logprob).f32_data();
    const i32* rank = executor.tensor(score.result.rank).i32_data();
    const i32* best = executor.tensor(score.result.argmax).i32_data();
    u64 at = 0;
    for (u64 i = 0; i < batch.tokens.size(); ++i) {
      if (batch.targets[i] == kIgnoreTarget) continue;
      CHECK(-static_cast<f64>(logprob[i]) ==
            Approx(json["row_losses"][at++].get<f64>()).epsilon(1e-5));
      CHECK((rank[i] == 0) == (best[i] == batch.targets[i]));
    }
    for (u64 d = 0; d < batch.last.size(); ++d) {
      const std::vector<f64> logits = json["last_logits"][d];
      const i64 expected = std::max_element(logits.begin(), logits.end()) - logits.begin();
      CHECK(best[batch.last[d]] == expected);
    }
  }
}

TEST_CASE("checkpointing, threads and row weights leave the gradients' bits alone", "[model]") {
  const Json json = golden();
  for (const char* const name : {"gpt2", "llama3-rope"}) {
    CAPTURE(name);
    test::TempDir dir;
    write_case(dir.file("m"), json[name]);
    const Model model = load_model(dir.file("m"));
    Batch batch = make_batch(json[name]["documents"]);
    const auto gradients = [&](const char* policy, bool weights, int threads) {
      set_threads(threads);
      TrainGraph::Options options;
      options.rows = isize(batch.tokens);
      options.weights = weights;
      options.build.trainable = true;
      options.build.checkpoint = parse_checkpoint_policy(policy);
      const TrainGraph train(model.cfg, *model.params, options);
      Executor executor(train.graph, cpu_backend());
      train.model.bind(executor, model.weights);
      ParamSlab grads(model.params->set);
      executor.bind_grads([&](i32 index) { return grads[index]; });
      bind_batch(executor, train, batch);
      std::vector<f32> ones(batch.tokens.size(), 1.0f);
      if (weights) executor.bind(train.row_weights, make_tensor(ones.data(), {isize(ones)}));
      executor.run({});
      set_threads(2);
      return std::vector<f32>(grads.data(), grads.data() + grads.elements());
    };
    const std::vector<f32> expected = gradients("none", false, 1);
    CHECK(gradients("none", false, 7) == expected);
    CHECK(gradients("cheap", false, 2) == expected);
    CHECK(gradients("block", false, 2) == expected);
    CHECK(gradients("block:2", true, 2) == expected);
  }
}

TEST_CASE("dropout changes the loss in training only and repeats with its counters", "[model]") {
  const Json json = golden();
  test::TempDir dir;
  write_case(dir.file("m"), json["gpt2"]);
  const Model model = load_model(dir.file("m"));
  Batch batch = make_batch(json["gpt2"]["documents"]);
  TrainGraph::Options options;
  options.rows = isize(batch.tokens);
  options.build.trainable = true;
  options.build.dropout = 0.3f;
  const TrainGraph train(model.cfg, *model.params, options);
  Executor executor(train.graph, cpu_backend());
  train.model.bind(executor, model.weights);
  ParamSlab grads(model.params->set);
  executor.bind_grads([&](i32 index) { return grads[index]; });
  bind_batch(executor, train, batch);
  const auto loss = [&](u32 step, bool training) {
    RunCtx ctx;
    ctx.seed = 3;
    ctx.step = step;
    ctx.training = training;
    executor.run(ctx);
    return executor.scalar(train.loss_sum);
  };
  CHECK(static_cast<f64>(loss(1, false)) ==
        Approx(json["gpt2"]["loss_sum"].get<f64>()).epsilon(2e-6));
  const f32 first = loss(1, true);
  CHECK(first != loss(2, true));
  CHECK(first == loss(1, true));
}
