#include "train/objective_masked.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "catch.h"
#include "core/parallel.h"
#include "core/random.h"
#include "model/mask_row.h"
#include "probe.h"
#include "tiny.h"
#include "train/evaluate.h"
#include "train/packed_source.h"
#include "train/plan.h"
#include "train/state.h"

using namespace lm;
using train::Example;
using train::Examples;
using train::ObjectiveOptions;
using train::RowInputs;

namespace {

constexpr i64 kTokens = 8, kVocab = 20;
constexpr i32 kMask = 19;

ObjectiveOptions options_of(const std::string& name, i64 block = 0, i32 mask = kMask) {
  ObjectiveOptions out;
  out.name = name;
  out.masked.mask = mask;
  out.masked.block = block;
  return out;
}

model::ModelCfg config_for(const ObjectiveOptions& options, bool tied = true, i64 width = 16,
                           const std::string& family = "llama") {
  model::ModelShape shape;
  shape.family = family;
  shape.layers = 2;
  shape.width = width;
  shape.heads = 2;
  shape.ffn = 2 * width;
  shape.vocab = kVocab;
  shape.context = kTokens;
  shape.tied = tied;
  model::ModelCfg cfg = model::make_config(shape);
  cfg.init_std = 0.3;
  cfg.diffusion = model::DiffusionCfg{options.masked.mask, options.masked.block};
  return cfg;
}

struct Probe : test::Probe {
  explicit Probe(const ObjectiveOptions& options, i64 slots = 1, bool tied = true, i64 width = 16)
      : test::Probe(train::make_objective(options), config_for(options, tied, width),
                    shape(slots)) {}
  static train::TrainGraph::Options shape(i64 slots) {
    train::TrainGraph::Options out;
    out.slots = slots;
    out.seq_len = kTokens;
    out.build.trainable = true;
    return out;
  }
  /// Of the rows as they stand.
  f64 again() {
    grads.zero();
    graph->inputs.set(*executor);
    executor->run({});
    return static_cast<f64>(executor->scalar(graph->loss.sum));
  }
  std::vector<f32> gradient(std::string_view name, i64 row) {
    const Tensor t = grads[model.params->set.find(name)];
    const f32* const first = t.f32_data() + row * t.cols();
    return {first, first + t.cols()};
  }
  bool moves(std::string_view name, i64 row) {
    const std::vector<f32> slope = gradient(name, row);
    return std::any_of(slope.begin(), slope.end(), [](f32 g) { return g != 0; });
  }
};

/// Sequences of the first 18 tokens; one more of each, as shards give them.
Examples texts(i64 count, i64 size = kTokens + 1, u64 seed = 1) {
  const RandomStream draw(seed, RandomPurpose::kOther);
  Examples out(usize(count));
  for (i64 i = 0; i < count * size; ++i)
    out[usize(i / size)].tokens.push_back(static_cast<i32>(draw.below(static_cast<u64>(i), 18)));
  for (i64 i = 0; i < count; ++i)
    out[usize(i)].number = i;
  return out;
}

std::vector<Example> completions() {
  Examples out(2);
  out[0].tokens = {1, 2, 3, 4, 5};
  out[0].loss = {0, 0, 1, 1, 1};
  out[1].tokens = {6, 7, 8};
  out[1].loss = {0, 1, 1};
  return out;
}

}  // namespace

TEST_CASE("hidden tokens are the mask token in and the text's out, others count nothing",
          "[train]") {
  const Examples batch = texts(3);
  Probe probe(options_of("mdlm"), 3);
  CHECK(probe.objective->tokens_per_sequence(kTokens) == kTokens + 1);
  i64 hidden = 0;
  for (u32 step = 0; step < 50; ++step) {
    const f64 tokens = probe.objective->fill(batch, {3, step, 0, 0}, probe.graph->inputs);
    CHECK(tokens == 3 * kTokens);
    const RowInputs& in = probe.graph->inputs;
    for (i64 r = 0; r < 3 * kTokens; ++r) {
      const i32 token = batch[usize(r / kTokens)].tokens[usize(r % kTokens)];
      const bool masked = in.tokens[usize(r)] == kMask;
      hidden += masked ? 1 : 0;
      REQUIRE(in.targets[usize(r)] == (masked ? token : kIgnoreTarget));
      REQUIRE((masked || in.tokens[usize(r)] == token));
      REQUIRE(in.positions[usize(r)] == r % kTokens);
      REQUIRE(in.spans[usize(r)].a0 == r / kTokens * kTokens);
      REQUIRE(in.spans[usize(r)].a1 == (r / kTokens + 1) * kTokens);
    }
  }
  CHECK(hidden > 400);
  CHECK(hidden < 800);
  // A text must not have the mask token.
  Examples wrong = batch;
  wrong[1].tokens[4] = kMask;
  CHECK_THROWS_WITH(probe.objective->fill(wrong, {}, probe.graph->inputs),
                    Catch::Matchers::ContainsSubstring("sequence 1: token 4 is the mask token"));
  // Documents see themselves alone.
  ObjectiveOptions documents = options_of("mdlm");
  documents.doc_mask = true;
  Example two = batch[0];
  two.starts = {3, 8};
  RowInputs rows(1, kTokens);
  CHECK(train::make_objective(documents)->fill(std::span(&two, 1), {}, rows) == kTokens);
  CHECK(rows.spans[2].a1 == 3);
  CHECK(rows.spans[3].a0 == 3);
  CHECK(rows.spans[7].a1 == 8);
  CHECK(rows.positions[3] == 0);
}

TEST_CASE("weights of hidden tokens are their number of tokens in the mean", "[train]") {
  const Examples batch = texts(16);
  for (const char* const name : {"mdlm", "llada", "bd3"}) {
    Probe probe(options_of(name, name == std::string("bd3") ? 2 : 0), 16);
    f64 sum = 0;
    constexpr i64 kSteps = 3000;
    std::set<i32> lengths;
    for (u32 step = 0; step < kSteps; ++step) {
      probe.objective->fill(batch, {1, step, 0, 0}, probe.graph->inputs);
      const RowInputs& in = probe.graph->inputs;
      for (std::size_t r = 0; r < in.targets.size(); ++r)
        if (in.targets[r] != kIgnoreTarget) sum += static_cast<f64>(in.weights[r]);
    }
    // Of mdlm and bd3 less a share eps.
    CHECK(sum / static_cast<f64>(kSteps * 16 * kTokens) == Approx(1).epsilon(0.02));
  }
  // Uniform and clipped ones.
  for (const char* const kind : {"uniform", "clip:2"}) {
    ObjectiveOptions options = options_of("mdlm");
    options.masked.weight = model::parse_noise_weight(kind);
    Probe probe(options, 16);
    f32 most = 0;
    for (u32 step = 0; step < 20; ++step) {
      probe.objective->fill(batch, {1, step, 0, 0}, probe.graph->inputs);
      const std::vector<f32>& w = probe.graph->inputs.weights;
      most = std::max(most, *std::max_element(w.begin(), w.end()));
    }
    CHECK(most == (kind == std::string("uniform") ? 1.0f : 2.0f));
  }
}

TEST_CASE("noise levels of a step are spread over its rows, of llada they are drawn", "[train]") {
  const auto levels = [&](const char* name, u32 step) {
    Probe probe(options_of(name), 16);
    probe.objective->fill(texts(16), {1, step, 0, 0}, probe.graph->inputs);
    std::vector<f64> out;
    for (i64 s = 0; s < 16; ++s)
      for (i64 r = s * kTokens; r < (s + 1) * kTokens; ++r)
        if (probe.graph->inputs.targets[usize(r)] != kIgnoreTarget) {
          out.push_back(1 / static_cast<f64>(probe.graph->inputs.weights[usize(r)]));
          break;
        }
    std::sort(out.begin(), out.end());
    return out;
  };
  for (u32 step = 0; step < 20; ++step) {
    const std::vector<f64> spread = levels("mdlm", step);
    CHECK(spread.size() >= 10);  // texts with a hidden token
    for (std::size_t i = 1; i < spread.size(); ++i)
      CHECK(spread[i] - spread[i - 1] > 0.0624 * 0.998);  // a sixteenth, or more
  }
  f64 least = 1;
  for (u32 step = 0; step < 5; ++step) {
    const std::vector<f64> drawn = levels("llada", step);
    for (std::size_t i = 1; i < drawn.size(); ++i)
      least = std::min(least, drawn[i] - drawn[i - 1]);
  }
  CHECK(least < 0.01);
  ObjectiveOptions clipped = options_of("bd3", 2);
  clipped.masked.low = 0.3;
  clipped.masked.high = 0.8;
  Probe probe(clipped, 16);
  probe.objective->fill(texts(16), {}, probe.graph->inputs);
  for (std::size_t r = 0; r < usize(16 * kTokens); ++r) {
    if (probe.graph->inputs.targets[r] == kIgnoreTarget) continue;
    CHECK(probe.graph->inputs.weights[r] >= 1.249f);
    CHECK(probe.graph->inputs.weights[r] <= 3.334f);
  }
}

TEST_CASE("draws depend on a row's number in the step, not on how the batch is divided",
          "[train]") {
  const Examples batch = texts(8);
  for (const auto& [name, block] : {std::pair("mdlm", 0), {"llada", 0}, {"bd3", 3}}) {
    const std::unique_ptr<train::Objective> objective =
        train::make_objective(options_of(name, block));
    const i64 rows = objective->slot_rows(kTokens);
    RowInputs whole(8, rows), part(2, rows), other(8, rows);
    objective->fill(batch, {7, 3, 0, 0}, whole);
    for (u32 micro = 0; micro < 4; ++micro) {
      objective->fill(std::span(batch).subspan(micro * 2, 2), {7, 3, micro, 0}, part);
      for (i64 r = 0; r < 2 * kTokens; ++r) {
        REQUIRE(part.tokens[usize(r)] == whole.tokens[usize(micro * 2 * kTokens + r)]);
        REQUIRE(part.targets[usize(r)] == whole.targets[usize(micro * 2 * kTokens + r)]);
      }
    }
    objective->fill(batch, {7, 4, 0, 0}, other);
    CHECK(other.tokens != whole.tokens);
    objective->fill(batch, {8, 3, 0, 0}, other);
    CHECK(other.tokens != whole.tokens);
  }
}

TEST_CASE("prompts are never hidden, completions end in pads that are learnt", "[train]") {
  const Examples batch = completions();
  ObjectiveOptions options = options_of("llada-sft");
  options.masked.end = 17;
  const std::unique_ptr<train::Objective> padded = train::make_objective(options);
  CHECK(padded->tokens_per_sequence(kTokens) == kTokens);
  CHECK(padded->tokens_read(batch[0]) == 5);
  std::set<i64> seen;
  Probe probe(options, 2);
  f64 weights = 0;
  for (u32 step = 0; step < 2000; ++step) {
    CHECK(probe.objective->fill(batch, {1, step, 0, 0}, probe.graph->inputs) == 2);
    const RowInputs& in = probe.graph->inputs;
    CHECK(in.tokens[0] == 1);
    CHECK(in.tokens[1] == 2);
    CHECK(in.tokens[8] == 6);
    for (i64 r = 0; r < 16; ++r) {
      const bool answer = r >= 2 && r != 8;
      REQUIRE((in.targets[usize(r)] == kIgnoreTarget || answer));
      REQUIRE(in.spans[usize(r)].a1 - in.spans[usize(r)].a0 == 8);
      if (in.targets[usize(r)] == kIgnoreTarget) continue;
      seen.insert(r);
      weights += static_cast<f64>(in.weights[usize(r)]);
      if (r >= 11 || (r >= 5 && r < 8)) REQUIRE(in.targets[usize(r)] == 17);
    }
  }
  CHECK(seen.size() == 13);
  CHECK(weights / 4000 == Approx(1).epsilon(0.05));  // of each record, whatever its length
  // Without pads records share a row.
  options.masked.end = -1;
  const std::unique_ptr<train::Objective> plain = train::make_objective(options);
  CHECK(plain->room_of(std::vector<i64>{5}) == 5);
  Example both = batch[0];
  both.starts = {5};
  both.tokens.insert(both.tokens.end(), {6, 7, 8});
  both.loss.insert(both.loss.end(), {0, 1, 1});
  RowInputs rows(1, kTokens);
  CHECK(plain->fill(std::span(&both, 1), {}, rows) == 2);
  CHECK(rows.spans[4].a1 == 5);
  CHECK(rows.spans[5].a0 == 5);
  train::RecordStore store;
  for (const Example& one : batch)
    store.add(one.tokens, one.loss);
  for (const bool pads : {true, false}) {
    train::PackedSource source(
        store,
        {.seq_len = kTokens, .shuffle = false, .objective = pads ? padded.get() : plain.get()});
    Examples out;
    source.next(1, out);
    CHECK(out[0].starts.empty() == pads);
  }
}

TEST_CASE("some sequences of llada are cut to a uniform length", "[train]") {
  ObjectiveOptions options = options_of("llada");
  options.masked.random_length = 0.25;
  const std::unique_ptr<train::Objective> llada = train::make_objective(options);
  std::vector<i64> times(kTokens + 1);
  RowInputs rows(4, kTokens);
  for (u32 step = 0; step < 4000; ++step) {
    llada->fill(texts(4), {1, step, 0, 0}, rows);
    for (i64 s = 0; s < 4; ++s)
      ++times[usize(rows.spans[usize(s * kTokens)].a1 - s * kTokens)];
  }
  // 16000 rows, of which 4000 are cut: 500 of each length, standard deviation 22.
  for (i64 n = 1; n < kTokens; ++n)
    CHECK(std::abs(times[usize(n)] - 500) < 90);
  CHECK(std::abs(times[kTokens] - 12500) < 220);
}

TEST_CASE("the mask token is never the answer, wherever it stands in the vocabulary", "[train]") {
  const Examples batch = texts(2);
  for (const bool tied : {true, false}) {
    for (const i32 mask : {19, 18, 0}) {
      Examples moved = batch;
      if (mask == 0)
        for (Example& e : moved)
          for (i32& token : e.tokens)
            ++token;
      Probe probe(options_of("mdlm", 0, mask), 2, tied);
      const f64 loss = probe.run(moved);
      CHECK(std::isfinite(loss));
      CHECK(loss > 0);
      if (!tied) CHECK(!probe.moves("head.weight", mask));
      if (!tied) CHECK(probe.moves("head.weight", 5));
      if (tied) continue;
      Tensor head = probe.model.weights[probe.model.params->set.find("head.weight")];
      for (i64 c = 0; c < head.cols(); ++c)
        head.f32_data()[mask * head.ld + c] = 50;
      CHECK(probe.again() == loss);
      // Its share of the others is the same as that of a head without it.
      probe.run(moved);
      test::check_gradients(probe);
    }
  }
}

TEST_CASE("one block is mdlm, bit for bit", "[train]") {
  const Examples batch = texts(4);
  Probe whole(options_of("mdlm"), 4), blocks(options_of("bd3", kTokens), 4);
  for (Probe* probe : {&whole, &blocks}) {
    const Tensor from = whole.model.weights[0];
    CHECK(probe->model.weights[0].f32_data()[3] == from.f32_data()[3]);
  }
  CHECK(whole.run(batch) == blocks.run(batch));
  CHECK(whole.metric("masked_ce") == blocks.metric("masked_ce"));
  CHECK(whole.metric("masked") == blocks.metric("masked"));
  std::vector<f32> a(usize(4 * kTokens)), b(a.size());
  whole.executor->read(whole.graph->loss.rows, a);
  blocks.executor->read(blocks.graph->loss.rows, b);
  CHECK(a == b);
  f64 most = 0;
  for (i64 i = 0; i < whole.grads.elements(); ++i)
    most = std::max(most, std::abs(static_cast<f64>(whole.grads.data()[i]) -
                                   static_cast<f64>(blocks.grads.data()[i])));
  CHECK(most < 1e-4);
  CHECK(blocks.run(batch) != Probe(options_of("bd3", 4), 4).run(batch));
}

TEST_CASE("a noisy row reaches its block and the clean ones before it, by gradient", "[train]") {
  // Clean token j is j, noisy token j is 8 + j; one row has a target.
  for (const i64 block : {1, 2, 3, 8}) {
    Probe probe(options_of("bd3", block), 1, false);
    Examples batch = texts(1);
    probe.run(batch);
    for (i64 row = 0; row < kTokens; ++row) {
      RowInputs& in = probe.graph->inputs;
      for (i64 j = 0; j < kTokens; ++j) {
        in.tokens[usize(kTokens + j)] = static_cast<i32>(j);
        in.tokens[usize(j)] = static_cast<i32>(kTokens + j);
      }
      std::fill(in.targets.begin(), in.targets.end(), kIgnoreTarget);
      in.targets[usize(row)] = 3;
      std::fill(in.weights.begin(), in.weights.end(), 1.0f);
      probe.again();
      for (i64 j = 0; j < kTokens; ++j) {
        INFO("block " << block << ", row " << row << ", token " << j);
        CHECK(probe.moves("embed.weight", j) == (j / block < row / block));
        CHECK(probe.moves("embed.weight", kTokens + j) == (j / block == row / block));
      }
    }
  }
  // Whole texts: every row reaches every token, those behind it too.
  Probe probe(options_of("mdlm"), 1, false);
  probe.run(texts(1));
  for (i64 row = 0; row < kTokens; ++row) {
    RowInputs& in = probe.graph->inputs;
    for (i64 j = 0; j < kTokens; ++j)
      in.tokens[usize(j)] = static_cast<i32>(j);
    std::fill(in.targets.begin(), in.targets.end(), kIgnoreTarget);
    in.targets[usize(row)] = 3;
    probe.again();
    for (i64 j = 0; j < kTokens; ++j)
      CHECK(probe.moves("embed.weight", j));
  }
}

TEST_CASE("gradients of masked diffusion agree with finite differences in f64", "[train]") {
  for (const auto& [name, block] : {std::pair("mdlm", 0), {"llada", 0}, {"bd3", 3}}) {
    Probe probe(options_of(name, block), 2, true, 8);
    probe.run(texts(2));
    test::check_gradients(probe);
  }
}

TEST_CASE("steps of masked diffusion: accumulated, by threads, after a checkpoint, by heart",
          "[train]") {
  for (const auto& [name, block] : {std::pair("mdlm", 0), {"llada", 0}, {"bd3", 4}}) {
    INFO(name);
    const ObjectiveOptions objective = options_of(name, block);
    train::TrainOptions options = test::tiny_options();
    options.objective = objective;
    options.seq_len = kTokens;
    options.batch = 16;
    const auto one = [&](i64 micro) {
      options.micro_batch = micro;
      test::Bench bench(config_for(objective), options);
      return bench.trainer.step(texts(16));
    };
    const train::StepResult whole = one(16), parts = one(2);
    CHECK(parts.targets == 16 * kTokens);
    CHECK(parts.loss == Approx(whole.loss).epsilon(1e-6));
    CHECK(parts.grad_norm == Approx(whole.grad_norm).epsilon(1e-6));
    options.micro_batch = 4;
    const Examples rows = texts(64);
    const auto train_some = [&](int threads, i64 stop_at) {
      set_threads(threads);
      const test::TempDir dir;
      std::optional<test::Bench> bench;
      bench.emplace(config_for(objective), options);
      for (i64 t = 0; t < 4; ++t) {
        if (t == stop_at) {
          train::RunFolder folder(dir.file("run"), {}, true);
          train::TrainState state;
          state.counters = bench->trainer.counters;
          train::save_checkpoint(folder, bench->model, bench->trainer.optimizer().m(),
                                 bench->trainer.optimizer().v(), state, {});
          bench.emplace(config_for(objective), options, 99);
          train::load_checkpoint(folder.step_path(t), state, bench->trainer, bench->model);
          CHECK(model::load_config(folder.step_path(t)).diffusion == bench->model.cfg.diffusion);
        }
        bench->trainer.step(std::span(rows).subspan(usize(16 * t), 16));
      }
      set_threads(1);
      return std::vector<f32>(bench->model.weights.data(),
                              bench->model.weights.data() + bench->model.weights.elements());
    };
    const std::vector<f32> plain = train_some(1, -1);
    CHECK(train_some(2, -1) == plain);
    CHECK(train_some(7, -1) == plain);
    CHECK(train_some(1, 2) == plain);
    // One text, again and again: what is hidden is known whatever is seen, if positions are (rows
    // of a text that is all hidden differ in nothing else).
    options.batch = options.micro_batch = 8;
    options.schedule.peak = 1e-2;
    options.schedule.warmup = 10;
    options.schedule.steps = 400;
    options.adamw.weight_decay = 0;
    test::Bench bench(config_for(objective, true, 16, "gpt2"), options);
    const Examples same(8, texts(1)[0]);
    f64 last = 0;
    for (i64 t = 0; t < 300; ++t) {
      const train::StepResult step = bench.trainer.step(same);
      if (t >= 280) last += step.loss / 20;
    }
    CHECK(last < 0.01);
  }
}

TEST_CASE("held-out bounds are the mean over all that can be hidden", "[train]") {
  const test::TempDir dir;
  test::write_shards(dir.file("data"), {13}, 18);
  LocalContext ctx;
  const std::unique_ptr<comm::Comm> comm = comm::self_comm();
  constexpr i64 kWindow = 4;
  for (const i64 block : {0, 2}) {
    const ObjectiveOptions objective = options_of(block > 0 ? "bd3" : "mdlm", block);
    const model::Model model = model::new_model(config_for(objective), 3);
    const auto loss_of = [&](i64 draws, i64 micro, u64 seed = 0) {
      train::EvalOptions options;
      options.seq_len = kWindow;
      options.micro_batch = micro;
      options.mask_draws = draws;
      options.seed = seed;
      train::Evaluator evaluator(model, model.weights, cpu_backend(), {dir.file("data.json")},
                                 options, {}, *comm, *ctx);
      const train::EvalResult result = *evaluator.run();
      CHECK(result.targets == 12);
      CHECK(result.bound);
      CHECK(evaluator.run()->loss == result.loss);
      return result.loss;
    };
    CHECK(loss_of(3, 2) == Approx(loss_of(3, 1)).epsilon(1e-6));
    CHECK(loss_of(1, 1, 5) != loss_of(1, 1, 6));
    // Each subset of a block's tokens with its weight: 1 / (m C(n, m)) of each of the tokens.
    train::TrainGraph::Options shape;
    shape.slots = 1;
    shape.seq_len = kWindow;
    shape.backward = false;
    const std::unique_ptr<train::Objective> made = train::make_objective(objective);
    train::TrainGraph graph(model.cfg, *model.params, *made, shape);
    Executor executor(graph.graph, cpu_backend());
    graph.model.bind(executor, model.weights);
    const std::vector<i32> tokens = test::formula_tokens(13, 18);
    const i64 size = block > 0 ? block : kWindow;
    f64 expected = 0;
    for (i64 window = 0; window < 3; ++window) {
      Example example;
      example.tokens.assign(tokens.begin() + window * kWindow,
                            tokens.begin() + (window + 1) * kWindow + 1);
      for (i64 begin = 0; begin < kWindow; begin += size) {
        for (u32 bits = 1; bits < 1u << size; ++bits) {
          made->fill(std::span(&example, 1), {}, graph.inputs);
          i64 m = 0;
          for (i64 j = 0; j < kWindow; ++j) {
            const bool own = j >= begin && j < begin + size && (bits >> (j - begin) & 1) != 0;
            graph.inputs.tokens[usize(j)] = own ? kMask : example.tokens[usize(j)];
            graph.inputs.targets[usize(j)] = own ? example.tokens[usize(j)] : kIgnoreTarget;
            graph.inputs.weights[usize(j)] = 1;
            m += own ? 1 : 0;
          }
          graph.inputs.set(executor);
          executor.run({});
          const auto factorial = [](i64 n) { return std::tgamma(static_cast<f64>(n) + 1); };
          const f64 choices = factorial(size) / factorial(m) / factorial(size - m);
          expected += static_cast<f64>(executor.scalar(graph.loss.sum)) /
                      (static_cast<f64>(m) * choices) / 12;
        }
      }
    }
    CHECK(loss_of(2000, 3) == Approx(expected).epsilon(0.01));
  }
}

TEST_CASE("plans count the pairs that rows see and both copies of a text", "[train]") {
  const auto plan_of = [](const ObjectiveOptions& objective, i64 seq_len) {
    model::ModelCfg cfg = config_for(objective);
    if (objective.name == "next-token") cfg.diffusion.reset();
    train::TrainOptions options = test::tiny_options();
    options.seq_len = seq_len;
    options.objective = objective;
    return train::plan_text(cfg, options, cpu_backend(), {.steps = 3});
  };
  const auto attention = [&](const ObjectiveOptions& objective) {
    const model::ModelCfg cfg = config_for(objective);
    const std::unique_ptr<train::Objective> made = train::make_objective(objective);
    const model::ModelParams params = model::make_params(cfg);
    train::TrainGraph::Options shape = Probe::shape(2);
    const train::TrainGraph graph(cfg, params, *made, shape);
    f64 flops = 0;
    for (const OpTotal& total : op_totals(graph.graph))
      if (std::string_view(total.op) == "attention") flops += static_cast<f64>(total.flops);
    return flops;
  };
  ObjectiveOptions causal;
  const f64 plain = attention(causal);
  CHECK(plain > 0);
  CHECK(attention(options_of("mdlm")) == 2 * plain);
  // 8 + 2 pairs on average of each of 2 x 8 rows, instead of 8 of 8.
  CHECK(attention(options_of("bd3", 2)) == Approx(2.5 * plain));
  const std::string one = plan_of(options_of("mdlm"), kTokens);
  const std::string two = plan_of(options_of("bd3", 2), kTokens);
  for (const std::string& plan : {one, two})
    CHECK(plan.find("tokens per micro-batch      8 x 8") != std::string::npos);
  CHECK(train::make_objective(options_of("bd3", 2))->slot_rows(kTokens) == 2 * kTokens);
}

TEST_CASE("a model for next tokens gets one more row", "[train]") {
  for (const bool tied : {true, false}) {
    const ObjectiveOptions objective = options_of("mdlm");
    model::ModelCfg cfg = config_for(objective, tied);
    cfg.diffusion.reset();
    const model::Model before = model::new_model(cfg, 5);
    model::Model copied = model::new_model(cfg, 5);
    const model::Model after = model::with_mask_row(std::move(copied), 9);
    CHECK(after.cfg.vocab == kVocab + 1);
    for (i32 i = 0; i < after.params->set.size(); ++i) {
      const Tensor old = before.weights[before.params->set.find(after.params->set[i].name)];
      const Tensor now = after.weights[i];
      CHECK(std::equal(old.f32_data(), old.f32_data() + old.count(), now.f32_data()));
      CHECK(now.count() - old.count() == (after.params->set[i].name == "embed.weight" ||
                                                  after.params->set[i].name == "head.weight"
                                              ? cfg.width
                                              : 0));
    }
  }
}
