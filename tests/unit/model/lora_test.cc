// Low-rank adapters: trained ones as parameters beside a frozen model, folders as PEFT has them,
// and the adapters of a bank beside a running model.

#include "model/lora.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>

#include "catch.h"
#include "core/error.h"
#include "core/str.h"
#include "cpu/backend.h"
#include "engine_rows.h"
#include "io/file.h"
#include "io/json_node.h"
#include "model/build.h"
#include "model/checkpoint.h"
#include "model/engine.h"

using namespace lm;
using namespace lm::model;
using Catch::Matchers::ContainsSubstring;
using test::chain;
using test::random_tokens;

namespace {

const char* const kShapes[] = {
    "family=gpt2,layers=2,width=24,heads=3,vocab=50,context=40",
    "family=llama,layers=2,width=24,heads=6,kv_heads=2,ffn=40,vocab=50,context=40",
    "family=qwen2,layers=2,width=24,heads=6,kv_heads=2,ffn=40,vocab=50,context=40",
    // Square projections: shapes do not tell a matrix from its transpose.
    "family=llama,layers=2,width=24,heads=4,kv_heads=4,ffn=24,vocab=50,context=40",
};

/// A folder with a model, and the same model with adapters in memory.
struct Adapted {
  Adapted(const test::TempDir& dir, const char* shape, const LoraCfg& settings, bool trained = true)
      : base(test::scaled_model(shape, 6.0f)), folder(dir.file("base")) {
    if (!io::path_exists(folder)) save_model(folder, base, {});
    LoraCfg lora = settings;
    lora.base = folder;
    model = load_with_lora(folder, lora, 3);
    const RandomStream random(5, RandomPurpose::kOther, u64(settings.rank));
    u64 draw = 0;
    for (i32 i = 0; trained && i < model.params->set.size(); ++i) {
      if (!model.params->set[i].trainable) continue;
      const Tensor t = model.weights[i];
      for (i64 j = 0; j < t.count(); ++j)
        t.f32_data()[j] = 0.2f * static_cast<f32>(random.normal(draw++));
    }
  }
  std::string save(const std::string& to) const {
    std::filesystem::create_directories(to);
    write_adapter(to, model);
    return to;
  }
  Model base;
  std::string folder;
  Model model;
};

/// Log-probabilities of a text's tokens by a whole graph.
std::vector<f32> scores(const Model& model, const std::vector<i32>& tokens) {
  const i64 n = isize(tokens) - 1;
  ScoreGraph graph(model.cfg, *model.params, n);
  Executor executor(graph.graph, cpu_backend());
  graph.model.bind(executor, model.weights);
  PackedRows rows = causal_rows(std::vector<i64>{n}, n);
  std::vector<i32> in(tokens.begin(), tokens.end() - 1);
  std::vector<i32> out(tokens.begin() + 1, tokens.end());
  executor.set(graph.tokens, make_tensor(in.data(), {n}, DType::kI32));
  executor.set(graph.targets, make_tensor(out.data(), {n}, DType::kI32));
  executor.set(graph.positions, make_tensor(rows.positions.data(), {n}, DType::kI32));
  executor.set(graph.spans, span_tensor(rows.spans));
  executor.run({});
  const f32* const first = executor.tensor(graph.result.logprob).f32_data();
  return {first, first + n};
}

/// W + scale B A, element by element in double precision.
Model merged(const Adapted& from) {
  Model out = load_model(from.folder);
  const ParamSet& set = from.model.params->set;
  for (const LoraModule& one : lora_modules(from.model.cfg, set)) {
    const Tensor a = from.model.weights[set.find(one.a())];
    const Tensor b = from.model.weights[set.find(one.b())];
    const Tensor w = out.weights[out.params->set.find(one.param + ".weight")];
    for (i64 i = 0; i < one.rows; ++i)
      for (i64 j = 0; j < one.in; ++j) {
        f64 sum = 0;
        for (i64 k = 0; k < a.rows(); ++k)
          sum += static_cast<f64>(b.f32_data()[i * a.rows() + k]) *
                 static_cast<f64>(a.f32_data()[k * one.in + j]);
        f32& to = w.f32_data()[(one.row + i) * one.in + j];
        to = static_cast<f32>(static_cast<f64>(to) + from.model.cfg.lora->scale() * sum);
      }
  }
  return out;
}

std::vector<f32> last_logits(Engine& engine, std::span<const f32> weights,
                             const std::vector<i32>& tokens) {
  const i32 seq = engine.create();
  if (!weights.empty()) engine.adapt(seq, weights);
  const std::span<const f32> out = engine.prefill(seq, tokens);
  const std::vector<f32> copy(out.begin(), out.end());
  engine.release(seq);
  return copy;
}

/// The largest difference, as a share of the largest number.
f64 distance(std::span<const f32> a, std::span<const f32> b) {
  f64 most = 0;
  f64 size = 0;
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, std::abs(static_cast<f64>(a[i]) - static_cast<f64>(b[i])));
    size = std::max(size, std::abs(static_cast<f64>(a[i])));
  }
  return most / size;
}

LoraCfg settings(i64 rank, std::vector<std::string> targets = {}, bool stabilised = false) {
  LoraCfg out;
  out.rank = rank;
  out.alpha = 6;
  out.rank_stabilised = stabilised;
  out.targets = std::move(targets);
  return out;
}

std::string refusal(const std::function<void()>& what) {
  try {
    what();
  } catch (const Error& e) {
    return cat(e.message(), "\n", e.hint());
  }
  return {};
}

}  // namespace

TEST_CASE("fresh adapters leave the model's bits, and all else is frozen", "[model]") {
  for (const char* const shape : kShapes) {
    const test::TempDir dir;
    const Adapted adapted(dir, shape, settings(4), false);
    const std::vector<i32> text = random_tokens(20, 2);
    const std::vector<f32> plain = scores(adapted.base, text);
    const std::vector<f32> beside = scores(adapted.model, text);
    CHECK(std::memcmp(plain.data(), beside.data(), plain.size() * sizeof(f32)) == 0);
    const ParamSet& set = adapted.model.params->set;
    i64 trained = 0;
    for (const ParamInfo& info : set.list()) {
      CHECK(info.trainable == (info.name.find(".lora_") != std::string::npos));
      if (info.trainable) trained += info.count;
    }
    CHECK(set.trained_count() == trained);
    CHECK(adapted.base.params->set.count() + trained == set.count());
  }
}

TEST_CASE("A is drawn as PEFT draws it, B is zero", "[model]") {
  const test::TempDir dir;
  const Adapted adapted(dir, kShapes[1], settings(64), false);
  const ParamSet& set = adapted.model.params->set;
  const Tensor a = adapted.model.weights[set.find("blocks.0.attn.qkv.lora_a.0")];
  const Tensor b = adapted.model.weights[set.find("blocks.0.attn.qkv.lora_b.0")];
  const f64 bound = 1 / std::sqrt(24.0);
  f64 squares = 0;
  f64 most = 0;
  for (i64 i = 0; i < a.count(); ++i) {
    const f64 x = static_cast<f64>(a.f32_data()[i]);
    squares += x * x;
    most = std::max(most, std::abs(x));
  }
  CHECK(most <= bound);
  CHECK(squares / static_cast<f64>(a.count()) == Approx(bound * bound / 3).epsilon(0.1));
  CHECK(std::all_of(b.f32_data(), b.f32_data() + b.count(), [](f32 x) { return x == 0; }));
}

TEST_CASE("adapters beside a model, in a graph and in an engine, are the merged model", "[model]") {
  for (const char* const shape : kShapes) {
    for (const bool some : {false, true}) {
      const test::TempDir dir;
      std::vector<std::string> targets;
      const bool gpt2 = std::string(shape).find("gpt2") != std::string::npos;
      if (some && gpt2) targets = {"c_fc", "attn.c_proj"};
      if (some && !gpt2) targets = {"q_proj", "v_proj", "up_proj"};
      const Adapted adapted(dir, shape, settings(3, targets, some));
      const Model whole = merged(adapted);
      const std::vector<i32> text = random_tokens(20, 2);
      CHECK(distance(scores(adapted.model, text), scores(whole, text)) < 1e-5);
      CHECK(distance(scores(adapted.model, text), scores(adapted.base, text)) > 1e-2);

      const std::string path = adapted.folder + "+" + adapted.save(dir.file("adapter"));
      const MappedModel mapped = map_model(path);
      Engine beside(mapped);
      Engine merged_engine(whole);
      CHECK(distance(last_logits(beside, {}, text), last_logits(merged_engine, {}, text)) < 3e-5);
    }
  }
}

TEST_CASE("every text of a batch has its own adapter, bit for bit", "[model]") {
  const test::TempDir dir;
  const Adapted one(dir, kShapes[1], settings(3));
  const Adapted two(dir, kShapes[1], settings(5, {"q_proj", "down_proj"}));
  const std::vector<std::string> folders = {one.save(dir.file("one")), two.save(dir.file("two"))};
  const MappedModel mapped = map_model(one.folder, folders);
  const std::vector<std::vector<f32>> choices = {{}, {1, 0}, {0, 1}, {0.25f, 0.75f}, {0, 0}};

  std::vector<std::vector<f32>> alone;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    Engine engine(mapped);
    alone.push_back(last_logits(engine, choices[i], random_tokens(12, i)));
  }
  // What they will take is known before they are read.
  MappedModel later = map_model(one.folder, folders, {}, LoadAdapters::kLater);
  CHECK(Engine::host_bytes(later, {}) == Engine::host_bytes(mapped, {}));
  CHECK(Engine::host_bytes(later, {}) - Engine::host_bytes(map_model(one.folder), {}) >=
        2 * later.adapters->bytes());
  later.adapters->load();
  CHECK(later.adapters->bytes() == mapped.adapters->weights().bytes());
  Engine loaded(later);
  CHECK(last_logits(loaded, choices[3], random_tokens(12, 3)) == alone[3]);
  // No adapter is the model itself; one is what it is without the other in memory.
  const MappedModel plain = map_model(one.folder);
  Engine base_engine(plain);
  CHECK(last_logits(base_engine, {}, random_tokens(12, 0)) == alone[0]);
  const MappedModel only_two = map_model(one.folder + "+" + folders[1]);
  Engine only(only_two);
  CHECK(last_logits(only, {}, random_tokens(12, 2)) == alone[2]);

  Engine engine(mapped);
  std::vector<i32> seqs;
  std::vector<EvalRow> rows;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    seqs.push_back(engine.create());
    if (!choices[i].empty()) engine.adapt(seqs.back(), choices[i]);
    const std::vector<EvalRow> own = chain(seqs.back(), random_tokens(12, i));
    rows.insert(rows.end(), own.begin(), own.end());
  }
  engine.eval(rows);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const std::span<const f32> logits = engine.logits(static_cast<i64>(12 * i + 11));
    CHECK(std::vector<f32>(logits.begin(), logits.end()) == alone[i]);
  }
  // A fork goes on with its adapter, and a number is used again without it.
  engine.commit(seqs[2]);
  const i32 fork = engine.fork(seqs[2]);
  const std::span<const f32> next = engine.step(fork, 7);
  const std::vector<f32> forked(next.begin(), next.end());
  std::vector<i32> longer = random_tokens(12, 2);
  longer.push_back(7);
  Engine fresh(mapped);
  CHECK(forked == last_logits(fresh, choices[2], longer));
  for (const i32 seq : seqs)
    engine.release(seq);
  engine.release(fork);
  CHECK(last_logits(engine, {}, random_tokens(12, 0)) == alone[0]);
}

TEST_CASE("adapters are read back as they were written", "[model]") {
  for (const char* const shape : kShapes) {
    const test::TempDir dir;
    const Adapted adapted(dir, shape, settings(4, {}, true));
    const std::string folder = adapted.save(dir.file("adapter"));
    Adapted other(dir, shape, settings(4, {}, true), false);
    read_adapter(folder, other.model);
    CHECK(std::memcmp(other.model.weights.data(), adapted.model.weights.data(),
                      usize(adapted.model.params->set.trained_elements()) * sizeof(f32)) == 0);
    CHECK(model_digest(adapted.folder + "+" + folder) != model_digest(adapted.folder));
    const io::Json config = io::parse_object(
        io::read_file(folder + "/adapter_config.json", 1 << 20), "adapter_config.json");
    CHECK(config["r"] == 4);
    CHECK(config["lora_alpha"] == 6);
    CHECK(config["use_rslora"] == true);
    CHECK(config["fan_in_fan_out"] == (adapted.base.cfg.family == "gpt2"));
    CHECK(config["base_model_name_or_path"] == adapted.folder);
  }
}

TEST_CASE("adapters that do not fit are refused with what would", "[model]") {
  const test::TempDir dir;
  const Adapted adapted(dir, kShapes[1], settings(4));
  CHECK_THAT(
      refusal([&] { load_with_lora(adapted.folder, settings(2, {"c_attn"}), 1); }),
      ContainsSubstring("no matrix of the layers is named \"c_attn\"") &&
          ContainsSubstring("down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj"));
  CHECK_THAT(refusal([&] { load_with_lora(adapted.folder, settings(2, {"proj"}), 1); }),
             ContainsSubstring("\"proj\""));  // ends of names, from a dot on
  const std::string folder = adapted.save(dir.file("adapter"));
  Adapted other(dir, kShapes[1], settings(5), false);
  CHECK_THAT(refusal([&] { read_adapter(folder, other.model); }),
             ContainsSubstring("has shape [4, ") && ContainsSubstring("expected [5, "));
  const test::TempDir elsewhere;
  const Adapted narrow(elsewhere, kShapes[3], settings(4));
  CHECK_THAT(refusal([&] { map_model(narrow.folder, {folder}); }),
             ContainsSubstring("makes a change of shape"));
  CHECK_THAT(refusal([&] { map_model(adapted.folder + "+" + dir.file("nothing")); }),
             ContainsSubstring("no such adapter folder"));
}
