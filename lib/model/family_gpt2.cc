// GPT-2: LayerNorm with bias before each part, learned positions, fused qkv, 4C feed-forward with
// the tanh GELU, tied head. Matrices of the blocks are stored [in, out].

#include <array>

#include "core/error.h"
#include "core/str.h"
#include "model/family.h"

namespace lm::model {
namespace {

constexpr MapRow kRows[] = {
    {"wte.weight", "embed.weight"},
    {"wpe.weight", "pos_embed.weight"},
    {"h.{}.ln_1.weight", "blocks.{}.attn_norm.weight"},
    {"h.{}.ln_1.bias", "blocks.{}.attn_norm.bias"},
    {"h.{}.attn.c_attn.weight", "blocks.{}.attn.qkv.weight", RowPart::kAll, true},
    {"h.{}.attn.c_attn.bias", "blocks.{}.attn.qkv.bias"},
    {"h.{}.attn.c_proj.weight", "blocks.{}.attn.out.weight", RowPart::kAll, true},
    {"h.{}.attn.c_proj.bias", "blocks.{}.attn.out.bias"},
    {"h.{}.ln_2.weight", "blocks.{}.mlp_norm.weight"},
    {"h.{}.ln_2.bias", "blocks.{}.mlp_norm.bias"},
    {"h.{}.mlp.c_fc.weight", "blocks.{}.mlp.up.weight", RowPart::kAll, true},
    {"h.{}.mlp.c_fc.bias", "blocks.{}.mlp.up.bias"},
    {"h.{}.mlp.c_proj.weight", "blocks.{}.mlp.down.weight", RowPart::kAll, true},
    {"h.{}.mlp.c_proj.bias", "blocks.{}.mlp.down.bias"},
    {"ln_f.weight", "norm.weight"},
    {"ln_f.bias", "norm.bias"},
    {"lm_head.weight", "head.weight"},
    {"score.weight", "score.weight"},
};

// Causal-mask buffers of older writers, and the tied head some writers repeat.
constexpr const char* kIgnored[] = {"h.{}.attn.bias", "h.{}.attn.masked_bias", "lm_head.weight"};

constexpr std::array<Unary, 3> kActs = {Unary::kGeluTanh, Unary::kGeluErf, Unary::kRelu};

void refuse_flag(const JsonNode& json, const char* key, bool expected) {
  if (json.flag_or(key, expected) != expected) json.fail(key, expected ? "true" : "false");
}

void parse(const JsonNode& json, ModelCfg& cfg) {
  cfg.vocab = json.integer("vocab_size", 1, kMaxVocab);
  cfg.width = json.integer("n_embd", 1, kMaxWidth);
  // Both names are in circulation; n_positions rules.
  cfg.context = json.integer(
      json.has("n_positions") || !json.has("n_ctx") ? "n_positions" : "n_ctx", 1, kMaxContext);
  cfg.norm = NormKind::kLayer;
  cfg.norm_eps = json.number_or("layer_norm_epsilon", 1e-5, 0.0, 1.0);
  cfg.position = PositionKind::kLearned;
  cfg.tied = json.flag_or("tie_word_embeddings", true);
  refuse_flag(json, "scale_attn_weights", true);
  refuse_flag(json, "scale_attn_by_inverse_layer_idx", false);
  refuse_flag(json, "add_cross_attention", false);

  AttentionCfg a;
  FfnCfg ffn;
  a.heads = json.integer("n_head", 1, kMaxHeads);
  if (cfg.width % a.heads != 0) json.fail("n_head", cat("a divisor of n_embd ", cfg.width));
  a.kv_heads = a.heads;
  a.head_dim = cfg.width / a.heads;
  a.qkv_bias = true;
  a.out_bias = true;
  ffn.kind = FfnKind::kPlain;
  ffn.act = parse_act(json, "activation_function", Unary::kGeluTanh, kActs);
  ffn.width = json.integer_or("n_inner", 4 * cfg.width, 1, 4 * kMaxWidth);
  ffn.bias = true;
  cfg.layers.assign(usize(json.integer("n_layer", 1, kMaxLayers)), {a, ffn});
}

void write(const ModelCfg& cfg, Json& json) {
  const AttentionCfg& a = std::get<AttentionCfg>(cfg.layers.front().mixer);
  const FfnCfg& ffn = std::get<FfnCfg>(cfg.layers.front().ffn);
  json["vocab_size"] = cfg.vocab;
  json["n_positions"] = cfg.context;
  json["n_ctx"] = cfg.context;
  json["n_embd"] = cfg.width;
  json["n_layer"] = cfg.depth();
  json["n_head"] = a.heads;
  json["n_inner"] = ffn.width;
  json["activation_function"] = act_name(ffn.act);
  json["layer_norm_epsilon"] = cfg.norm_eps;
}

}  // namespace

const Family kGpt2 = {"gpt2", "GPT2LMHeadModel", "transformer.", kRows, kIgnored, parse, write};

}  // namespace lm::model
