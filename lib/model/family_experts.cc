// Llama's relatives with mixtures of experts: Mixtral (Jiang et al. 2024), OLMoE (Muennighoff et
// al. 2024: RMS norms over all query and all key heads), Qwen 2 MoE (Yang et al. 2024: an expert
// for all rows behind a gate) and Qwen 3 MoE (Yang et al. 2025). "moe" is ours: Llama with what the
// others have not, in the keys that DeepSeek's models have where they have one.

#include <algorithm>
#include <array>
#include <set>

#include "core/str.h"
#include "model/llama_keys.h"
#include "model/moe_settings.h"

namespace lm::model {
namespace {

template <std::size_t N, std::size_t M>
constexpr std::array<MapRow, N + M> with_rows(const MapRow (&base)[N], const MapRow (&own)[M]) {
  std::array<MapRow, N + M> out{};
  std::copy_n(base, N, out.begin());
  std::copy_n(own, M, out.begin() + N);
  return out;
}

constexpr MapRow kMixtralOwn[] = {
    {"model.layers.{}.block_sparse_moe.gate.weight", "blocks.{}.mlp.router.weight"},
    {"model.layers.{}.block_sparse_moe.experts.{e}.w1.weight",
     "blocks.{}.mlp.experts.gate_up.weight", RowPart::kExpertGate},
    {"model.layers.{}.block_sparse_moe.experts.{e}.w3.weight",
     "blocks.{}.mlp.experts.gate_up.weight", RowPart::kExpertUp},
    {"model.layers.{}.block_sparse_moe.experts.{e}.w2.weight", "blocks.{}.mlp.experts.down.weight",
     RowPart::kExpert},
};
constexpr MapRow kQwenOwn[] = {
    {"model.layers.{}.mlp.gate.weight", "blocks.{}.mlp.router.weight"},
    {"model.layers.{}.mlp.gate.noise.weight", "blocks.{}.mlp.noise.weight"},
    {"model.layers.{}.mlp.gate.e_score_correction_bias", "blocks.{}.mlp.selection.bias"},
    {"model.layers.{}.mlp.experts.{e}.gate_proj.weight", "blocks.{}.mlp.experts.gate_up.weight",
     RowPart::kExpertGate},
    {"model.layers.{}.mlp.experts.{e}.up_proj.weight", "blocks.{}.mlp.experts.gate_up.weight",
     RowPart::kExpertUp},
    {"model.layers.{}.mlp.experts.{e}.down_proj.weight", "blocks.{}.mlp.experts.down.weight",
     RowPart::kExpert},
    {"model.layers.{}.mlp.shared_expert.gate_proj.weight", "blocks.{}.mlp.shared.gate_up.weight",
     RowPart::kSharedGate},
    {"model.layers.{}.mlp.shared_expert.up_proj.weight", "blocks.{}.mlp.shared.gate_up.weight",
     RowPart::kSharedUp},
    {"model.layers.{}.mlp.shared_expert.down_proj.weight", "blocks.{}.mlp.shared.down.weight"},
    {"model.layers.{}.mlp.shared_expert_gate.weight", "blocks.{}.mlp.shared_gate.weight"},
};
constexpr auto kMixtralRows = with_rows(kLlamaRows, kMixtralOwn);
constexpr auto kQwenRows = with_rows(kLlamaRows, kQwenOwn);

constexpr i64 kMaxExperts = 1 << 14;
constexpr const char* kRouterKey = "lm_router";
constexpr const char* kLocalKey = "num_local_experts";

/// What a family takes for keys that are absent.
struct ExpertDefaults {
  const char* count_key;
  i64 count = 0, active = 0;
  bool renormalise = false;
};

MoeCfg parse_experts(const JsonNode& json, const FfnCfg& expert, const ExpertDefaults& defaults) {
  MoeCfg moe;
  moe.expert = expert;
  // Qwen 3's newer files have Mixtral's key.
  const char* const key =
      json.has(defaults.count_key) || !json.has(kLocalKey) ? defaults.count_key : kLocalKey;
  moe.experts = json.integer_or(key, defaults.count, 1, kMaxExperts);
  moe.active = json.integer_or("num_experts_per_tok", defaults.active, 1, kMaxExperts);
  if (moe.active > moe.experts)
    json.fail("num_experts_per_tok", cat("at most ", moe.experts, ", which ", key, " is"));
  moe.renormalise = json.flag_or("norm_topk_prob", defaults.renormalise);
  return moe;
}

const MoeCfg* mixture_of(const LayerCfg& layer) {
  return std::get_if<MoeCfg>(&layer.ffn);
}

/// The first layer that is one.
const MoeCfg& mixture_of(const ModelCfg& cfg) {
  for (const LayerCfg& layer : cfg.layers)
    if (const MoeCfg* const moe = mixture_of(layer)) return *moe;
  throw Error(ErrorKind::kInternal, "a model of experts has some");
}

/// decoder_sparse_step and mlp_only_layers: which layers are mixtures. The others are `dense`.
void parse_layers(const JsonNode& json, const AttentionCfg& attention, const FfnCfg& dense,
                  const MoeCfg& moe, ModelCfg& cfg) {
  const i64 depth = parse_depth(json);
  const i64 step = json.integer_or("decoder_sparse_step", 1, 1, kMaxLayers);
  std::set<i64> plain;
  if (json.has("mlp_only_layers"))
    json.array("mlp_only_layers").each_item([&](const JsonNode& item) {
      const i64 layer = item.as_integer().value_or(-1);
      if (layer < 0) json.fail("mlp_only_layers", "numbers of layers");
      plain.insert(layer);
    });
  for (i64 i = 0; i < depth; ++i) {
    if ((i + 1) % step == 0 && !plain.contains(i))
      cfg.layers.push_back({attention, moe});
    else
      cfg.layers.push_back({attention, dense});
  }
  if (!has_experts(cfg))
    json.fail(json.has("mlp_only_layers") ? "mlp_only_layers" : "decoder_sparse_step",
              cat("a layer of the ", depth, " that has experts"));
}

void write_layers(const ModelCfg& cfg, Json& json) {
  i64 step = 0;  // of the first mixture; the rest says which others are none
  while (mixture_of(cfg.layers[usize(step)]) == nullptr)
    ++step;
  ++step;
  Json plain = Json::array();
  bool regular = true;
  for (i64 i = 0; i < cfg.depth(); ++i) {
    const bool mixture = mixture_of(cfg.layers[usize(i)]) != nullptr;
    regular = regular && mixture == ((i + 1) % step == 0);
    if (!mixture) plain.push_back(i);
  }
  json["decoder_sparse_step"] = regular ? step : 1;
  json["mlp_only_layers"] = regular ? Json::array() : plain;
}

/// What all of them write. count_key: of the number of experts.
void write_experts(const ModelCfg& cfg, const char* count_key, Json& json) {
  const MoeCfg& moe = mixture_of(cfg);
  const FfnCfg* dense = nullptr;
  for (const LayerCfg& layer : cfg.layers)
    if (mixture_of(layer) == nullptr) dense = &ffn_of(layer);
  // A width of dense layers that nobody has stays as it was.
  const Json unused = json.contains("intermediate_size") ? json["intermediate_size"] : Json();
  write_llama_keys(cfg, dense != nullptr ? *dense : moe.expert, json);
  if (dense == nullptr && json.contains("moe_intermediate_size") && !unused.is_null())
    json["intermediate_size"] = unused;
  json[count_key] = moe.experts;
  json["num_experts_per_tok"] = moe.active;
}

void no_windows(const JsonNode& json) {
  if (json.flag_or("use_sliding_window", false))
    json.fail("use_sliding_window", "false: such layers have no windows here");
}

void parse_mixtral(const JsonNode& json, ModelCfg& cfg) {
  LlamaLayer layer = parse_llama_keys(json, cfg, {.kv_heads = 8});
  layer.attention.window =
      json.has("sliding_window") ? json.integer("sliding_window", 1, kMaxContext) : 0;
  MoeCfg moe = parse_experts(json, layer.ffn, {kLocalKey, 8, 2, true});
  moe.renormalise = true;
  cfg.layers.assign(usize(parse_depth(json)), {layer.attention, moe});
}

void write_mixtral(const ModelCfg& cfg, Json& json) {
  write_experts(cfg, kLocalKey, json);
  const i64 window = attention_of(cfg.layers.front()).window;
  json["sliding_window"] = window > 0 ? Json(window) : Json(nullptr);
}

void parse_olmoe(const JsonNode& json, ModelCfg& cfg) {
  LlamaLayer layer = parse_llama_keys(json, cfg, {});
  if (json.has("clip_qkv")) json.fail("clip_qkv", "null: queries and keys are not clipped here");
  layer.attention.qk_norm = layer.attention.qk_norm_whole = true;
  layer.attention.qkv_bias = layer.attention.out_bias = json.flag_or("attention_bias", false);
  cfg.layers.assign(usize(parse_depth(json)),
                    {layer.attention, parse_experts(json, layer.ffn, {"num_experts", 64, 8})});
}

void write_olmoe(const ModelCfg& cfg, Json& json) {
  write_experts(cfg, "num_experts", json);
  json["norm_topk_prob"] = mixture_of(cfg).renormalise;
  json["attention_bias"] = attention_of(cfg.layers.front()).qkv_bias;
}

/// The width of the experts of Qwen's, and of ours.
FfnCfg expert_of(const JsonNode& json, const FfnCfg& dense, i64 absent) {
  FfnCfg out = dense;
  out.width = json.integer_or("moe_intermediate_size", absent, 1, 4 * kMaxWidth);
  return out;
}

void parse_qwen2_moe(const JsonNode& json, ModelCfg& cfg) {
  LlamaLayer layer = parse_llama_keys(json, cfg, {.kv_heads = 16});
  no_windows(json);
  layer.attention.qkv_bias = json.flag_or("qkv_bias", true);
  MoeCfg moe = parse_experts(json, expert_of(json, layer.ffn, 1408), {"num_experts", 60, 4});
  moe.shared = json.integer_or("shared_expert_intermediate_size", 5632, 1, 4 * kMaxWidth);
  moe.shared_gate = true;
  parse_layers(json, layer.attention, layer.ffn, moe, cfg);
}

void write_qwen(const ModelCfg& cfg, Json& json) {
  const MoeCfg& moe = mixture_of(cfg);
  json["moe_intermediate_size"] = moe.expert.width;
  write_experts(cfg, "num_experts", json);
  json["norm_topk_prob"] = moe.renormalise;
  write_layers(cfg, json);
}

void write_qwen2_moe(const ModelCfg& cfg, Json& json) {
  write_qwen(cfg, json);
  json["shared_expert_intermediate_size"] = mixture_of(cfg).shared;
  json["qkv_bias"] = attention_of(cfg.layers.front()).qkv_bias;
  json["use_sliding_window"] = false;
}

void parse_qwen3_moe(const JsonNode& json, ModelCfg& cfg) {
  LlamaLayer layer = parse_llama_keys(json, cfg, {.kv_heads = 4});
  no_windows(json);
  layer.attention.qk_norm = true;
  layer.attention.qkv_bias = layer.attention.out_bias = json.flag_or("attention_bias", false);
  const MoeCfg moe = parse_experts(json, expert_of(json, layer.ffn, 768), {"num_experts", 128, 8});
  parse_layers(json, layer.attention, layer.ffn, moe, cfg);
}

void write_qwen3_moe(const ModelCfg& cfg, Json& json) {
  write_qwen(cfg, json);
  json[kLocalKey] = json["num_experts"];
  json["attention_bias"] = attention_of(cfg.layers.front()).qkv_bias;
  json["use_sliding_window"] = false;
}

void parse_moe(const JsonNode& json, ModelCfg& cfg) {
  LlamaLayer layer = parse_llama_keys(json, cfg, {});
  layer.attention.qkv_bias = layer.attention.out_bias = json.flag_or("attention_bias", false);
  MoeCfg moe =
      parse_experts(json, expert_of(json, layer.ffn, layer.ffn.width), {"num_experts", 8, 2, true});
  moe.shared = json.integer_or("shared_expert_intermediate_size", 0, 0, 4 * kMaxWidth);
  const JsonNode router = json.object(kRouterKey);
  router.only({"kind", "gate", "bias"});
  const std::string kind = router.text("kind");
  const std::optional<RouterKind> known = find_router(kind);
  if (!known) router.fail("kind", router_names());
  moe.router = *known;
  const std::string gate = router.text("gate");
  if (gate != "softmax" && gate != "sigmoid") router.fail("gate", "\"softmax\" or \"sigmoid\"");
  moe.gate = gate == "sigmoid" ? GateKind::kSigmoid : GateKind::kSoftmax;
  moe.selection = router.flag_or("bias", false);
  parse_layers(json, layer.attention, layer.ffn, moe, cfg);
}

void write_moe(const ModelCfg& cfg, Json& json) {
  write_qwen(cfg, json);
  const MoeCfg& moe = mixture_of(cfg);
  json["attention_bias"] = attention_of(cfg.layers.front()).qkv_bias;
  json["shared_expert_intermediate_size"] = moe.shared;
  json[kRouterKey] = {{"kind", router_name(moe.router)},
                      {"gate", moe.gate == GateKind::kSigmoid ? "sigmoid" : "softmax"},
                      {"bias", moe.selection}};
}

}  // namespace

const Family kMixtral = {"mixtral",     "MixtralForCausalLM", "model.",     kMixtralRows,
                         kLlamaIgnored, parse_mixtral,        write_mixtral};
const Family kOlmoe = {"olmoe",       "OlmoeForCausalLM", "model.",   kQwenRows,
                       kLlamaIgnored, parse_olmoe,        write_olmoe};
const Family kQwen2Moe = {"qwen2_moe",   "Qwen2MoeForCausalLM", "model.",       kQwenRows,
                          kLlamaIgnored, parse_qwen2_moe,       write_qwen2_moe};
const Family kQwen3Moe = {"qwen3_moe",   "Qwen3MoeForCausalLM", "model.",       kQwenRows,
                          kLlamaIgnored, parse_qwen3_moe,       write_qwen3_moe};
const Family kMoe = {"moe",         "MoeForCausalLM", "model.", kQwenRows,
                     kLlamaIgnored, parse_moe,        write_moe};

}  // namespace lm::model
