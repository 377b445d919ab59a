#include "train/objective_policy.h"

#include <cmath>

#include "probe.h"
#include "tiny.h"

using namespace lm;
using train::Example;
using train::Examples;
using train::ObjectiveOptions;

namespace {

constexpr i64 kRows = 12;

model::ModelCfg config(bool value) {
  model::ModelCfg cfg = test::tiny_config("llama", kRows + 1);
  cfg.init_std = 0.2;
  cfg.value = value;
  return cfg;
}

ObjectiveOptions options_of(const std::string& name) {
  ObjectiveOptions out;
  out.name = name;
  return out;
}

struct Probe : test::Probe {
  Probe(std::unique_ptr<train::Objective> made, bool with_value, i64 slots = 2,
        bool backward = true)
      : test::Probe(std::move(made), config(with_value), shape(slots, backward)) {}
  explicit Probe(const ObjectiveOptions& options)
      : Probe(train::make_objective(options), options.name == "ppo") {}

  static train::TrainGraph::Options shape(i64 slots, bool backward) {
    train::TrainGraph::Options out;
    out.slots = slots;
    out.seq_len = kRows;
    out.backward = out.build.trainable = backward;
    return out;
  }
  /// Of a parameter that all models have.
  std::vector<f64> gradient() const {
    std::vector<f64> out;
    for (i32 i = 0; i < model.params->set.size(); ++i) {
      if (model.params->set[i].name.starts_with("value.")) continue;
      const Tensor g = grads[i];
      for (i64 k = 0; k < g.count(); ++k)
        out.push_back(static_cast<f64>(g.f32_data()[k]));
    }
    return out;
  }
};

Example completion(const std::vector<i32>& tokens) {
  Example out;
  out.tokens = {5, 9};
  out.tokens.insert(out.tokens.end(), tokens.begin(), tokens.end());
  out.loss.assign(out.tokens.size(), 1);
  out.loss[0] = out.loss[1] = 0;
  return out;
}

/// Log-probabilities of the completions' tokens under the probes' model.
std::vector<std::vector<f32>> log_probabilities(const Examples& examples, bool value = false) {
  Probe probe(std::make_unique<train::PolicyMeasure>(), value, isize(examples), false);
  probe.run(examples);
  std::vector<f32> rows(usize(probe.graph->inputs.rows()));
  probe.executor->read(probe.graph->loss.rows, rows);
  std::vector<std::vector<f32>> out;
  for (i64 i = 0; i < isize(examples); ++i) {
    const auto first = rows.begin() + i * kRows + 1;
    out.emplace_back(first, first + isize(examples[usize(i)].tokens) - 2);
  }
  return out;
}

/// The completions with the model's own log-probabilities, `shift` less, and these advantages.
Examples at_old(Examples examples, const std::vector<f32>& advantages, f32 shift = 0) {
  const std::vector<std::vector<f32>> logp = log_probabilities(examples);
  for (std::size_t i = 0; i < examples.size(); ++i)
    for (const f32 old : logp[i])
      for (const f32 number : {old - shift, old, advantages[i], 0.0f, 0.0f})
        examples[i].scalars.push_back(number);
  return examples;
}

/// The slope of minus the completion's log-probability.
std::vector<f64> nll_slope(const Example& example) {
  Probe probe(options_of("sft"));
  probe.run(std::span(&example, 1));
  return probe.gradient();
}

f64 distance(const std::vector<f64>& a, const std::vector<f64>& b) {
  f64 difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(difference / size);
}

f64 norm(const std::vector<f64>& a) {
  f64 sum = 0;
  for (const f64 x : a)
    sum += x * x;
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("measures are the log-probabilities of targets, entropies and values", "[train]") {
  const Examples examples = {completion({20, 21, 22}), completion({30})};
  Probe probe(std::make_unique<train::PolicyMeasure>(), true, 2, false);
  const Tensor bias = probe.model.weights[probe.model.params->set.find("value.bias")];
  bias.f32_data()[0] = 0.75f;
  const f64 sum = probe.run(examples);
  CHECK(probe.share == 4);
  Probe sft(options_of("sft"));
  CHECK(sum == Approx(-sft.run(examples)).epsilon(1e-6));
  REQUIRE(probe.graph->loss.measures.size() == 2);
  std::vector<f32> rows(2 * kRows), entropies(2 * kRows), values(2 * kRows);
  probe.executor->read(probe.graph->loss.rows, rows);
  probe.executor->read(probe.graph->loss.measures[0], entropies);
  probe.executor->read(probe.graph->loss.measures[1], values);
  CHECK(rows[0] == 0);  // the prompt's second token is no target
  CHECK(rows[4] == 0);
  for (const std::size_t row : {std::size_t{1}, std::size_t{2}, std::size_t{3}, usize(kRows + 1)}) {
    CHECK(rows[row] < 0);
    CHECK((entropies[row] > 0 && entropies[row] < std::log(64)));
    CHECK(values[row] == 0.75f);  // the head's weights are zero at first
  }
  // A model without that head has the same log-probabilities.
  const std::vector<std::vector<f32>> plain = log_probabilities(examples);
  CHECK(plain[0] == std::vector<f32>(rows.begin() + 1, rows.begin() + 4));
}

TEST_CASE("where the policy is the one that wrote, the slope is the policy gradient", "[train]") {
  const Examples plain = {completion({20, 21, 22}), completion({30, 31})};
  const std::vector<f32> advantages = {1.5f, -0.5f};
  const std::vector<f64> one = nll_slope(plain[0]), other = nll_slope(plain[1]);
  const auto expected = [&](f64 w, f64 l) {
    std::vector<f64> out;
    for (std::size_t i = 0; i < one.size(); ++i)
      out.push_back(1.5 * w * one[i] - 0.5 * l * other[i]);
    return out;
  };
  const Examples examples = at_old(plain, advantages);
  for (const char* name : {"reinforce", "rloo", "ppo", "grpo"}) {
    INFO(name);
    ObjectiveOptions options = options_of(name);
    options.value_weight = 0;
    Probe probe(options);
    const f64 loss = probe.run(examples);
    const bool of_tokens = name == std::string("ppo"), mean = name == std::string("grpo");
    CHECK(probe.share == (of_tokens ? 5 : 2));
    CHECK(loss == Approx(of_tokens ? -1.5 * 3 + 0.5 * 2 : -1.5 + 0.5).epsilon(1e-4));
    CHECK(distance(probe.gradient(), mean ? expected(1.0 / 3, 0.5) : expected(1, 1)) < 1e-3);
    CHECK(probe.metric_sum("clip_fraction") == 0);
  }
}

TEST_CASE("ratios beyond the clip count where they speak against the policy alone", "[train]") {
  const Examples plain = {completion({20, 21})};
  for (const char* name : {"reinforce", "ppo", "grpo"}) {
    INFO(name);
    ObjectiveOptions options = options_of(name);
    options.value_weight = 0;
    const bool whole = name == std::string("reinforce");
    // rho = e^0.5 of a token; of a whole completion e.
    for (const f32 advantage : {1.0f, -1.0f}) {
      Probe probe(options);
      const Examples examples = at_old(plain, {advantage}, 0.5f);
      const f64 loss = probe.run(examples);
      const f64 rho = std::exp(whole ? 1.0 : 0.5), tokens = name == std::string("ppo") ? 2 : 1;
      if (advantage > 0) {
        CHECK(loss == Approx(-1.2 * tokens).epsilon(1e-4));
        CHECK(norm(probe.gradient()) == 0);
      } else {
        CHECK(loss == Approx(rho * tokens).epsilon(1e-4));
        CHECK(norm(probe.gradient()) > 0);
      }
      CHECK(probe.metric_sum("clip_fraction") == (whole ? 1 : 2));
    }
  }
}

TEST_CASE("the divergence of grpo is k3 and has no slope at the reference", "[train]") {
  ObjectiveOptions options = options_of("grpo");
  options.kl = 0.25;
  Probe probe(options);
  Examples examples = at_old({completion({20, 21})}, {0});
  CHECK(probe.run(examples) == Approx(0).margin(1e-5));
  CHECK(norm(probe.gradient()) < 1e-4);
  // d = log pi - log ref = 0.5 of the first token, -0.25 of the second.
  examples[0].scalars[train::kRefLogp] -= 0.5f;
  examples[0].scalars[train::kTokenScalars + train::kRefLogp] += 0.25f;
  const f64 k3 = (std::exp(-0.5) + 0.5 - 1 + std::exp(0.25) - 0.25 - 1) / 2;
  CHECK(probe.run(examples) == Approx(0.25 * k3).epsilon(1e-4));
  CHECK(probe.metric_sum("k3") == Approx(k3).epsilon(1e-4));
  CHECK(norm(probe.gradient()) > 0);
}

TEST_CASE("the loss of values is the larger of the plain and the clipped one", "[train]") {
  ObjectiveOptions options = options_of("ppo");
  options.value_weight = 0.1;
  Probe probe(options);
  Examples examples = at_old({completion({20, 21})}, {0});
  // The head is zero. Old 0.5, return 1: 0.3 after the clip, (0 - 1)^2. Old 0.5, return -1:
  // (0.3 + 1)^2.
  examples[0].scalars[train::kReturn] = 1;
  examples[0].scalars[train::kOldValue] = 0.5f;
  examples[0].scalars[train::kTokenScalars + train::kReturn] = -1;
  examples[0].scalars[train::kTokenScalars + train::kOldValue] = 0.5f;
  const f64 loss = probe.run(examples);
  CHECK(probe.metric_sum("value_loss") == Approx(0.5 * (1 + 1.69)).epsilon(1e-5));
  CHECK(loss == Approx(0.05 * (1 + 1.69)).epsilon(1e-4));
  // Of the second token the value does not move the clipped one: only the first has a slope.
  const i32 bias = probe.model.params->set.find("value.bias");
  CHECK(probe.grads[bias].f32_data()[0] == Approx(0.1 * (0 - 1)).epsilon(1e-4));
}

TEST_CASE("several updates of a step are several steps at its learning rate", "[train]") {
  train::TrainOptions options = test::tiny_options();
  options.objective = options_of("rloo");
  options.seq_len = kRows;
  options.batch = 2;
  options.micro_batch = 1;
  options.schedule.kind = train::ScheduleKind::kConstant;
  options.schedule.warmup = 0;
  const Examples batch = at_old({completion({20, 21}), completion({30})}, {1, -1});
  const Examples padded = {batch[0], Example{}};
  test::Bench together(config(false), options, 3), apart(config(false), options, 3);
  const std::vector<Examples> updates = {batch, padded, batch};
  const train::StepResult result = together.trainer.step_of(updates);
  f64 loss = 0;
  for (const Examples& update : updates)
    loss += apart.trainer.step(update).loss / 3;
  CHECK(result.loss == Approx(loss).epsilon(1e-12));
  CHECK(result.targets == 5);
  CHECK(together.trainer.counters.step == 1);
  CHECK(together.trainer.counters.updates == 3);
  CHECK(together.trainer.counters.tokens == apart.trainer.counters.tokens);
  CHECK(test::same_bits(together.model.weights, apart.model.weights));
}
