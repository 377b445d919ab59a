#pragma once
// What Llama's relatives share: the keys of their config.json and the tensors of their checkpoints.
// Each family's file adds what it has of its own.

#include "model/family.h"

namespace lm::model {

inline constexpr MapRow kLlamaRows[] = {
    {"model.embed_tokens.weight", "embed.weight"},
    {"model.embed_scale", "embed_scale"},
    {"model.layers.{}.input_layernorm.weight", "blocks.{}.attn_norm.weight"},
    {"model.layers.{}.self_attn.q_proj.weight", "blocks.{}.attn.qkv.weight", RowPart::kQuery},
    {"model.layers.{}.self_attn.k_proj.weight", "blocks.{}.attn.qkv.weight", RowPart::kKey},
    {"model.layers.{}.self_attn.v_proj.weight", "blocks.{}.attn.qkv.weight", RowPart::kValue},
    {"model.layers.{}.self_attn.q_proj.bias", "blocks.{}.attn.qkv.bias", RowPart::kQuery},
    {"model.layers.{}.self_attn.k_proj.bias", "blocks.{}.attn.qkv.bias", RowPart::kKey},
    {"model.layers.{}.self_attn.v_proj.bias", "blocks.{}.attn.qkv.bias", RowPart::kValue},
    {"model.layers.{}.self_attn.q_norm.weight", "blocks.{}.attn.q_norm.weight"},
    {"model.layers.{}.self_attn.k_norm.weight", "blocks.{}.attn.k_norm.weight"},
    {"model.layers.{}.self_attn.o_proj.weight", "blocks.{}.attn.out.weight"},
    {"model.layers.{}.self_attn.o_proj.bias", "blocks.{}.attn.out.bias"},
    {"model.layers.{}.post_attention_layernorm.weight", "blocks.{}.mlp_norm.weight"},
    {"model.layers.{}.mlp.gate_proj.weight", "blocks.{}.mlp.gate_up.weight", RowPart::kGate},
    {"model.layers.{}.mlp.up_proj.weight", "blocks.{}.mlp.gate_up.weight", RowPart::kUp},
    {"model.layers.{}.mlp.gate_proj.bias", "blocks.{}.mlp.gate_up.bias", RowPart::kGate},
    {"model.layers.{}.mlp.up_proj.bias", "blocks.{}.mlp.gate_up.bias", RowPart::kUp},
    {"model.layers.{}.mlp.down_proj.weight", "blocks.{}.mlp.down.weight"},
    {"model.layers.{}.mlp.down_proj.bias", "blocks.{}.mlp.down.bias"},
    {"model.norm.weight", "norm.weight"},
    {"lm_head.weight", "head.weight"},
    {"score.weight", "score.weight"},
};
// Rotary tables of older writers, and the tied head some writers repeat.
inline constexpr const char* kLlamaIgnored[] = {"model.layers.{}.self_attn.rotary_emb.inv_freq",
                                                "lm_head.weight"};

/// A layer of these families; all layers are alike but for windows.
struct LlamaLayer {
  AttentionCfg attention;
  FfnCfg ffn;
};

/// What a family takes for keys that are absent; 0: of num_key_value_heads the query heads, of
/// head_dim hidden_size / num_attention_heads.
struct LlamaDefaults {
  i64 kv_heads = 0;
  i64 head_dim = 0;
};

/// Fills cfg except its layers, and gives the layer that all of them are: without biases, head
/// norms and windows. Throws Error{kData} naming file and key.
LlamaLayer parse_llama_keys(const JsonNode& json, ModelCfg& cfg, const LlamaDefaults& defaults);
/// num_hidden_layers.
i64 parse_depth(const JsonNode& json);
/// sliding_window: null is 0, absent is what transformers then takes.
i64 parse_window(const JsonNode& json);

const AttentionCfg& attention_of(const LayerCfg& layer);
const FfnCfg& ffn_of(const LayerCfg& layer);
/// Writes what parse_llama_keys and parse_depth read, in both spellings of renamed keys. ffn: of
/// the layers.
void write_llama_keys(const ModelCfg& cfg, const FfnCfg& ffn, Json& json);
/// ... that the first one has.
void write_llama_keys(const ModelCfg& cfg, Json& json);

}  // namespace lm::model
