// Mistral (Jiang et al. 2023): Llama without biases, every layer with the same window or none.

#include "core/str.h"
#include "model/llama_keys.h"

namespace lm::model {
namespace {

/// Layers that differ are Ministral's; what the key repeats is accepted.
void check_layer_types(const JsonNode& json, i64 window) {
  if (!json.has("layer_types")) return;
  const char* const expected = window > 0 ? "sliding_attention" : "full_attention";
  bool same = true;
  json.array("layer_types").each_item([&](const JsonNode& type) {
    same = same && type.as_string() == expected;
  });
  if (!same) json.fail("layer_types", cat("\"", expected, "\" for every layer"));
}

void parse(const JsonNode& json, ModelCfg& cfg) {
  LlamaLayer layer = parse_llama_keys(json, cfg, {.kv_heads = 8});
  layer.attention.window = parse_window(json);
  check_layer_types(json, layer.attention.window);
  cfg.layers.assign(usize(parse_depth(json)), {layer.attention, layer.ffn});
}

void write(const ModelCfg& cfg, Json& json) {
  write_llama_keys(cfg, json);
  const i64 window = attention_of(cfg.layers.front()).window;
  json["sliding_window"] = window > 0 ? Json(window) : Json(nullptr);
}

}  // namespace

const Family kMistral = {
    "mistral", "MistralForCausalLM", "model.", kLlamaRows, kLlamaIgnored, parse, write};

}  // namespace lm::model
