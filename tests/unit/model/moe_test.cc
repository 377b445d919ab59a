// Mixtures of experts: what a mixture equals, folders with published names, what is refused.

#include <algorithm>
#include <cmath>

#include "catch.h"
#include "core/error.h"
#include "core/str.h"
#include "cpu/backend.h"
#include "engine_rows.h"
#include "io/file.h"
#include "model/build.h"
#include "model/family.h"
#include "model/mapping.h"
#include "model/moe_layer.h"
#include "model/moe_settings.h"
#include "stored_weights.h"

using namespace lm;
using namespace lm::model;
using Catch::Matchers::ContainsSubstring;
using test::chain;
using test::random_tokens;

namespace {

const std::string kBase = "layers=2,width=24,heads=6,kv_heads=2,ffn=40,vocab=50,context=80";

Model make(const std::string& settings) {
  return test::scaled_model(cat("family=", settings, ",", kBase), 6.0f);
}

Model mixture(const std::string& moe) {
  return test::scaled_model(cat("family=moe,", kBase, ",moe=", moe), 6.0f);
}

std::span<f32> numbers(const Model& model, std::string_view name) {
  const i32 param = model.params->set.find(name);
  REQUIRE(param >= 0);
  const Tensor t = model.weights[param];
  return {t.f32_data(), usize(t.count())};
}

void copy_part(const Model& from, std::string_view name, const Model& to, std::string_view as,
               i64 expert) {
  const std::span<f32> source = numbers(from, name);
  std::copy(source.begin(), source.end(), numbers(to, as).begin() + expert * isize(source));
}

/// All that a dense model has, for the mixture whose experts are its feed-forward parts.
void take_dense(const Model& dense, const Model& to) {
  for (const ParamInfo& info : dense.params->set.list()) {
    if (info.name.find(".mlp.") == std::string::npos) {
      copy_part(dense, info.name, to, info.name, 0);
      continue;
    }
    const std::size_t dot = info.name.find(".mlp.") + 5;
    const i64 layer = info.name[7] - '0';
    for (i64 e = 0; e < expert_count(to.cfg.layers[usize(layer)]); ++e)
      copy_part(dense, info.name, to,
                cat(info.name.substr(0, dot), "experts.", info.name.substr(dot)), e);
  }
}

/// Logits of every token of a text, one row behind the other.
std::vector<f32> logits_of(const ModelRef& model, i64 length = 40) {
  Engine engine(model);
  const i32 seq = engine.create();
  const std::vector<i32> tokens = random_tokens(length, 3);
  engine.eval(chain(seq, tokens));
  std::vector<f32> out;
  for (i64 i = 0; i < length; ++i)
    out.insert(out.end(), engine.logits(i).begin(), engine.logits(i).end());
  return out;
}

f64 distance(const std::vector<f32>& a, const std::vector<f32>& b) {
  f64 most = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, static_cast<f64>(std::abs(a[i] - b[i])));
    size = std::max(size, static_cast<f64>(std::abs(a[i])));
  }
  return most / size;
}

/// Gradients of the cross entropy of a text, by name.
std::vector<f32> gradient(const Model& model, std::string_view name) {
  constexpr i64 kRows = 30;
  Graph graph(ops());
  BuildOptions options;
  options.trainable = true;
  GraphModel parts(graph, model.cfg, *model.params, options);
  const Value tokens = graph.input("tokens", {kRows}, DType::kI32);
  const Value positions = graph.input("positions", {kRows}, DType::kI32);
  const Value spans = graph.input("spans", {kRows, kSpanInts}, DType::kI32);
  const Value targets = graph.input("targets", {kRows}, DType::kI32);
  CeAttr attr;
  attr.vocab = model.cfg.vocab;
  const Value loss =
      linear_ce(graph, parts.hidden(tokens, positions, spans), parts.head(), targets, {}, attr).sum;
  graph.backward(loss);
  Executor executor(graph, cpu_backend());
  parts.bind(executor, model.weights);
  ParamSlab grads(model.params->set);
  executor.bind_grads([&](i32 index) { return grads[index]; });
  std::vector<i32> ids = random_tokens(kRows, 5), next = random_tokens(kRows, 6);
  PackedRows rows = causal_rows(std::vector<i64>{kRows}, kRows);
  executor.bind(tokens, make_tensor(ids.data(), {kRows}, DType::kI32));
  executor.bind(targets, make_tensor(next.data(), {kRows}, DType::kI32));
  executor.bind(positions, make_tensor(rows.positions.data(), {kRows}, DType::kI32));
  executor.bind(spans, span_tensor(rows.spans));
  executor.run({});
  const Tensor t = grads[model.params->set.find(name)];
  return {t.f32_data(), t.f32_data() + t.count()};
}

std::string refusal(const std::string& json) {
  try {
    parse_config(json, "dir/config.json");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kData);
    return e.message();
  }
  return {};
}

}  // namespace

TEST_CASE("one expert is a dense model, bit for bit", "[model]") {
  const Model dense = make("llama");
  const Model one = mixture("n=1,router=topk:1");
  take_dense(dense, one);
  CHECK(logits_of(one) == logits_of(dense));
  for (const char* const part : {"gate_up", "down"})
    CHECK(gradient(one, cat("blocks.0.mlp.experts.", part, ".weight")) ==
          gradient(dense, cat("blocks.0.mlp.", part, ".weight")));
  CHECK(gradient(one, "embed.weight") == gradient(dense, "embed.weight"));
}

TEST_CASE("equal experts whose weights sum to one are a dense model", "[model]") {
  const Model dense = make("llama");
  for (const char* const moe :
       {"n=5,router=topk:2", "n=5,router=topk:3,gate=sigmoid", "n=4,router=noisy-topk:2",
        "n=4,router=top2-random", "n=3,router=topk:1,renorm=1", "n=3,router=hash",
        "n=3,router=topk:1,renorm=1,bias=1"}) {
    CAPTURE(moe);
    const Model equal = mixture(moe);
    take_dense(dense, equal);
    CHECK(distance(logits_of(dense), logits_of(equal)) < 1e-6);
  }
  // Not over their sum: what is left of the weights is missing.
  const Model less = mixture("n=5,router=topk:2,renorm=0");
  take_dense(dense, less);
  CHECK(distance(logits_of(dense), logits_of(less)) > 1e-3);
  // One expert's weight is not over itself unless that is asked for: its router would learn
  // nothing.
  const Model gated = mixture("n=3,router=topk:1");
  take_dense(dense, gated);
  CHECK(distance(logits_of(dense), logits_of(gated)) > 1e-3);
}

TEST_CASE("the order of experts is that of the router's rows alone", "[model]") {
  const Model model = mixture("n=5,router=topk:2");
  const std::vector<f32> expected = logits_of(model);
  const Model moved = mixture("n=5,router=topk:2");
  const auto rotate = [&](const char* name, i64 by) {
    for (i64 layer = 0; layer < 2; ++layer) {
      const std::span<f32> all = numbers(moved, cat("blocks.", layer, ".mlp.", name, ".weight"));
      const i64 size = isize(all) / 5;
      std::rotate(all.begin(), all.begin() + by * size, all.end());
    }
  };
  rotate("experts.gate_up", 2);
  rotate("experts.down", 2);
  CHECK(distance(logits_of(moved), expected) > 1e-3);
  rotate("router", 2);
  CHECK(distance(logits_of(moved), expected) < 1e-6);  // gates are summed in another order
}

TEST_CASE("a bias changes which experts are taken, not their weights", "[model]") {
  const Model model = mixture("n=5,router=topk:2,bias=1");
  const std::vector<f32> expected = logits_of(model);
  for (i64 layer = 0; layer < 2; ++layer)
    for (f32& b : numbers(model, cat("blocks.", layer, ".mlp.selection.bias")))
      b = 7;
  CHECK(logits_of(model) == expected);
  numbers(model, "blocks.0.mlp.selection.bias")[3] = 100;
  CHECK(logits_of(model) != expected);
  for (const f32 g : gradient(model, "blocks.0.mlp.selection.bias"))
    CHECK(g == 0);
}

TEST_CASE("folders have the published names of experts, and one that is missing is named",
          "[model]") {
  struct Case {
    const char* settings;
    const char* present;
    const char* architecture;
  };
  for (const Case& one :
       {Case{"mixtral", "model.layers.1.block_sparse_moe.experts.7.w2.weight",
             "MixtralForCausalLM"},
        Case{"olmoe,kv_heads=6,moe=n=3,router=topk:2",
             "model.layers.0.mlp.experts.2.up_proj.weight", "OlmoeForCausalLM"},
        Case{"qwen2_moe,moe=n=3,router=topk:2,shared=2,every=2",
             "model.layers.1.mlp.shared_expert_gate.weight", "Qwen2MoeForCausalLM"},
        Case{"qwen3_moe,moe=n=3,router=topk:2", "model.layers.1.mlp.experts.0.down_proj.weight",
             "Qwen3MoeForCausalLM"},
        Case{"moe,moe=n=3,router=noisy-topk:2,bias=1,gate=sigmoid,shared=1",
             "model.layers.1.mlp.gate.e_score_correction_bias", "MoeForCausalLM"}}) {
    CAPTURE(one.settings);
    const test::TempDir dir;
    const Model model = make(one.settings);
    save_model(dir.file("m"), model, {});
    const Json json = Json::parse(io::read_file(dir.file("m/config.json")));
    CHECK(json["architectures"][0] == one.architecture);
    const Model again = load_model(dir.file("m"));
    CHECK(same_shape(model.cfg, again.cfg));
    CHECK(logits_of(again) == logits_of(model));
    CHECK(logits_of(map_model(dir.file("m"))) == logits_of(model));
    save_model(dir.file("again"), again, {});
    for (const char* const file : {"config.json", "model.safetensors"})
      CHECK(io::read_file(dir.file(cat("m/", file))) ==
            io::read_file(dir.file(cat("again/", file))));
    test::StoredWeights stored(model.cfg, model.params->set, model.weights);
    const auto at = std::find_if(stored.tensors.begin(), stored.tensors.end(),
                                 [&](const SafeWrite& t) { return t.name == one.present; });
    REQUIRE(at != stored.tensors.end());
    stored.tensors.erase(at);
    write_safetensors(dir.file("m/model.safetensors"), stored.tensors);
    CHECK_THROWS_WITH(load_model(dir.file("m")),
                      ContainsSubstring(cat("\"", one.present, "\" is missing")));
  }
}

TEST_CASE("a config of experts is read with the defaults of its family", "[model]") {
  const std::string mixtral = R"({"model_type": "mixtral", "vocab_size": 40, "hidden_size": 24,
    "intermediate_size": 36, "num_hidden_layers": 2, "num_attention_heads": 6,
    "num_key_value_heads": 2, "max_position_embeddings": 64)";
  const ModelCfg cfg = parse_config(mixtral + "}", "c");
  const MoeCfg& moe = std::get<MoeCfg>(cfg.layers[1].ffn);
  CHECK((moe.experts == 8 && moe.active == 2 && moe.renormalise && moe.expert.width == 36));
  CHECK(describe(cfg) ==
        "mixtral, 2 layers, width 24, 6/2 heads of 4, 2 of 8 experts of 36, vocabulary 40");
  CHECK_THAT(refusal(mixtral + ", \"num_experts_per_tok\": 9}"),
             ContainsSubstring("key \"num_experts_per_tok\" is 9, expected at most 8"));
  CHECK_THAT(refusal(mixtral + ", \"num_local_experts\": 0}"),
             ContainsSubstring("key \"num_local_experts\" is 0"));
  const auto qwen = [&](const std::string& more) {
    std::string text = mixtral +
                       ", \"moe_intermediate_size\": 12, \"num_experts\": 4, "
                       "\"num_experts_per_tok\": 2" +
                       more + "}";
    return text.replace(text.find("mixtral"), 7, "qwen3_moe");
  };
  const ModelCfg steps = parse_config(qwen(", \"decoder_sparse_step\": 2"), "c");
  CHECK((expert_count(steps.layers[0]) == 0 && expert_count(steps.layers[1]) == 4));
  CHECK(std::get<FfnCfg>(steps.layers[0].ffn).width == 36);
  const ModelCfg listed = parse_config(qwen(", \"mlp_only_layers\": [1]"), "c");
  CHECK((expert_count(listed.layers[0]) == 4 && expert_count(listed.layers[1]) == 0));
  for (const ModelCfg& one : {steps, listed})
    CHECK(same_shape(one, parse_config(write_config(one, "float32"), "c")));
  CHECK_THAT(refusal(qwen(", \"mlp_only_layers\": [0, 1]")), ContainsSubstring("mlp_only_layers"));
  CHECK_THAT(refusal(qwen(", \"use_sliding_window\": true")),
             ContainsSubstring("use_sliding_window"));
  std::string clipped = qwen(", \"clip_qkv\": 8");
  clipped.replace(clipped.find("qwen3_moe"), 9, "olmoe");
  CHECK_THAT(refusal(clipped), ContainsSubstring("clip_qkv"));
}

TEST_CASE("settings of experts are read, and what does not fit is refused by name", "[model]") {
  const auto layer = [](const std::string& shape) {
    return std::get<MoeCfg>(make_config(parse_shape(shape)).layers.back().ffn);
  };
  const MoeCfg fine = layer("llama-nano,moe=n=4,router=topk:1,fine-grained=4,shared=1");
  CHECK((fine.experts == 16 && fine.active == 4 && fine.expert.width == 48 && fine.shared == 192));
  const MoeCfg switched = layer("llama-nano,moe=n=4,router=switch");
  CHECK((switched.active == 1 && !switched.renormalise));
  CHECK(make_config(parse_shape("llama-nano,moe=n=4,width=32")).width == 32);
  const auto refused = [](const std::string& shape) {
    try {
      make_config(parse_shape(shape));
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::kUsage);
      return e.message();
    }
    return std::string();
  };
  struct Case {
    const char* shape;
    const char* part;
  };
  for (const Case& one : {
           Case{"llama-nano,moe=n=2,router=topk:3", "3 experts for a token, but n=2"},
           Case{"llama-nano,moe=n=0", "\"n=0\": expected a count from 1"},
           Case{"llama-nano,moe=n=4,router=top", "expected switch, topk or noisy-topk"},
           Case{"llama-nano,moe=n=4,router=topk", "expected a number of experts"},
           Case{"llama-nano,moe=n=4,router=hash:2", "takes no number of experts"},
           Case{"llama-nano,moe=n=4,fine-grained=7",
                "fine-grained=7 does not divide experts of 192"},
           Case{"llama-nano,moe=n=4,every=3", "every=3 leaves no layer of 2"},
           Case{"llama-nano,moe=n=4,renorm=2", "expected 0 or 1"},
           Case{"mixtral-nano,moe=n=4,renorm=0", "mixtral has renorm=1"},
           Case{"mixtral-nano,moe=n=4,gate=sigmoid", "mixtral has a softmax router"},
           Case{"olmoe-nano,moe=n=4,shared=1", "olmoe has no shared experts"},
           Case{"qwen2-moe-nano,moe=n=4,shared=0", "qwen2_moe has shared experts"},
           Case{"olmoe-nano,moe=n=4,every=2", "olmoe has experts in every layer"},
           Case{"gpt2-nano,moe=n=4", "gpt2 has no experts"},
       }) {
    CAPTURE(one.shape);
    CHECK_THAT(refused(one.shape), ContainsSubstring(one.part));
  }
}

TEST_CASE("adapters stand beside the matrices that all rows meet", "[model]") {
  const Model model = make("qwen2_moe,moe=n=3,router=topk:2");
  ModelCfg cfg = model.cfg;
  cfg.lora = LoraCfg{};
  for (const LoraModule& one : lora_modules(cfg, model.params->set))
    CHECK(one.param.find("experts") == std::string::npos);
}
