#include <cmath>

#include "catch.h"
#include "cpu/backend.h"
#include "tiny.h"
#include "train/objective_next_token.h"

using namespace lm;
using train::Example;
using train::Examples;
using train::NextToken;
using train::RowInputs;

namespace {

Example example(std::vector<i32> tokens, std::vector<i32> starts = {}, std::vector<u8> loss = {}) {
  Example out;
  out.tokens = std::move(tokens);
  out.starts = std::move(starts);
  out.loss = std::move(loss);
  return out;
}

/// An objective with a weight per row, as diffusion has: the first scalar of the example.
class Weighted final : public train::Objective {
 public:
  i64 tokens_per_sequence(i64 seq_len) const override { return seq_len + 1; }
  train::LossValues build(Graph& graph, model::GraphModel& model,
                          RowInputs& inputs) const override {
    inputs.declare_weights(graph);
    train::LossValues loss = NextToken({}).build(graph, model, inputs);
    loss.metrics.push_back({"twice", scale(graph, loss.sum, 2), {}});
    return loss;
  }
  f64 fill(std::span<const Example> examples, const train::FillCtx& ctx,
           RowInputs& inputs) const override {
    NextToken({}).fill(examples, ctx, inputs);
    for (i64 s = 0; s < isize(examples); ++s)
      std::fill_n(inputs.weights.begin() + s * inputs.slot_rows(), inputs.slot_rows(),
                  examples[usize(s)].scalars[0]);
    return static_cast<f64>(examples.size());
  }
};

/// The loss of an untrained model over one micro-batch, and the first metric.
std::pair<f64, f64> loss_of(const train::Objective& objective, const Examples& examples,
                            i64 slots = 2) {
  const model::Model model = model::new_model(test::tiny_config("llama", 8), 1);
  train::TrainGraph train(
      model.cfg, *model.params, objective,
      {.slots = slots, .seq_len = 8, .backward = false, .build = {}, .routers = {}});
  Executor executor(train.graph, cpu_backend());
  train.model.bind(executor, model.weights);
  objective.fill(examples, {}, train.inputs);
  train.inputs.set(executor);
  executor.run({});
  const f64 metric = train.loss.metrics.empty()
                         ? 0.0
                         : static_cast<f64>(executor.scalar(train.loss.metrics[0].sum));
  return {static_cast<f64>(executor.scalar(train.loss.sum)), metric};
}

}  // namespace

TEST_CASE("document masks cut spans, positions and targets", "[train]") {
  const Examples batch = {example({10, 11, 12, 13, 14}, {2}), example({20, 21, 22, 23, 24}, {4})};
  RowInputs plain(2, 4), masked(2, 4);
  CHECK(NextToken({}).fill(batch, {}, plain) == 8);
  CHECK(plain.targets == std::vector<i32>{11, 12, 13, 14, 21, 22, 23, 24});
  CHECK(plain.positions == std::vector<i32>{0, 1, 2, 3, 0, 1, 2, 3});
  CHECK(plain.spans[7].a0 == 4);
  CHECK(plain.spans[7].a1 == 8);
  CHECK(NextToken({.documents = true}).fill(batch, {}, masked) == 6);
  CHECK(masked.targets == std::vector<i32>{11, -100, 13, 14, 21, 22, 23, -100});
  CHECK(masked.positions == std::vector<i32>{0, 1, 0, 1, 0, 1, 2, 3});
  CHECK(masked.spans[3].a0 == 2);
  CHECK(masked.spans[3].a1 == 4);
  // One example is there, the other rows are empty.
  CHECK(NextToken({}).fill(std::span(batch).subspan(1), {}, plain) == 4);
  CHECK(plain.targets[4] == -100);
  CHECK(plain.spans[4].a1 == plain.spans[4].a0);
}

TEST_CASE("loss masks and short examples leave rows without targets", "[train]") {
  const Examples batch = {example({10, 11, 12, 20, 21, 22}, {3}, {0, 0, 1, 0, 1, 1}),
                          example({30, 31}, {}, {1, 1})};
  RowInputs inputs(2, 6);
  CHECK(NextToken({.documents = true}).fill(batch, {}, inputs) == 4);
  CHECK(inputs.tokens == std::vector<i32>{10, 11, 12, 20, 21, 0, 30, 0, 0, 0, 0, 0});
  CHECK(inputs.targets ==
        std::vector<i32>{-100, 12, -100, 21, 22, -100, 31, -100, -100, -100, -100, -100});
  CHECK(inputs.positions == std::vector<i32>{0, 1, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0});
  CHECK(inputs.spans[4].a0 == 3);
  CHECK(inputs.spans[4].a1 == 5);
  CHECK(inputs.spans[5].a1 == 0);
}

TEST_CASE("a prefix sees all of itself and has no targets inside", "[train]") {
  // Two documents of five and four tokens with prefixes of three and none.
  Example both = example({10, 11, 12, 13, 14, 20, 21, 22, 23}, {5});
  both.prefixes = {3, 0};
  RowInputs inputs(1, 8);
  CHECK(NextToken({.documents = true}).fill(std::span(&both, 1), {}, inputs) == 5);
  CHECK(inputs.targets == std::vector<i32>{-100, -100, 13, 14, -100, 21, 22, 23});
  const std::vector<i32> ends = {3, 3, 3, 4, 5, 6, 7, 8};
  for (i64 r = 0; r < 8; ++r) {
    CHECK(inputs.spans[usize(r)].a0 == (r < 5 ? 0 : 5));
    CHECK(inputs.spans[usize(r)].a1 == ends[usize(r)]);
  }
  // A mask cannot make targets of what is seen; a prefix of a whole document leaves none.
  both.loss = {1, 1, 1, 0, 1, 1, 1, 1, 1};
  both.prefixes = {3, 4};
  CHECK(NextToken({.documents = true}).fill(std::span(&both, 1), {}, inputs) == 1);
  CHECK(inputs.spans[5].a1 == 8);
  both.prefixes = {0, 0};
  both.loss.clear();
  RowInputs plain(1, 8);
  CHECK(NextToken({.documents = true}).fill(std::span(&both, 1), {}, inputs) == 7);
  both.prefixes.clear();
  CHECK(NextToken({.documents = true}).fill(std::span(&both, 1), {}, plain) == 7);
  CHECK(inputs.targets == plain.targets);
}

TEST_CASE("block diffusion lays a document out twice", "[train]") {
  RowInputs inputs(1, 14);
  inputs.clear();
  inputs.blocks(0, 7, 5, 2);
  CHECK(inputs.positions == std::vector<i32>{0, 1, 2, 3, 4, 0, 0, 0, 1, 2, 3, 4, 0, 0});
  const auto seen = [&](i64 row) {
    const RowSpan& s = inputs.spans[usize(row)];
    return std::vector<i32>{s.a0, s.a1, s.b0, s.b1, s.la, s.lb};
  };
  CHECK(seen(1) == std::vector<i32>{0, 2, 0, 0, 0, 0});
  CHECK(seen(3) == std::vector<i32>{7, 9, 2, 4, 0, 2});
  CHECK(seen(4) == std::vector<i32>{7, 11, 4, 5, 0, 4});
  CHECK(seen(5) == std::vector<i32>(6, 0));
  CHECK(seen(7) == std::vector<i32>{7, 9, 0, 0, 0, 0});
  CHECK(seen(11) == std::vector<i32>{7, 12, 0, 0, 0, 0});
  inputs.blocks(0, 7, 5, 5);  // one block: noisy rows see noisy rows alone
  CHECK(seen(3) == std::vector<i32>{0, 5, 0, 0, 0, 0});
  CHECK_THROWS_AS(inputs.blocks(0, 4, 5, 2), Error);
}

TEST_CASE("drawn prefixes are uniform, by row of the run, however a batch is divided", "[train]") {
  const NextToken objective({.draw_prefixes = true});
  const Examples batch(8, example({1, 2, 3, 4, 5, 6, 7, 8, 9}));
  std::vector<i64> lengths(9);
  RowInputs whole(8, 8), half(4, 8);
  for (u32 step = 0; step < 500; ++step) {
    objective.fill(batch, {7, step, 0, 0}, whole);
    for (u32 part = 0; part < 2; ++part) {
      objective.fill(std::span(batch).subspan(part * 4, 4), {7, step, part, 0}, half);
      CHECK(
          std::equal(half.targets.begin(), half.targets.end(), whole.targets.begin() + part * 32));
    }
    for (i64 s = 0; s < 8; ++s)
      ++lengths[usize(whole.spans[usize(8 * s)].a1 - 8 * s)];
  }
  // 4000 draws of 1 to 8: mean 500, standard deviation 20.9.
  CHECK(lengths[0] == 0);
  for (i64 p = 1; p <= 8; ++p)
    CHECK(std::abs(lengths[usize(p)] - 500) < 90);
  // Of every document its own.
  Example two = example({1, 2, 3, 4, 5, 6, 7, 8, 9}, {4});
  RowInputs one(1, 8);
  NextToken({.documents = true, .draw_prefixes = true}).fill(std::span(&two, 1), {7, 3, 0, 0}, one);
  CHECK(one.spans[0].a1 >= 1);
  CHECK(one.spans[0].a1 <= 3);
  CHECK(one.spans[4].a0 == 4);
  CHECK(one.targets[3] == -100);
}

TEST_CASE("behind a prefix rows are causal, inside it they are not", "[train]") {
  const model::Model model = model::new_model(test::tiny_config("llama", 8), 1);
  const auto states = [&](std::vector<i32> tokens, i64 prefix) {
    Graph graph(ops(), DType::kF32);
    model::BuildOptions build;
    build.positions = 8;
    model::GraphModel layers(graph, model.cfg, *model.params, build);
    RowInputs inputs(1, 8);
    inputs.declare(graph);
    const Value x = layers.hidden(inputs.token_value, inputs.position_value, inputs.span_value);
    graph.keep(x);
    Executor executor(graph, cpu_backend(), {.record = true});
    layers.bind(executor, model.weights);
    Example row = example(std::move(tokens));
    row.prefixes = {static_cast<i32>(prefix)};
    NextToken({}).fill(std::span(&row, 1), {}, inputs);
    inputs.set(executor);
    executor.run({});
    std::vector<f32> out(usize(8 * model.cfg.width));
    executor.read(x, out);
    return out;
  };
  const std::vector<i32> tokens = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  for (const i64 prefix : {0, 4}) {
    const std::vector<f32> before = states(tokens, prefix);
    for (i64 changed = 0; changed < 8; ++changed) {
      std::vector<i32> other = tokens;
      other[usize(changed)] = 60;
      const std::vector<f32> after = states(other, prefix);
      for (i64 row = 0; row < 8; ++row) {
        const auto at = static_cast<std::ptrdiff_t>(row * model.cfg.width);
        const bool equal = std::equal(before.begin() + at, before.begin() + at + model.cfg.width,
                                      after.begin() + at);
        INFO("prefix " << prefix << ", token " << changed << ", row " << row);
        CHECK(equal == (row < changed && !(changed < prefix)));
      }
    }
  }
}

TEST_CASE("packing and padding leave the loss of examples as it is", "[train]") {
  const NextToken objective({.documents = true});
  const Example a = example({10, 11, 12}, {}, {0, 0, 1});
  const Example b = example({20, 21, 22, 23}, {}, {0, 1, 1, 1});
  Example both = example({10, 11, 12, 20, 21, 22, 23}, {3}, {0, 0, 1, 0, 1, 1, 1});
  const f64 apart = loss_of(objective, {a, b}).first;
  CHECK(loss_of(objective, {both}).first == Approx(apart).epsilon(1e-6));
  CHECK(loss_of(objective, {a}).first + loss_of(objective, {b}).first ==
        Approx(apart).epsilon(1e-6));
  // What is no target changes nothing behind a document's end.
  both.tokens[0] = both.tokens[1] = 60;
  const f64 first = loss_of(objective, {example({60, 60, 12}, {}, {0, 0, 1})}).first;
  CHECK(loss_of(objective, {both}).first ==
        Approx(first + loss_of(objective, {b}).first).epsilon(1e-6));
}

TEST_CASE("an objective adds weights, metrics and its own normaliser", "[train]") {
  Example heavy = example({1, 2, 3, 4});
  heavy.scalars = {3};
  const auto [sum, twice] = loss_of(Weighted(), {heavy});
  CHECK(sum == Approx(3 * loss_of(NextToken({}), {heavy}).first).epsilon(1e-6));
  CHECK(twice == Approx(2 * sum).epsilon(1e-6));
}
