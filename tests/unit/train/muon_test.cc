#include "train/muon.h"

#include <cmath>

#include "catch.h"
#include "core/parallel.h"
#include "core/random.h"
#include "tiny.h"
#include "train/plan.h"
#include "train/state.h"
#include "unit/ops/ref/ref.h"

using namespace lm;
using test::Bench;
using test::Numbers;

namespace {

Numbers draws(u64 seed, i64 count) {
  const RandomStream draw(seed, RandomPurpose::kOther);
  Numbers out;
  for (i64 i = 0; i < count; ++i)
    out.push_back(draw.normal(static_cast<u64>(i)));
  return out;
}

/// orthogonal() in f64.
Numbers made_orthogonal(i64 rows, i64 cols, const Numbers& x) {
  Graph graph(ops());
  const Value in = graph.input("x", {rows, cols});
  const Value out = train::orthogonal(graph, in);
  test::RefRun ref(graph);
  ref.set(in, x);
  ref.run(graph.forward_nodes());
  return ref.at(out);
}

train::TrainOptions muon_options(i64 steps = 200) {
  train::TrainOptions options = test::tiny_options(steps);
  options.muon = true;
  return options;
}

}  // namespace

TEST_CASE("Newton-Schulz steps bring singular values near one, whatever the size", "[train]") {
  for (const auto& [rows, cols] : {std::pair<i64, i64>{6, 6}, {4, 11}, {13, 5}, {1, 7}}) {
    INFO(rows << " x " << cols);
    Numbers x = draws(3, rows * cols);
    const Numbers y = made_orthogonal(rows, cols, x);
    // Along random directions of the shorter side the length stays within the bounds.
    const bool wide = rows <= cols;
    const i64 less = wide ? rows : cols, more = wide ? cols : rows;
    for (u64 seed = 10; seed < 20; ++seed) {
      const Numbers v = draws(seed, less);
      f64 from = 0, to = 0;
      for (const f64 a : v)
        from += a * a;
      for (i64 j = 0; j < more; ++j) {
        f64 s = 0;
        for (i64 i = 0; i < less; ++i)
          s += v[usize(i)] * y[usize(wide ? i * cols + j : j * cols + i)];
        to += s * s;
      }
      CHECK(std::sqrt(to / from) > 0.5);
      CHECK(std::sqrt(to / from) < 1.3);
    }
    for (f64& a : x)
      a *= 1000;
    const Numbers again = made_orthogonal(rows, cols, x);
    for (std::size_t i = 0; i < y.size(); ++i)
      CHECK(again[i] == Approx(y[i]).margin(1e-6));
  }
  // A diagonal matrix stays one, with its signs.
  const Numbers d = made_orthogonal(2, 2, {3, 0, 0, -0.5});
  CHECK(d[0] > 0.6);
  CHECK(d[3] < -0.6);
  CHECK(std::abs(d[1]) + std::abs(d[2]) < 1e-9);
  for (const f64 a : made_orthogonal(2, 3, Numbers(6, 0.0)))
    CHECK(a == 0);
}

TEST_CASE("the layers' matrices are Muon's, each part by itself", "[train]") {
  const model::ModelCfg cfg = test::tiny_config("llama");  // width 32, 4 / 2 heads of 8, ffn 96
  const model::ModelParams params = model::make_params(cfg);
  const std::vector<train::MuonMatrix> matrices = train::muon_matrices(cfg, params.set);
  REQUIRE(matrices.size() == 2 * 7);
  CHECK(matrices[0].rows == 32);
  CHECK(matrices[1].row == 32);
  CHECK(matrices[1].rows == 16);
  CHECK(matrices[2].row == 48);
  i64 elements = 0;
  for (const train::MuonMatrix& m : matrices) {
    CHECK(params.set[m.param].name.starts_with("blocks."));
    elements += m.rows * m.cols;
  }
  CHECK(elements == 2 * (64 * 32 + 32 * 32 + 192 * 32 + 32 * 96));
  const model::ModelCfg gpt2 = test::tiny_config("gpt2");
  CHECK(train::muon_matrices(gpt2, model::make_params(gpt2).set).size() == 2 * 6);
}

TEST_CASE("an update is the formula's", "[train]") {
  const model::ModelCfg cfg = test::tiny_config("llama");
  train::TrainOptions options = muon_options();
  options.clip = 0;
  options.schedule.warmup = 0;
  options.schedule.kind = train::ScheduleKind::kConstant;
  Bench bench(cfg, options);
  const ParamSet& set = bench.model.params->set;
  const train::MuonMatrix m = train::muon_matrices(cfg, set)[3];  // the output of attention
  REQUIRE(m.rows == set[m.param].shape[0]);
  const Numbers before(bench.model.weights[m.param].f32_data(),
                       bench.model.weights[m.param].f32_data() + m.rows * m.cols);
  const std::vector<i32> tokens = test::formula_tokens(8 * 32 + 1);
  bench.trainer.step(test::consecutive(tokens, 0, 8, 32));
  // The momentum of the first step is the gradient times 1 - b: the direction is the gradient's.
  const f32* momentum = bench.trainer.optimizer().m()[m.param].f32_data();
  const Numbers x = made_orthogonal(m.rows, m.cols, Numbers(momentum, momentum + m.rows * m.cols));
  const f64 lr = options.schedule.lr(0);
  for (i64 i = 0; i < m.rows * m.cols; ++i) {
    const f64 expected =
        before[usize(i)] * (1 - lr * 0.1) - lr * 0.2 * std::sqrt(32.0) * x[usize(i)];
    CHECK(static_cast<f64>(bench.model.weights[m.param].f32_data()[i]) ==
          Approx(expected).margin(1e-5 * lr + 1e-8).epsilon(1e-5));
  }
}

TEST_CASE("muon: bits do not depend on threads nor on a checkpoint between", "[train]") {
  const std::vector<i32> tokens = test::formula_tokens(4 * 8 * 32 + 1);
  const auto train_some = [&](int threads, i64 stop_at) {
    set_threads(threads);
    const test::TempDir dir;
    std::optional<Bench> bench;
    bench.emplace(test::tiny_config("gpt2"), muon_options());
    for (i64 t = 0; t < 4; ++t) {
      if (t == stop_at) {
        train::RunFolder folder(dir.file("run"), {}, true);
        train::TrainState state;
        state.counters = bench->trainer.counters;
        train::save_checkpoint(folder, bench->model, bench->trainer.optimizer().m(),
                               bench->trainer.optimizer().v(), state, {});
        bench.emplace(test::tiny_config("gpt2"), muon_options(), 99);
        train::load_checkpoint(folder.step_path(t), state, bench->trainer, bench->model);
      }
      bench->trainer.step(test::consecutive(tokens, 8 * t, 8, 32));
    }
    set_threads(1);
    return std::vector<f32>(bench->model.weights.data(),
                            bench->model.weights.data() + bench->model.weights.elements());
  };
  const std::vector<f32> one = train_some(1, -1);
  CHECK(train_some(2, -1) == one);
  CHECK(train_some(7, -1) == one);
  CHECK(train_some(1, 2) == one);
}

TEST_CASE("muon learns by heart and keeps one moment of its matrices", "[train]") {
  train::TrainOptions options = muon_options(300);
  options.batch = options.micro_batch = 2;
  options.schedule.peak = 1e-2;
  options.adamw.weight_decay = 0;
  for (const char* family : {"gpt2", "llama", "qwen3", "qlstm", "lstm", "based"}) {
    Bench bench(test::tiny_config(family), options);
    f64 loss = 10;
    for (i64 t = 0; t < 300; ++t)
      loss = bench.trainer.step(test::consecutive(test::formula_tokens(65), 0, 2, 32)).loss;
    INFO(family);
    CHECK(loss < 0.01);
    CHECK(bench.trainer.optimizer().v().elements() < bench.trainer.optimizer().m().elements() / 2);
  }
  const model::ModelCfg cfg = test::tiny_config("llama");
  const std::string plan = train::plan_text(cfg, muon_options(), cpu_backend(), {});
  CHECK(plan.find("slab of Muon") != std::string::npos);
}
