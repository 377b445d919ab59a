#include "train/trainer.h"

#include <cmath>
#include <limits>

#include "catch.h"
#include "core/parallel.h"
#include "cpu/backend.h"
#include "tiny.h"
#include "train/evaluate.h"

using namespace lm;
using test::Bench;

namespace {

/// Weights after `steps` steps on formula data.
ParamSlab train_some(const train::TrainOptions& options, i64 steps, int threads = 1,
                     const std::string& family = "llama") {
  set_threads(threads);
  Bench bench(test::tiny_config(family), options);
  const std::vector<i32> tokens = test::formula_tokens(steps * options.batch * options.seq_len + 1);
  for (i64 t = 0; t < steps; ++t)
    bench.trainer.step(
        test::consecutive(tokens, t * options.batch, options.batch, options.seq_len));
  set_threads(1);
  return std::move(bench.model.weights);
}

/// A weight that every row's loss depends on.
f32& final_gain(Bench& bench) {
  return *bench.model.weights[bench.model.params->set.find("norm.weight")].f32_data();
}

f64 relative_distance(const ParamSlab& a, const ParamSlab& b) {
  f64 difference = 0, size = 0;
  for (i64 i = 0; i < a.elements(); ++i) {
    const f64 x = static_cast<f64>(a.data()[i]), y = static_cast<f64>(b.data()[i]);
    difference += (x - y) * (x - y);
    size += x * x;
  }
  return std::sqrt(difference / size);
}

}  // namespace

TEST_CASE("training gives the same bits for 1, 2 and 7 threads", "[train]") {
  train::TrainOptions options = test::tiny_options();
  options.dropout = 0.1f;
  for (const char* family : {"gpt2", "llama", "qwen3", "moe", "qlstm", "lstm", "based"}) {
    const ParamSlab one = train_some(options, 5, 1, family);
    CHECK(test::same_bits(one, train_some(options, 5, 2, family)));
    CHECK(test::same_bits(one, train_some(options, 5, 7, family)));
  }
}

TEST_CASE("accumulated micro-batches equal the whole batch to rounding", "[train]") {
  train::TrainOptions options = test::tiny_options();
  options.batch = options.micro_batch = 4;
  // One update of plain gradients: clip at the norm itself, so that direction and length count.
  const auto gradient_step = [&](i64 micro) {
    options.micro_batch = micro;
    Bench bench(test::tiny_config("llama"), options);
    const train::StepResult r =
        bench.trainer.step(test::consecutive(test::formula_tokens(4 * 32 + 1), 0, 4, 32));
    CHECK(r.targets == 128);
    return std::pair{r.loss, r.grad_norm};
  };
  const auto [loss4, norm4] = gradient_step(4);
  const auto [loss1, norm1] = gradient_step(1);
  CHECK(std::abs(loss4 - loss1) < 1e-6 * loss4);
  CHECK(std::abs(norm4 - norm1) < 1e-6 * norm4);
  options.micro_batch = 4;
  const ParamSlab whole = train_some(options, 3);
  options.micro_batch = 1;
  CHECK(relative_distance(whole, train_some(options, 3)) < 1e-5);
}

TEST_CASE("ragged masks: the mean is over all targets of all micro-batches", "[train]") {
  train::TrainOptions options = test::tiny_options();
  options.batch = 2;
  options.objective.doc_mask = true;
  train::Examples batch = test::consecutive(test::formula_tokens(65), 0, 2, 32);
  batch[0].starts = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  f64 losses[2];
  for (const i64 micro : {1, 2}) {
    options.micro_batch = micro;
    Bench bench(test::tiny_config("gpt2"), options);
    const train::StepResult r = bench.trainer.step(batch);
    CHECK(r.targets == 64 - 16);
    losses[micro - 1] = r.loss;
  }
  CHECK(std::abs(losses[0] - losses[1]) < 1e-6 * losses[0]);
}

TEST_CASE("a document mask hides other documents", "[train]") {
  // The second document's loss is the same whatever the first one says.
  train::TrainOptions options = test::tiny_options();
  options.batch = options.micro_batch = 1;
  options.objective.doc_mask = true;
  const std::vector<i32> tokens = test::formula_tokens(33);
  const std::string family = GENERATE("llama", "qlstm", "lstm", "based");
  f64 sums[2];
  for (const int change : {0, 1}) {
    train::Examples batch = test::consecutive(tokens, 0, 1, 32);
    batch[0].starts = {1, 2};  // documents of one, one and 31 tokens: only the last has targets
    if (change) batch[0].tokens[0] = batch[0].tokens[1] = 60;
    Bench bench(test::tiny_config(family), options);
    sums[change] = bench.trainer.step(batch).loss_sum;
  }
  CHECK(sums[0] == sums[1]);
}

TEST_CASE("64 tokens are learnt by heart", "[train]") {
  train::TrainOptions options = test::tiny_options(300);
  options.batch = options.micro_batch = 2;
  options.schedule.peak = 1e-2;
  options.adamw.weight_decay = 0;
  for (const char* family : {"gpt2", "llama", "qwen3", "qlstm", "lstm", "based"}) {
    Bench bench(test::tiny_config(family), options);
    const train::Examples batch = test::consecutive(test::formula_tokens(65), 0, 2, 32);
    f64 loss = 10;
    for (i64 t = 0; t < 300; ++t)
      loss = bench.trainer.step(batch).loss;
    INFO(family);
    CHECK(loss < 0.01);
  }
}

TEST_CASE("recomputation policies give equal bits", "[train]") {
  train::TrainOptions options = test::tiny_options();
  options.dropout = 0.1f;
  for (const char* family : {"llama", "moe"}) {
    options.recompute = {};
    const ParamSlab plain = train_some(options, 3, 1, family);
    for (const char* policy : {"cheap", "block", "block:2"}) {
      options.recompute = parse_checkpoint_policy(policy);
      CHECK(test::same_bits(plain, train_some(options, 3, 1, family)));
    }
  }
}

TEST_CASE("a loss that is not finite stops the run with the step and leaves the weights",
          "[train]") {
  train::TrainOptions options = test::tiny_options();
  Bench bench(test::tiny_config("llama"), options);
  const train::Examples batch = test::consecutive(test::formula_tokens(8 * 32 + 1), 0, 8, 32);
  bench.trainer.step(batch);
  final_gain(bench) = std::numeric_limits<f32>::infinity();
  const std::vector<f32> before(bench.model.weights.data(),
                                bench.model.weights.data() + bench.model.weights.elements());
  CHECK_THROWS_WITH(bench.trainer.step(batch), Catch::Matchers::ContainsSubstring("step 2: loss"));
  CHECK(std::memcmp(before.data(), bench.model.weights.data(), before.size() * sizeof(f32)) == 0);
  CHECK(bench.trainer.counters.step == 1);
}

TEST_CASE("the check of every value names step and operator", "[train]") {
  train::TrainOptions options = test::tiny_options();
  options.check_nan = true;
  Bench bench(test::tiny_config("llama"), options);
  const train::Examples batch = test::consecutive(test::formula_tokens(8 * 32 + 1), 0, 8, 32);
  bench.trainer.step(batch);
  final_gain(bench) = std::numeric_limits<f32>::quiet_NaN();
  CHECK_THROWS_WITH(bench.trainer.step(batch), Catch::Matchers::ContainsSubstring("step 2: ") &&
                                                   Catch::Matchers::ContainsSubstring("final"));
}

TEST_CASE("skipping counts and gives up after ten steps in a row", "[train]") {
  train::TrainOptions options = test::tiny_options();
  options.on_non_finite = train::OnNonFinite::kSkip;
  Bench bench(test::tiny_config("llama"), options);
  const train::Examples batch = test::consecutive(test::formula_tokens(8 * 32 + 1), 0, 8, 32);
  const f32 good = final_gain(bench);
  final_gain(bench) = std::numeric_limits<f32>::quiet_NaN();
  CHECK(bench.trainer.step(batch).skipped);
  CHECK(bench.trainer.counters.skipped == 1);
  CHECK(bench.trainer.counters.updates == 0);
  final_gain(bench) = good;
  CHECK_FALSE(bench.trainer.step(batch).skipped);
  CHECK(bench.trainer.counters.skipped_in_row == 0);
  final_gain(bench) = std::numeric_limits<f32>::quiet_NaN();
  for (int i = 0; i < 9; ++i)
    CHECK(bench.trainer.step(batch).skipped);
  CHECK_THROWS_WITH(bench.trainer.step(batch),
                    Catch::Matchers::ContainsSubstring("10 steps in a row"));
}

TEST_CASE("a stop request drops the step under way", "[train]") {
  train::TrainOptions options = test::tiny_options();
  options.micro_batch = 2;
  Bench bench(test::tiny_config("llama"), options);
  const train::Examples batch = test::consecutive(test::formula_tokens(8 * 32 + 1), 0, 8, 32);
  bench.ctx.stop().request();
  const std::vector<f32> before(bench.model.weights.data(),
                                bench.model.weights.data() + bench.model.weights.elements());
  CHECK(bench.trainer.step(batch).stopped);
  CHECK(bench.trainer.counters.step == 0);
  CHECK(std::memcmp(before.data(), bench.model.weights.data(), before.size() * sizeof(f32)) == 0);
}

TEST_CASE("sequences beyond learned positions are refused, rotary ones are not", "[train]") {
  train::TrainOptions options = test::tiny_options();
  CHECK_THROWS_WITH(
      train::graph_options(test::tiny_config("gpt2", 16), options),
      Catch::Matchers::ContainsSubstring("sequences of 32 tokens, but the model has 16"));
  CHECK_NOTHROW(train::graph_options(test::tiny_config("llama", 16), options));
}

TEST_CASE("useful FLOPs follow 6 P + 6 L q T", "[train]") {
  // gpt2: per layer qkv 3*32*32, out 32*32, up and down 2*32*128; head 64*32 (tied); 2 layers
  // of 32.
  const model::ModelCfg cfg = test::tiny_config("gpt2");
  const f64 matrices = 2 * (4 * 32 * 32 + 2 * 32 * 128) + 64 * 32;
  CHECK(train::useful_flops_per_token(cfg, 32) == 6 * (matrices + 2 * 32 * 32));
}

TEST_CASE("a window has fewer useful and fewer executed FLOPs", "[train]") {
  // Rows of 8 with windows of 3 see 1, 2, 3, ... 3 keys; counted with half a key less in the
  // diagonal: (8^2 - 5^2) / 2 pairs. Twice 12 q per pair and layer, q = 4 heads of 8.
  model::ModelShape shape = model::parse_shape("mistral-nano,width=32,heads=4,window=3");
  const f64 narrow = train::useful_flops_per_token(model::make_config(shape), 8);
  shape.window = 0;
  const f64 whole = train::useful_flops_per_token(model::make_config(shape), 8);
  CHECK(whole - narrow == Approx(2 * 12 * 32 * (64.0 - 39.0) / 16));
  const auto executed = [&](i64 window) {
    shape.window = window;
    const model::ModelCfg cfg = model::make_config(shape);
    const model::ModelParams params = model::make_params(cfg);
    train::TrainOptions options = test::tiny_options();
    options.seq_len = 8;
    options.micro_batch = options.batch = 4;
    const std::unique_ptr<train::Objective> objective = train::make_objective(options.objective);
    const train::TrainGraph graph(cfg, params, *objective, train::graph_options(cfg, options));
    i64 sum = 0;
    for (const OpTotal& total : op_totals(graph.graph))
      if (total.op == "attention" || total.op == "attention_grad") sum += total.flops;
    return sum;
  };
  // 18 per pair and component: forward 4, backward 14. 4 sequences, 2 layers, half of 8^2 pairs.
  CHECK(executed(0) == 18 * 32 * 2 * 4 * 32);
  CHECK(executed(3) == 18 * 32 * 2 * (4 * 39 / 2));
}

TEST_CASE("held-out loss covers every target once, whatever the micro-batch", "[train]") {
  const test::TempDir dir;
  test::write_shards(dir.file("a"), {100, 63});  // 162 targets; windows of 32: 5, the rest is cut
  const LocalContext ctx;
  const std::unique_ptr<comm::Comm> comm = comm::self_comm();
  const model::Model model = model::new_model(test::tiny_config("llama"), 4);
  const std::vector<i32> bytes(64, 2);
  f64 loss[2];
  for (const i64 micro : {1, 3}) {
    train::Evaluator evaluator(model, model.weights, cpu_backend(), {dir.file("a")},
                               {.seq_len = 32, .micro_batch = micro}, bytes, *comm, *ctx);
    const std::optional<train::EvalResult> result = evaluator.run();
    REQUIRE(result);
    CHECK(result->targets == 160);
    CHECK(*result->bits_per_byte == Approx(result->loss / (2 * std::log(2.0))).epsilon(1e-12));
    loss[micro == 3] = result->loss;
  }
  CHECK(loss[0] == Approx(loss[1]).epsilon(1e-6));
  CHECK(loss[0] == Approx(std::log(64.0)).margin(0.2));  // an untrained model guesses evenly
}
