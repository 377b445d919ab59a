// Mistral (Jiang et al. 2023): Llama without biases, every layer with the same window or none.

#include "core/str.h"
#include "model/llama_keys.h"

namespace lm::model {
namespace {

/// Layers that differ are Ministral's; what the key repeats is accepted.
void check_layer_types(const Json& json, const JsonFields& fields, i64 window) {
  if (!fields.has("layer_types")) return;
  const char* const expected = window > 0 ? "sliding_attention" : "full_attention";
  const Json& types = json["layer_types"];
  bool same = types.is_array();
  for (const Json& type : types)
    same = same && type == expected;
  if (!same) fields.fail("layer_types", cat("\"", expected, "\" for every layer"));
}

void parse(const Json& json, std::string_view name, ModelCfg& cfg) {
  const JsonFields f(json, name);
  LlamaLayer layer = parse_llama_keys(json, name, cfg, {.kv_heads = 8});
  layer.attention.window = parse_window(json, f);
  check_layer_types(json, f, layer.attention.window);
  cfg.layers.assign(usize(parse_depth(f)), {layer.attention, layer.ffn});
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
