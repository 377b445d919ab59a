#include "train/objective_drawn.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "catch.h"
#include "core/random.h"
#include "cpu/backend.h"
#include "tiny.h"
#include "train/evaluate.h"
#include "train/plan.h"

using namespace lm;
using model::EmbedCfg;
using model::EmbedKind;
using train::Example;
using train::Examples;

namespace {

constexpr i64 kSymbols = 6, kLength = 12;

model::ModelCfg config_with(const EmbedCfg& embed, bool tied = false) {
  model::ModelShape shape;
  shape.family = "llama";
  shape.layers = 2;
  shape.width = 16;
  shape.heads = 2;
  shape.ffn = 32;
  shape.vocab = kSymbols;
  shape.context = kLength;
  shape.tied = tied;
  model::ModelCfg cfg = model::make_config(shape);
  cfg.init_std = 0.3;
  cfg.embed = embed;
  return cfg;
}

train::ObjectiveOptions objective_of(const model::ModelCfg& cfg) {
  train::ObjectiveOptions out;
  out.drawn = {cfg.embed, cfg.vocab, cfg.width};
  return out;
}

/// A row of symbols; number: of the example.
Example text_of(u64 seed, i64 number) {
  const RandomStream draw(seed, RandomPurpose::kOther);
  Example out;
  out.number = number;
  for (u64 i = 0; i <= kLength; ++i)
    out.tokens.push_back(static_cast<i32>(draw.below(i, kSymbols)));
  return out;
}

/// A model and a graph of `slots` rows.
struct Rows {
  model::Model model;
  std::unique_ptr<train::Objective> objective;
  ParamSlab grads;
  train::TrainGraph graph;
  Executor executor;

  static train::TrainGraph::Options options(i64 slots) {
    train::TrainGraph::Options out;
    out.slots = slots;
    out.seq_len = kLength;
    out.build.trainable = true;
    return out;
  }
  explicit Rows(const model::ModelCfg& cfg, i64 slots = 1)
      : model(model::new_model(cfg, 3)),
        objective(train::make_objective(objective_of(cfg))),
        grads(model.params->set),
        graph(cfg, *model.params, *objective, options(slots)),
        executor(graph.graph, cpu_backend()) {
    graph.model.bind(executor, model.weights);
    executor.bind_grads([this](i32 index) { return grads[index]; });
    if (cfg.embed.drawn()) parameter("embed_scale")[0] = 1.5f;
  }
  f32* parameter(std::string_view name) {
    return model.weights[model.params->set.find(name)].f32_data();
  }
  std::vector<f32> gradient(std::string_view name) {
    const Tensor t = grads[model.params->set.find(name)];
    return {t.f32_data(), t.f32_data() + t.count()};
  }
  void fill(const Examples& examples, u32 step = 0) {
    train::FillCtx ctx;
    ctx.seed = 5;
    ctx.step = step;
    objective->fill(examples, ctx, graph.inputs);
  }
  std::vector<f32> run() {
    grads.zero();
    graph.inputs.set(executor);
    executor.run({});
    std::vector<f32> out(usize(graph.inputs.rows()));
    executor.read(graph.loss.rows, out);
    return out;
  }
  std::vector<f32> losses(const Examples& examples, u32 step = 0) {
    fill(examples, step);
    return run();
  }
};

const EmbedCfg kGaussian = {EmbedKind::kGaussian, 0};
EmbedCfg semi(f64 share) {
  return {EmbedKind::kSemi, share};
}

std::vector<f32> part(const std::vector<f32>& of, i64 slot) {
  return {of.begin() + slot * kLength, of.begin() + (slot + 1) * kLength};
}

f64 farthest(const std::vector<f32>& a, const std::vector<f32>& b) {
  f64 out = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    out = std::max(out, std::abs(static_cast<f64>(a[i]) - static_cast<f64>(b[i])));
  return out;
}

}  // namespace

TEST_CASE("symbols under other names, with their vectors, have the same probabilities", "[train]") {
  for (const u64 seed : {1, 2, 3}) {
    Rows rows(config_with(kGaussian));
    Example text = text_of(seed, 7);
    std::vector<i32> names(kSymbols);
    std::iota(names.begin(), names.end(), 0);
    const RandomStream draw(seed, RandomPurpose::kOther, 9);
    for (i64 i = kSymbols - 1; i > 0; --i)
      std::swap(names[usize(i)], names[draw.below(static_cast<u64>(i), static_cast<u64>(i + 1))]);
    Example renamed = text;
    for (i32& token : renamed.tokens)
      token = names[usize(token)];
    const std::vector<f32> loss = rows.losses({text});
    const std::span<f32> drawn = rows.graph.inputs.numbers("drawn");
    const std::vector<f32> tables(drawn.begin(), drawn.end());
    // Of every symbol at every place: that of its name, with the tables' rows renamed too.
    for (i32 v = 0; v < kSymbols; ++v) {
      rows.fill({text});
      std::fill(rows.graph.inputs.targets.begin(), rows.graph.inputs.targets.end(), v);
      const std::vector<f32> plain = rows.run();
      rows.fill({renamed});
      for (i64 s = 0; s < kSymbols; ++s)
        std::copy_n(tables.begin() + s * 16, 16, drawn.begin() + names[usize(s)] * 16);
      std::fill(rows.graph.inputs.targets.begin(), rows.graph.inputs.targets.end(),
                names[usize(v)]);
      CHECK(farthest(rows.run(), plain) < 1e-5);
    }
    // Without the vectors they differ.
    CHECK(farthest(rows.losses({renamed}), loss) > 1e-3);
  }
}

TEST_CASE("a row's tables are its number's: not its place's, nor its neighbours'", "[train]") {
  for (const EmbedCfg& embed : {kGaussian, semi(0.5)}) {
    Rows one(config_with(embed)), four(config_with(embed), 4);
    const Example a = text_of(1, 7), b = text_of(2, 8);
    Example other = a;
    other.number = 9;
    const std::vector<f32> alone = one.losses({a});
    const std::vector<f32> batch = four.losses({b, a, other, a});
    CHECK(part(batch, 1) == alone);
    CHECK(part(batch, 3) == alone);
    CHECK(farthest(part(batch, 2), alone) > 1e-3);  // equal text, another draw
    CHECK(part(four.losses({a}), 0) == alone);      // slots without an example
    CHECK(farthest(one.losses({a}, 1), alone) > 1e-3);
    CHECK(one.losses({a}) == alone);
  }
}

TEST_CASE("what comes behind a token changes nothing before it", "[train]") {
  Rows rows(config_with(kGaussian));
  Example text = text_of(4, 1);
  const std::vector<f32> before = rows.losses({text});
  text.tokens[6] = (text.tokens[6] + 1) % kSymbols;
  const std::vector<f32> after = rows.losses({text});
  CHECK(std::equal(before.begin(), before.begin() + 5, after.begin()));
  CHECK(before[5] != after[5]);  // its target
  CHECK(farthest({after.begin() + 7, after.end()}, {before.begin() + 7, before.end()}) > 1e-4);
}

TEST_CASE("a share of 0 is the learnt model, a share of 1 the gaussian one", "[train]") {
  CHECK(model::parse_embed("semi:0") == EmbedCfg{});
  CHECK(model::parse_embed("semi:1") == kGaussian);
  CHECK(model::parse_embed("semi:0.25") == semi(0.25));
  for (const char* const bad : {"semi", "semi:", "semi:2", "semi:x", "semi:-0.1", "Gaussian", ""})
    CHECK_THROWS_AS(model::parse_embed(bad), Error);
  const Examples texts = {text_of(1, 1), text_of(2, 2)};
  for (const bool tied : {false, true}) {
    Rows none(config_with(semi(0), tied), 2), all(config_with(semi(1), tied), 2);
    Rows learned(config_with({}, tied), 2), gaussian(config_with(kGaussian, tied), 2);
    CHECK(farthest(none.losses(texts), learned.losses(texts)) < 1e-5);
    CHECK(farthest(none.gradient("embed.weight"), learned.gradient("embed.weight")) < 1e-4);
    CHECK(none.gradient("embed_scale") == std::vector<f32>{0});
    CHECK(all.losses(texts) == gaussian.losses(texts));
    for (const char* const name : {"embed_scale", "blocks.0.attn.qkv.weight", "norm.weight"})
      CHECK(all.gradient(name) == gaussian.gradient(name));
    for (const f32 g : all.gradient("embed.weight"))
      CHECK(g == 0);
  }
}

TEST_CASE("the learnt table is taught by the rows that are learnt", "[train]") {
  Rows rows(config_with(semi(0.5), true));
  const Example text = text_of(1, 3);
  rows.losses({text});
  const std::span<i32> learned = rows.graph.inputs.indices("learned_rows");
  const std::vector<f32> slope = rows.gradient("embed.weight");
  i64 kinds = 0;
  for (i64 v = 0; v < kSymbols; ++v) {
    const f32 most = *std::max_element(slope.begin() + v * 16, slope.begin() + (v + 1) * 16);
    CHECK((most != 0) == (learned[usize(v)] == v));
    kinds |= learned[usize(v)] == v ? 1 : 2;
  }
  CHECK(kinds == 3);
  train::RowInputs counted(1, kLength);  // of no graph, as metrics count bytes
  CHECK(rows.objective->fill(std::span(&text, 1), {}, counted) == kLength);
  Example wrong = text;
  wrong.tokens[2] = kSymbols;
  CHECK_THROWS_WITH(rows.fill({wrong}), Catch::Matchers::ContainsSubstring("outside [0, 6)"));
}

TEST_CASE("drawn numbers are normal, and independent of the share", "[train]") {
  std::vector<f32> all(usize(500 * 40)), some(all.size());
  std::vector<i32> learned(500);
  const model::EmbedDraw at{3, 17, 2};
  model::draw_embeddings(kGaussian, at, 40, all, {});
  model::draw_embeddings(semi(0.3), at, 40, some, learned);
  f64 mean = 0, square = 0;
  for (const f32 x : all) {
    mean += static_cast<f64>(x) / 20000;
    square += static_cast<f64>(x) * static_cast<f64>(x) / 20000;
  }
  CHECK(std::abs(mean) < 0.03);  // 4 standard errors
  CHECK(std::abs(square - 1) < 0.04);
  i64 drawn = 0, wrong = 0;
  for (i64 v = 0; v < 500; ++v) {
    const bool own = learned[usize(v)] == v;
    drawn += own ? 0 : 1;
    for (i64 c = v * 40; c < (v + 1) * 40; ++c)
      wrong += some[usize(c)] == (own ? 0.0f : all[usize(c)]) ? 0 : 1;
  }
  CHECK(wrong == 0);
  CHECK(std::abs(drawn - 150) < 42);
  for (const model::EmbedDraw& other : {model::EmbedDraw{4, 17, 2}, {3, 18, 2}, {3, 17, 1}}) {
    model::draw_embeddings(kGaussian, other, 40, some, {});
    CHECK(farthest(all, some) > 1);
  }
}

TEST_CASE("held-out losses are means over tables, or of the learnt one", "[train]") {
  const test::TempDir dir;
  test::write_shards(dir.file("data"), {200, 120}, kSymbols);
  LocalContext ctx;
  const std::unique_ptr<comm::Comm> comm = comm::self_comm();
  const auto loss_of = [&](const model::Model& model, i64 draws, i64 micro = 4) {
    train::EvalOptions options;
    options.seq_len = kLength;
    options.micro_batch = micro;
    options.embed_draws = draws;
    train::Evaluator evaluator(model, model.weights, cpu_backend(), {dir.file("data.json")},
                               options, {}, *comm, *ctx);
    const train::EvalResult result = *evaluator.run();
    CHECK(result.targets == 26 * kLength);
    return result.loss;
  };
  const model::Model gaussian = model::new_model(config_with(kGaussian), 1);
  CHECK(loss_of(gaussian, 0) == loss_of(gaussian, 1));
  CHECK(loss_of(gaussian, 1, 3) == Approx(loss_of(gaussian, 1)).epsilon(1e-6));
  CHECK(std::abs(loss_of(gaussian, 4) - loss_of(gaussian, 1)) > 1e-5);
  const model::Model mixed = model::new_model(config_with(semi(0.5)), 1);
  model::Model plain = model::new_model(config_with({}), 1);
  CHECK(loss_of(mixed, 0) == loss_of(plain, 0));  // initial values are their names'
  CHECK(loss_of(mixed, 1) != loss_of(plain, 0));
}

TEST_CASE("plans count the tables of a micro-batch", "[train]") {
  const model::ModelCfg cfg = config_with(kGaussian);
  train::TrainOptions options = test::tiny_options();
  options.seq_len = kLength;
  options.objective = objective_of(cfg);
  CHECK(train::make_objective(options.objective)->table_bytes(8) == 2 * 8 * kSymbols * 16 * 4);
  const std::string plan = train::plan_text(cfg, options, cpu_backend(), {});
  CHECK(plan.find("drawn embeddings") != std::string::npos);
  CHECK(plan.find("embeddings gaussian") != std::string::npos);
  CHECK_THROWS_AS(train::check_memory(cfg, options, cpu_backend(), 10000), Error);
}
