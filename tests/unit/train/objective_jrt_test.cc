// Prefixes in training: the objective of models that read them twice, and the gradients of their
// layers.

#include "train/objective_jrt.h"

#include <cmath>

#include "model/engine.h"
#include "probe.h"
#include "tiny.h"
#include "train/objective_table.h"

using namespace lm;

namespace {

model::ModelCfg config(const std::string& mixers = "conv:3@0,pla:4@1,window:5@2") {
  model::ModelShape shape;
  shape.family = "based";
  shape.layers = 3;
  shape.width = 32;
  shape.heads = 4;
  shape.ffn = 96;
  shape.vocab = 64;
  shape.context = 32;
  shape.init_std = 0.1;
  shape.mixers = mixers;
  return model::make_config(shape);
}

constexpr train::JrtOptions kOptions = {.prefix = 21, .share = 0.2, .weight = 0.5, .mask = 63};

std::unique_ptr<train::Objective> jrt(const train::JrtOptions& options) {
  train::ObjectiveOptions out;
  out.name = "jrt";
  out.jrt = options;
  return train::make_objective(out);
}

train::TrainGraph::Options graph_of(i64 slots) {
  train::TrainGraph::Options out;
  out.slots = slots;
  out.seq_len = 32;
  out.build.trainable = true;
  return out;
}

}  // namespace

TEST_CASE("as many tokens of a prefix are hidden as the share says, never its last", "[train]") {
  const train::Jrt objective(kOptions);
  std::vector<i64> often(20, 0);
  for (u64 row = 0; row < 500; ++row) {
    const std::vector<i64> places = objective.hidden(1, row);
    REQUIRE(places.size() == 4);  // 0.2 (21 - 1)
    CHECK(std::is_sorted(places.begin(), places.end()));
    CHECK(std::adjacent_find(places.begin(), places.end()) == places.end());
    for (const i64 place : places)
      ++often.at(usize(place));
    CHECK(objective.hidden(1, row) == places);
  }
  for (const i64 count : often)
    CHECK(std::abs(count - 100) < 45);  // deviation 9
  CHECK(objective.hidden(1, 3) != objective.hidden(2, 3));
  CHECK(train::Jrt({.prefix = 1, .mask = 63}).hidden(1, 1).empty());
}

TEST_CASE("rows of a masked prefix and of what is behind it", "[train]") {
  test::Probe probe(jrt(kOptions), config(), graph_of(2));
  train::Examples examples = test::consecutive(test::formula_tokens(65), 0, 2, 32);
  std::fill(examples[0].tokens.begin(), examples[0].tokens.begin() + 21, 0);  // a token like others
  const f64 loss = probe.run(examples);
  CHECK(probe.share == 2 * 12);  // tokens 21 ... 32
  const train::RowInputs& rows = probe.graph->inputs;
  const train::Jrt same(kOptions);
  for (i64 s = 0; s < 2; ++s) {
    const std::vector<i64> places = same.hidden(0, static_cast<u64>(s));
    for (i64 i = 0; i < 32; ++i) {
      const std::size_t at = usize(s * 32 + i);
      const std::vector<i32>& tokens = examples[usize(s)].tokens;
      const bool hidden = std::find(places.begin(), places.end(), i) != places.end();
      CHECK(rows.tokens[at] == (hidden ? 63 : tokens[usize(i)]));
      CHECK(rows.targets[at] == (hidden    ? tokens[usize(i)]
                                 : i >= 20 ? tokens[usize(i + 1)]
                                           : kIgnoreTarget));
      CHECK(rows.weights[at] == (hidden ? 0.5f * 12 / 4 : 1.0f));
      CHECK(rows.prefix_ends[at] == s * 32 + 21);
      CHECK(rows.spans[at].a1 == s * 32 + i + 1);
    }
  }
  CHECK(loss / probe.share == Approx(probe.metric("ce") + 0.5 * probe.metric("mlm")).epsilon(1e-5));
}

TEST_CASE("what is hidden is seen by nobody", "[train]") {
  test::Probe probe(jrt(kOptions), config(), graph_of(1));
  train::Examples examples = test::consecutive(test::formula_tokens(33), 0, 1, 32);
  probe.run(examples);
  const f64 ce = probe.metric("ce");
  const f64 mlm = probe.metric("mlm");
  const i64 place = train::Jrt(kOptions).hidden(0, 0)[1];
  examples[0].tokens[usize(place)] ^= 1;
  probe.run(examples);
  CHECK(probe.metric("ce") == Approx(ce).epsilon(1e-6));  // a difference of sums
  CHECK(probe.metric("mlm") != mlm);
  examples[0].tokens[20] ^= 1;  // the last of the prefix
  probe.run(examples);
  CHECK(std::abs(probe.metric("ce") - ce) > 1e-4);
}

TEST_CASE("nothing hidden is the next token behind a prefix, as the engine has it", "[train]") {
  test::Probe probe(jrt({.prefix = 21, .share = 0}), config(), graph_of(1));
  const train::Examples examples = test::consecutive(test::formula_tokens(33), 0, 1, 32);
  const f64 loss = probe.run(examples);
  const std::vector<i32>& tokens = examples[0].tokens;
  model::Engine engine(probe.model);
  const i32 seq = engine.create();
  std::vector<model::EvalRow> rows(32);
  for (i64 i = 0; i < 32; ++i) {
    rows[usize(i)].seq = seq;
    rows[usize(i)].token = tokens[usize(i)];
    rows[usize(i)].prefix = i < 21;
    rows[usize(i)].want_logits = i >= 20;
  }
  engine.eval(rows);
  f64 sum = 0;
  for (i64 i = 20; i < 32; ++i) {
    f64 all = 0;
    for (const f32 logit : engine.logits(i))
      all += std::exp(static_cast<f64>(logit));
    sum += std::log(all) - static_cast<f64>(engine.logits(i)[usize(tokens[usize(i + 1)])]);
  }
  CHECK(loss == Approx(sum).epsilon(1e-5));
}

TEST_CASE("gradients of prefix projections are those of differences", "[train]") {
  for (const bool masked : {false, true}) {
    train::JrtOptions options = kOptions;
    if (!masked) options.share = 0;
    test::Probe probe(jrt(options), config("pla:4"), graph_of(2));
    const train::Examples examples = test::consecutive(test::formula_tokens(65), 0, 2, 32);
    probe.run(examples);
    for (const char* const name : {"blocks.0.linear.prefix.weight", "blocks.1.linear.prefix.weight",
                                   "blocks.1.linear.qkv.weight"}) {
      CAPTURE(name);
      const i32 param = probe.model.params->set.find(name);
      REQUIRE(param >= 0);
      const Tensor weights = probe.model.weights[param];
      // Along the gradient itself: its square, which one element's rounding does not hide.
      probe.run(examples);
      const Tensor grads = probe.grads[param];
      const std::vector<f32> g(grads.f32_data(), grads.f32_data() + grads.count());
      const std::vector<f32> w(weights.f32_data(), weights.f32_data() + weights.count());
      f64 square = 0;
      for (const f32 x : g)
        square += static_cast<f64>(x) * static_cast<f64>(x);
      const f64 step = 1e-2 / std::sqrt(square);
      const auto loss_at = [&](f64 by) {
        for (std::size_t i = 0; i < g.size(); ++i)
          weights.f32_data()[i] = w[i] + static_cast<f32>(by) * g[i];
        return probe.run(examples);
      };
      const f64 slope = (loss_at(step) - loss_at(-step)) / (2 * step);
      loss_at(0);
      CHECK(slope == Approx(square).epsilon(0.02));
    }
  }
}

TEST_CASE("the loss does not depend on how a batch is divided", "[train]") {
  train::TrainOptions options = test::tiny_options();
  options.objective.name = "jrt";
  options.objective.jrt = kOptions;
  options.batch = 4;
  f64 losses[2];
  for (const i64 micro : {4, 1}) {
    options.micro_batch = micro;
    test::Bench bench(config(), options);
    losses[micro == 1] =
        bench.trainer.step(test::consecutive(test::formula_tokens(4 * 32 + 1), 0, 4, 32)).loss;
  }
  CHECK(losses[0] == Approx(losses[1]).epsilon(1e-6));
}

TEST_CASE("Muon takes keys and values of prefixes apart", "[train]") {
  const model::ModelCfg cfg = config("pla:4");
  const ParamSet set = model::make_params(cfg).set;
  std::vector<i64> rows;
  for (const train::MuonMatrix& one : train::muon_matrices(cfg, set))
    if (set[one.param].name == "blocks.1.linear.prefix.weight") rows.push_back(one.rows);
  CHECK(rows == std::vector<i64>{4 * 4, 4 * 8});
}

TEST_CASE("a prefix of drawn length, and documents without one", "[train]") {
  for (const char* const name : {"prefix-lm", "next-token"}) {
    train::TrainOptions options = test::tiny_options(200);
    options.objective.name = name;
    options.objective.doc_mask = true;
    options.batch = options.micro_batch = 2;
    options.schedule.peak = 1e-2;
    test::Bench bench(config(), options);
    train::Examples batch = test::consecutive(test::formula_tokens(65), 0, 2, 32);
    batch[0].starts = {9};
    const f64 first = bench.trainer.step(batch).loss;
    f64 loss = 0;
    for (i64 t = 0; t < 150; ++t)
      loss = bench.trainer.step(batch).loss;
    CHECK(loss < first / 4);
  }
}
