#include "align/aligner.h"

#include <algorithm>
#include <cmath>

#include "../../tiny_model.h"
#include "catch.h"
#include "core/parallel.h"
#include "cpu/backend.h"
#include "io/file.h"
#include "model/lora.h"
#include "model/score_head.h"
#include "train/state.h"

using namespace lm;
using align::AlignOptions;
using align::Prompt;
using align::Rollout;

namespace {

constexpr i64 kMaxTokens = 6;
constexpr i64 kContext = 64;

/// The share of a completion's tokens below 128.
class LowTokens final : public align::RewardSource {
 public:
  void score(std::span<const Prompt>, std::span<Rollout> rollouts) override {
    for (Rollout& rollout : rollouts) {
      i64 low = 0;
      for (const i32 token : rollout.tokens)
        low += token < 128 ? 1 : 0;
      rollout.reward = static_cast<f64>(low) / static_cast<f64>(rollout.tokens.size());
    }
  }
};

/// The same for all.
class Flat final : public align::RewardSource {
 public:
  void score(std::span<const Prompt>, std::span<Rollout> rollouts) override {
    for (Rollout& rollout : rollouts)
      rollout.reward = 0.1;
  }
};

struct Arm {
  AlignOptions align;
  i64 micro = 4;
  i64 batch = 3;  // sequences of the engine at once
  f64 lr = 3e-2;
  bool lora = false;
};

Arm arm_of(const std::string& method) {
  Arm out;
  out.align.method = method;
  out.align.prompts = 4;
  out.align.samples = 4;
  out.align.seed = 5;
  out.align.epochs = method == "ppo" ? 4 : 1;
  if (method == "reinforce") out.lr = 1e-2;  // nothing is taken off its rewards: larger steps swing
  return out;
}

std::vector<Prompt> some_prompts() {
  std::vector<Prompt> out;
  for (i32 i = 0; i < 6; ++i)
    out.push_back({cat("p", i), std::vector<i32>(usize(2 + i), 40 + i), ""});
  return out;
}

/// A policy in a run.
struct Bench {
  test::TempDir dir;
  LocalContext ctx;
  std::unique_ptr<comm::Comm> comm = comm::self_comm();
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::vector<Prompt> prompts = some_prompts();
  model::Model policy, reference;
  train::TrainOptions options;
  std::optional<train::Trainer> trainer;
  std::optional<model::Engine> engine;
  std::optional<align::Roller> roller;
  std::optional<align::Aligner> aligner;

  Bench(const Arm& shape, align::RewardSource& rewards) {
    test::write_tiny_tokenizer(dir.path().string());
    text::LoadOptions load;
    load.add_specials = false;
    tokenizer = text::load_tokenizer(dir.path().string(), load);
    reference = test::make_tiny_model(1, 262, kContext);
    policy = test::make_tiny_model(1, 262, kContext);
    if (shape.lora) {
      model::save_model(dir.file("base"), policy, {});
      model::LoraCfg lora;
      lora.rank = 4;
      lora.alpha = 8;
      policy = model::load_with_lora(dir.file("base"), lora, 7);
    }
    if (shape.align.method == "ppo") policy = model::with_value_head(std::move(policy));
    options.seq_len = 8 + kMaxTokens;
    options.micro_batch = shape.micro;
    options.batch = (shape.align.update_size() + shape.micro - 1) / shape.micro * shape.micro;
    options.objective.name = shape.align.method;
    options.objective.kl = shape.align.kl;
    options.schedule.kind = train::ScheduleKind::kConstant;
    options.schedule.peak = shape.lr;
    options.schedule.steps = 1000;
    options.adamw.weight_decay = 0;
    options.seed = shape.align.seed;
    trainer.emplace(policy, options, *comm, *ctx, cpu_backend());
    model::EngineOptions size;
    size.max_rows = 16;
    size.cache_tokens = 8 * kContext;
    engine.emplace(policy, size);
    roller.emplace(
        *engine, *tokenizer,
        align::RollOptions{shape.align.samples, kMaxTokens, shape.align.seed, {shape.batch, 16}});
    aligner.emplace(*trainer, reference, *roller, rewards, prompts, shape.align, *ctx);
  }

  std::vector<train::StepResult> run(i64 steps, i64 from = 0) {
    std::vector<train::StepResult> out;
    for (i64 s = from; s < from + steps; ++s)
      out.push_back(aligner->step(s * 4));
    return out;
  }
  std::vector<f32> weights() const {
    return {policy.weights.data(), policy.weights.data() + policy.weights.elements()};
  }
};

f64 figure(const train::StepResult& result, std::string_view name) {
  for (const auto& [metric, value] : result.metrics)
    if (metric == name) return value;
  throw Error(ErrorKind::kInternal, cat("no metric ", name));
}

}  // namespace

TEST_CASE("a policy learns what its rewards say, by every method", "[align]") {
  LowTokens rewards;
  for (const std::string& method : train::policy_names()) {
    INFO(method);
    Bench bench(arm_of(method), rewards);
    const std::vector<train::StepResult> steps = bench.run(40);
    f64 late = 0;  // of the last ten steps
    for (i64 i = 30; i < 40; ++i)
      late += figure(steps[usize(i)], "reward") / 10;
    CHECK(late > figure(steps[0], "reward") + 0.2);
    CHECK(figure(steps[0], "kl") == Approx(0).margin(1e-5));
    CHECK(figure(steps[39], "kl_sequence") > 0.1);
    CHECK(figure(steps[0], "entropy") > 0);
    CHECK(figure(steps[0], "length") <= kMaxTokens);
    CHECK(bench.trainer->counters.step == 40);
    CHECK(bench.trainer->counters.updates == (method == "ppo" ? 160 : 40));
  }
}

TEST_CASE("equal rewards teach grpo nothing", "[align]") {
  Flat rewards;
  Arm shape = arm_of("grpo");
  shape.align.kl = 0;
  Bench bench(shape, rewards);
  const train::StepResult result = bench.run(1)[0];
  CHECK(result.grad_norm < 1e-6);
  CHECK(figure(result, "reward") == Approx(0.1));
}

TEST_CASE("a step has the same bits for any threads and engine, and after a checkpoint",
          "[align]") {
  LowTokens rewards;
  for (const std::string& method : train::policy_names()) {
    INFO(method);
    Arm shape = arm_of(method);
    shape.align.minibatches = 2;
    const auto trained = [&](int threads, i64 batch, bool resumed) {
      set_threads(threads);
      shape.batch = batch;
      std::optional<Bench> bench;
      bench.emplace(shape, rewards);
      bench->run(2);
      if (resumed) {
        const test::TempDir dir;
        train::RunFolder folder(dir.file("run"), {}, true);
        train::TrainState state;
        state.counters = bench->trainer->counters;
        train::save_checkpoint(folder, bench->policy, bench->trainer->optimizer().m(),
                               bench->trainer->optimizer().v(), state, {});
        bench.emplace(shape, rewards);
        train::load_checkpoint(folder.step_path(2), state, *bench->trainer, bench->policy);
      }
      bench->run(2, 2);
      set_threads(1);
      return bench->weights();
    };
    const std::vector<f32> one = trained(1, 3, false);
    CHECK(trained(2, 3, false) == one);
    CHECK(trained(7, 9, false) == one);
    CHECK(trained(1, 3, true) == one);
  }
}

TEST_CASE("adapters learn from rewards beside a frozen policy", "[align]") {
  LowTokens rewards;
  for (const char* method : {"rloo", "ppo"}) {
    INFO(method);
    Arm shape = arm_of(method);
    shape.lora = true;
    shape.lr = 5e-3;
    Bench bench(shape, rewards);
    const std::vector<train::StepResult> steps = bench.run(40);
    CHECK(figure(steps[0], "kl") == Approx(0).margin(1e-5));
    CHECK(figure(steps[39], "reward") > figure(steps[0], "reward"));
  }
}

TEST_CASE("a stop drops the step before its first update", "[align]") {
  LowTokens rewards;
  Bench bench(arm_of("rloo"), rewards);
  const std::vector<f32> before = bench.weights();
  bench.ctx.stop().request();
  CHECK(bench.run(1)[0].stopped);
  CHECK(bench.weights() == before);
  CHECK(bench.trainer->counters.step == 0);
}

TEST_CASE("completions lie in slots as they fit, with their first predicted row", "[align]") {
  std::vector<Prompt> prompts = {{"a", {1, 2, 3}, ""}, {"b", {4}, ""}};
  Rollout one, two, three;
  one.tokens = {10, 11};
  two.prompt = 1;
  two.tokens = {12};
  three.tokens = {13, 14, 15};
  const std::vector<const Rollout*> all = {&one, &two, &three};
  const std::vector<std::vector<f32>> scalars = {{1, 2}, {3}, {4, 5, 6}};
  const align::Packed packed = align::pack(prompts, all, 5, scalars);
  REQUIRE(packed.slots.size() == 2);
  CHECK(packed.slots[0].tokens == std::vector<i32>{1, 2, 3, 10, 11, 4, 12});
  CHECK(packed.slots[0].starts == std::vector<i32>{5});
  CHECK(packed.slots[0].loss == std::vector<u8>{0, 0, 0, 1, 1, 0, 1});
  CHECK(packed.slots[0].scalars == std::vector<f32>{1, 2, 3});
  CHECK(packed.slots[1].tokens == std::vector<i32>{1, 2, 3, 13, 14, 15});
  CHECK(packed.places[0].row == 2);
  CHECK(packed.places[1].slot == 0);
  CHECK(packed.places[1].row == 4);
  CHECK(packed.places[2].slot == 1);
}

TEST_CASE("truncation and the divergence count as each method says", "[align]") {
  Rollout one, two;
  one.tokens = two.tokens = {10, 11};
  one.logp = two.logp = {-1, -1};
  one.ref_logp = {-2, -1};  // sum of log pi - log ref: 1
  two.ref_logp = {-1, -1};
  one.reward = 2;
  two.reward = 1;
  two.truncated = true;
  const std::vector<Rollout> rollouts = {one, two};
  AlignOptions options;
  options.samples = 2;
  options.kl = 0.5;
  options.truncation_penalty = 1;
  options.method = "rloo";  // 2 - 0.5 = 1.5 against 1 - 1 = 0
  std::vector<std::vector<f32>> scalars = align::token_scalars(options, rollouts);
  CHECK(scalars[0][train::kAdvantage] == 1.5f);
  CHECK(scalars[1][train::kTokenScalars + train::kAdvantage] == -1.5f);
  CHECK(scalars[0][train::kOldLogp] == -1);
  CHECK(scalars[0][train::kRefLogp] == -2);
  options.method = "grpo";  // 2 against 0: +1 and -1
  scalars = align::token_scalars(options, rollouts);
  CHECK(scalars[0][train::kAdvantage] == Approx(1).epsilon(1e-5));
  CHECK(scalars[1][train::kAdvantage] == Approx(-1).epsilon(1e-5));
}
