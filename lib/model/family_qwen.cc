// Qwen 2 (Yang et al. 2024) and Qwen 3 (Yang et al. 2025): Llama with windows in some layers. Qwen
// 2 has biases on queries, keys and values alone; Qwen 3 normalises query and key heads instead.

#include <algorithm>

#include "core/str.h"
#include "model/llama_keys.h"

namespace lm::model {
namespace {

constexpr const char* kSliding = "sliding_attention";
constexpr const char* kFull = "full_attention";
constexpr i64 kFirstWindowLayer = 28;  // max_window_layers where it is absent
constexpr LlamaDefaults kQwen2Defaults = {.kv_heads = 32};
constexpr LlamaDefaults kQwen3Defaults = {.kv_heads = 32, .head_dim = 128};

/// Which layers have a window: layer_types, or those from max_window_layers on.
std::vector<bool> parse_sliding(const JsonNode& json, i64 depth, i64 window) {
  const i64 first = json.integer_or("max_window_layers", kFirstWindowLayer, 0, kMaxContext);
  std::vector<bool> out;
  if (!json.has("layer_types")) {
    for (i64 i = 0; i < depth; ++i)
      out.push_back(window > 0 && i >= first);
    return out;
  }
  bool good = true;
  json.array("layer_types").each_item([&](const JsonNode& type) {
    good = good && (type.as_string() == kSliding || type.as_string() == kFull);
    out.push_back(type.as_string() == kSliding);
  });
  if (!good || isize(out) != depth)
    json.fail("layer_types",
              cat("\"", kFull, "\" or \"", kSliding, "\" for each of ", depth, " layers"));
  return out;
}

void parse(const JsonNode& json, ModelCfg& cfg, const LlamaLayer& layer) {
  const i64 window = json.flag_or("use_sliding_window", false) ? parse_window(json) : 0;
  for (const bool sliding : parse_sliding(json, parse_depth(json), window)) {
    if (sliding && window == 0)
      json.fail(json.flag_or("use_sliding_window", false) ? "sliding_window" : "use_sliding_window",
                cat("a window for the layers of type \"", kSliding, "\""));
    AttentionCfg attention = layer.attention;
    attention.window = sliding ? window : 0;
    cfg.layers.push_back({attention, layer.ffn});
  }
}

void parse_qwen2(const JsonNode& json, ModelCfg& cfg) {
  LlamaLayer layer = parse_llama_keys(json, cfg, kQwen2Defaults);
  layer.attention.qkv_bias = true;
  parse(json, cfg, layer);
}

void parse_qwen3(const JsonNode& json, ModelCfg& cfg) {
  LlamaLayer layer = parse_llama_keys(json, cfg, kQwen3Defaults);
  layer.attention.qk_norm = true;
  layer.attention.qkv_bias = layer.attention.out_bias = json.flag_or("attention_bias", false);
  parse(json, cfg, layer);
}

/// Older readers know max_window_layers alone, newer ones layer_types.
void write_qwen2(const ModelCfg& cfg, Json& json) {
  write_llama_keys(cfg, json);
  Json types = Json::array();
  i64 window = 0;
  i64 first = cfg.depth();
  for (i64 i = 0; i < cfg.depth(); ++i) {
    const i64 here = attention_of(cfg.layers[usize(i)]).window;
    types.push_back(here > 0 ? kSliding : kFull);
    if (here > 0) first = std::min(first, i);
    window = std::max(window, here);
  }
  json["use_sliding_window"] = window > 0;
  if (window > 0 || !json.contains("sliding_window"))
    json["sliding_window"] = window > 0 ? Json(window) : Json(nullptr);
  if (window > 0 || !json.contains("max_window_layers")) json["max_window_layers"] = first;
  json["layer_types"] = types;
}

void write_qwen3(const ModelCfg& cfg, Json& json) {
  write_qwen2(cfg, json);
  json["attention_bias"] = attention_of(cfg.layers.front()).qkv_bias;
}

}  // namespace

const Family kQwen2 = {"qwen2",       "Qwen2ForCausalLM", "model.",   kLlamaRows,
                       kLlamaIgnored, parse_qwen2,        write_qwen2};
const Family kQwen3 = {"qwen3",       "Qwen3ForCausalLM", "model.",   kLlamaRows,
                       kLlamaIgnored, parse_qwen3,        write_qwen3};

}  // namespace lm::model
