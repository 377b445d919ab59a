// Llama 2 and 3: RMS norm before each part, rotary positions (plain, linear, "llama3" or "yarn"
// scaling), grouped key-value heads, SwiGLU, head tied or not, biases as the file says.

#include "model/llama_keys.h"

namespace lm::model {
namespace {

void parse(const JsonNode& json, ModelCfg& cfg) {
  LlamaLayer layer = parse_llama_keys(json, cfg, {});
  layer.attention.qkv_bias = layer.attention.out_bias = json.flag_or("attention_bias", false);
  layer.ffn.bias = json.flag_or("mlp_bias", false);
  cfg.layers.assign(usize(parse_depth(json)), {layer.attention, layer.ffn});
}

void write(const ModelCfg& cfg, Json& json) {
  write_llama_keys(cfg, json);
  json["attention_bias"] = attention_of(cfg.layers.front()).qkv_bias;
  json["mlp_bias"] = ffn_of(cfg.layers.front()).bias;
}

}  // namespace

const Family kLlama = {"llama", "LlamaForCausalLM", "model.", kLlamaRows, kLlamaIgnored, parse,
                       write};

}  // namespace lm::model
