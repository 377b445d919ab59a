// Training of adapters beside a frozen model.

#include "model/lora.h"

#include <cmath>

#include "core/parallel.h"
#include "core/random.h"
#include "tiny.h"
#include "train/plan.h"

using namespace lm;

namespace {

/// A trainer of adapters beside a fresh model, which was saved to a folder.
struct LoraBench {
  LoraBench(const test::TempDir& dir, const std::string& family, const train::TrainOptions& options,
            const model::LoraCfg& lora)
      : base(model::new_model(test::tiny_config(family), 1)),
        model(load(dir, lora)),
        trainer(model, options, *comm, *ctx, cpu_backend()) {}
  model::Model load(const test::TempDir& dir, const model::LoraCfg& lora) const {
    const std::string folder = dir.file("base");
    model::save_model(folder, base, {});
    return model::load_with_lora(folder, lora, 7);
  }
  LocalContext ctx;
  std::unique_ptr<comm::Comm> comm = comm::self_comm();
  model::Model base;
  model::Model model;
  train::Trainer trainer;
};

model::LoraCfg rank(i64 r) {
  model::LoraCfg out;
  out.rank = r;
  out.alpha = static_cast<f64>(2 * r);
  return out;
}

f64 loss_of(const model::Model& model, const train::Examples& batch,
            const train::TrainOptions& options) {
  const std::unique_ptr<train::Objective> objective = train::make_objective(options.objective);
  train::TrainGraph::Options shape = train::graph_options(model.cfg, options);
  shape.backward = false;
  train::TrainGraph graph(model.cfg, *model.params, *objective, shape);
  Executor executor(graph.graph, cpu_backend());
  graph.model.bind(executor, model.weights);
  objective->fill(batch, {}, graph.inputs);
  graph.inputs.set(executor);
  executor.run({});
  return static_cast<f64>(executor.scalar(graph.loss.sum));
}

}  // namespace

TEST_CASE("adapters learn, and the model beside them keeps its bits", "[train]") {
  for (const char* const family : {"llama", "gpt2", "qwen3", "qlstm", "lstm", "based"}) {
    const test::TempDir dir;
    train::TrainOptions options = test::tiny_options(60);
    options.schedule.peak = 2e-2;
    LoraBench bench(dir, family, options, rank(8));
    const std::vector<i32> tokens = test::formula_tokens(60 * 8 * 32 + 1);
    f64 first = 0;
    f64 last = 0;
    for (i64 t = 0; t < 60; ++t) {
      last = bench.trainer.step(test::consecutive(tokens, t * 8, 8, 32)).loss;
      if (t == 0) first = last;
    }
    CHECK(last < first - 0.15);
    const ParamSet& set = bench.model.params->set;
    for (const ParamInfo& info : bench.base.params->set.list()) {
      const Tensor was = bench.base.weights[bench.base.params->set.find(info.name)];
      const Tensor is = bench.model.weights[set.find(info.name)];
      CHECK(std::memcmp(was.data, is.data, usize(info.count) * sizeof(f32)) == 0);
    }
  }
}

TEST_CASE("gradients of adapters are those of finite differences", "[train]") {
  const test::TempDir dir;
  train::TrainOptions options = test::tiny_options();
  options.micro_batch = options.batch = 2;
  options.clip = 0;
  // One update whose first moment is the gradient: m = (1 - beta1) g.
  options.adamw.beta1 = 0;
  options.schedule.peak = 0;
  LoraBench bench(dir, "llama", options, rank(2));
  const ParamSet& set = bench.model.params->set;
  const RandomStream random(4, RandomPurpose::kOther);
  u64 draw = 0;
  for (i32 p = 0; p < set.size(); ++p)
    for (i64 i = 0; set[p].trainable && i < set[p].count; ++i)
      bench.model.weights[p].f32_data()[i] = 0.05f * static_cast<f32>(random.normal(draw++));
  const train::Examples batch = test::consecutive(test::formula_tokens(200), 0, 2, 32);
  const f64 targets = 64;
  bench.trainer.step(batch);
  for (i32 p = 0; p < set.size(); ++p) {
    if (!set[p].trainable) continue;
    const i64 at = set[p].count / 3;
    f32& weight = bench.model.weights[p].f32_data()[at];
    const f32 kept = weight;
    const auto difference = [&](f32 step) {
      weight = kept + step;
      const f64 up = loss_of(bench.model, batch, options);
      weight = kept - step;
      const f64 down = loss_of(bench.model, batch, options);
      weight = kept;
      return up - down;
    };
    // Four points: errors of the fourth order in the step.
    const f32 step = 0.004f;
    const f64 slope =
        (8 * difference(step) - difference(2 * step)) / (12 * static_cast<f64>(step) * targets);
    INFO(set[p].name);
    CHECK(static_cast<f64>(bench.trainer.optimizer().m()[p].f32_data()[at]) ==
          Approx(slope).epsilon(0.02).margin(2e-4));
  }
}

TEST_CASE("adapters train to the same bits for any thread count", "[train]") {
  std::vector<std::vector<f32>> results;
  for (const int threads : {1, 2, 7}) {
    set_threads(threads);
    const test::TempDir dir;
    train::TrainOptions options = test::tiny_options();
    model::LoraCfg lora = rank(3);
    lora.dropout = 0.2;
    lora.targets = {"q_proj", "v_proj"};
    LoraBench bench(dir, "llama", options, lora);
    const std::vector<i32> tokens = test::formula_tokens(5 * 8 * 32 + 1);
    for (i64 t = 0; t < 5; ++t)
      bench.trainer.step(test::consecutive(tokens, t * 8, 8, 32));
    const f32* const first = bench.model.weights.data();
    results.emplace_back(first, first + bench.model.params->set.trained_elements());
  }
  set_threads(1);
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("adapters need gradients and moments of their own alone", "[train]") {
  model::ModelCfg cfg = test::tiny_config("llama");
  const f64 whole = train::useful_flops_per_token(cfg, 32);
  cfg.lora = rank(1);
  const model::ModelParams params = model::make_params(cfg);
  i64 matrices = cfg.vocab * cfg.width;
  for (const ParamInfo& info : params.set.list())
    if (!info.trainable && info.shape.rank == 2 && info.name.starts_with("blocks."))
      matrices += info.count;
  CHECK(train::useful_flops_per_token(cfg, 32) ==
        whole - 2 * static_cast<f64>(matrices) + 6 * static_cast<f64>(params.set.trained_count()));
  const train::TrainOptions options = test::tiny_options();
  const std::string plan = train::plan_text(cfg, options, cpu_backend(), {.steps = 1});
  CHECK_THAT(plan, Catch::Matchers::ContainsSubstring(cat("trained")) &&
                       Catch::Matchers::ContainsSubstring(cat(params.set.trained_count(), " (")));
  const ParamSlab moments(params.set, 1, SlabOf::kTrained);
  CHECK(moments.elements() < ParamSlab(params.set).elements() / 4);
}
