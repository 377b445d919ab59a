// Llama 2 and 3: RMS norm before each part, rotary positions (plain, linear, "llama3" or "yarn"
// scaling), grouped key-value heads, SwiGLU, head tied or not, biases as the file says.

#include <array>

#include "core/error.h"
#include "core/str.h"
#include "model/family.h"

namespace lm::model {
namespace {

#define LM_LAYER "model.layers.{}."
constexpr MapRow kRows[] = {
    {"model.embed_tokens.weight", "embed.weight"},
    {LM_LAYER "input_layernorm.weight", "blocks.{}.attn_norm.weight"},
    {LM_LAYER "self_attn.q_proj.weight", "blocks.{}.attn.qkv.weight", RowPart::kQuery},
    {LM_LAYER "self_attn.k_proj.weight", "blocks.{}.attn.qkv.weight", RowPart::kKey},
    {LM_LAYER "self_attn.v_proj.weight", "blocks.{}.attn.qkv.weight", RowPart::kValue},
    {LM_LAYER "self_attn.q_proj.bias", "blocks.{}.attn.qkv.bias", RowPart::kQuery},
    {LM_LAYER "self_attn.k_proj.bias", "blocks.{}.attn.qkv.bias", RowPart::kKey},
    {LM_LAYER "self_attn.v_proj.bias", "blocks.{}.attn.qkv.bias", RowPart::kValue},
    {LM_LAYER "self_attn.o_proj.weight", "blocks.{}.attn.out.weight"},
    {LM_LAYER "self_attn.o_proj.bias", "blocks.{}.attn.out.bias"},
    {LM_LAYER "post_attention_layernorm.weight", "blocks.{}.mlp_norm.weight"},
    {LM_LAYER "mlp.gate_proj.weight", "blocks.{}.mlp.gate_up.weight", RowPart::kGate},
    {LM_LAYER "mlp.up_proj.weight", "blocks.{}.mlp.gate_up.weight", RowPart::kUp},
    {LM_LAYER "mlp.gate_proj.bias", "blocks.{}.mlp.gate_up.bias", RowPart::kGate},
    {LM_LAYER "mlp.up_proj.bias", "blocks.{}.mlp.gate_up.bias", RowPart::kUp},
    {LM_LAYER "mlp.down_proj.weight", "blocks.{}.mlp.down.weight"},
    {LM_LAYER "mlp.down_proj.bias", "blocks.{}.mlp.down.bias"},
    {"model.norm.weight", "norm.weight"},
    {"lm_head.weight", "head.weight"},
};
// Rotary tables of older writers, and the tied head some writers repeat.
constexpr const char* kIgnored[] = {LM_LAYER "self_attn.rotary_emb.inv_freq", "lm_head.weight"};
#undef LM_LAYER

constexpr std::array<Unary, 2> kActs = {Unary::kSilu, Unary::kGeluTanh};
constexpr f64 kMaxTheta = 1e12;
constexpr f64 kMaxFactor = 1e6;

/// fields: rope_parameters, or rope_scaling whose theta stands beside it (already in rope).
void parse_scaling(const JsonFields& fields, i64 context, RopeConfig& rope) {
  rope.base = fields.number_or("rope_theta", rope.base, 1.0, kMaxTheta);
  const char* key = fields.has("rope_type") ? "rope_type" : "type";  // "type" is the older spelling
  const std::string type = fields.text_or(key, "default");
  if (type == "default") return;
  if (type != "linear" && type != "llama3" && type != "yarn")
    fields.fail(key, "\"default\", \"linear\", \"llama3\" or \"yarn\"");
  rope.factor = fields.number("factor", 1.0, kMaxFactor);
  rope.kind = RopeConfig::kLinear;
  if (type == "linear") return;
  rope.original_context =
      fields.integer_or("original_max_position_embeddings", context, 1, kMaxContext);
  if (type == "yarn") {
    rope.kind = RopeConfig::kYarn;
    rope.beta_fast = fields.number_or("beta_fast", 32.0, 1e-3, kMaxFactor);
    rope.beta_slow = fields.number_or("beta_slow", 1.0, 1e-3, kMaxFactor);
    rope.attention_factor = fields.number_or("attention_factor", 0.0, 0.0, kMaxFactor);
    return;
  }
  rope.kind = RopeConfig::kLlama3;
  rope.low_freq_factor = fields.number("low_freq_factor", 1e-3, kMaxFactor);
  rope.high_freq_factor = fields.number("high_freq_factor", 1e-3, kMaxFactor);
  if (rope.high_freq_factor <= rope.low_freq_factor)
    fields.fail("high_freq_factor", cat("more than low_freq_factor ", rope.low_freq_factor));
}

RopeConfig parse_rope(const JsonFields& f, i64 context, i64 head_dim) {
  RopeConfig rope;
  rope.rotary_dim = head_dim;
  rope.base = f.number_or("rope_theta", rope.base, 1.0, kMaxTheta);
  if (f.has("rope_scaling"))
    parse_scaling(f.object("rope_scaling"), context, rope);
  else if (f.has("rope_parameters"))
    parse_scaling(f.object("rope_parameters"), context, rope);
  return rope;
}

void parse(const Json& json, std::string_view name, ModelCfg& cfg) {
  const JsonFields f(json, name);
  cfg.vocab = f.integer("vocab_size", 1, kMaxVocab);
  cfg.width = f.integer("hidden_size", 1, kMaxWidth);
  cfg.context = f.integer("max_position_embeddings", 1, kMaxContext);
  cfg.norm = NormKind::kRms;
  cfg.norm_eps = f.number_or("rms_norm_eps", 1e-6, 0.0, 1.0);
  cfg.position = PositionKind::kRope;
  cfg.tied = f.flag_or("tie_word_embeddings", false);

  LayerCfg layer;
  AttentionCfg& a = layer.attention;
  a.heads = f.integer("num_attention_heads", 1, kMaxHeads);
  a.kv_heads = f.integer_or("num_key_value_heads", a.heads, 1, kMaxHeads);
  if (!f.has("head_dim") && cfg.width % a.heads != 0)
    f.fail("num_attention_heads", cat("a divisor of hidden_size ", cfg.width));
  a.head_dim = f.integer_or("head_dim", cfg.width / a.heads, 1, kMaxWidth);
  if (a.q_size() > 4 * kMaxWidth)
    f.fail("head_dim", cat("at most ", 4 * kMaxWidth / a.heads, " for ", a.heads, " heads"));
  a.qkv_bias = f.flag_or("attention_bias", false);
  a.out_bias = a.qkv_bias;
  a.rope = parse_rope(f, cfg.context, a.head_dim);
  layer.ffn.kind = FfnKind::kGated;
  layer.ffn.act = parse_act(f, "hidden_act", Unary::kSilu, kActs);
  layer.ffn.width = f.integer("intermediate_size", 1, 4 * kMaxWidth);
  layer.ffn.bias = f.flag_or("mlp_bias", false);
  cfg.layers.assign(usize(f.integer("num_hidden_layers", 1, kMaxLayers)), layer);
}

const char* scaling_name(RopeConfig::Kind kind) {
  switch (kind) {
    case RopeConfig::kPlain:
      return "default";
    case RopeConfig::kLinear:
      return "linear";
    case RopeConfig::kLlama3:
      return "llama3";
    case RopeConfig::kYarn:
      return "yarn";
    case RopeConfig::kDynamicNtk:
      break;  // no reader makes it
  }
  throw Error(ErrorKind::kInternal, "rope scaling without a name");
}

Json scaling_object(const RopeConfig& rope) {
  Json out = Json::object();
  out["rope_type"] = scaling_name(rope.kind);
  if (rope.kind != RopeConfig::kPlain) out["factor"] = rope.factor;
  if (rope.kind == RopeConfig::kLlama3) {
    out["low_freq_factor"] = rope.low_freq_factor;
    out["high_freq_factor"] = rope.high_freq_factor;
  }
  if (rope.kind == RopeConfig::kYarn) {
    out["beta_fast"] = rope.beta_fast;
    out["beta_slow"] = rope.beta_slow;
    if (rope.attention_factor > 0) out["attention_factor"] = rope.attention_factor;
  }
  if (rope.original_context > 0) out["original_max_position_embeddings"] = rope.original_context;
  return out;
}

void write(const ModelCfg& cfg, Json& json) {
  const LayerCfg& layer = cfg.layers.front();
  const AttentionCfg& a = layer.attention;
  json["vocab_size"] = cfg.vocab;
  json["hidden_size"] = cfg.width;
  json["intermediate_size"] = layer.ffn.width;
  json["num_hidden_layers"] = cfg.depth();
  json["num_attention_heads"] = a.heads;
  json["num_key_value_heads"] = a.kv_heads;
  json["head_dim"] = a.head_dim;
  json["hidden_act"] = layer.ffn.act == Unary::kSilu ? "silu" : "gelu_pytorch_tanh";
  json["max_position_embeddings"] = cfg.context;
  json["rms_norm_eps"] = cfg.norm_eps;
  json["attention_bias"] = a.qkv_bias;
  json["mlp_bias"] = layer.ffn.bias;
  json["rope_theta"] = a.rope.base;
  const Json scaling = scaling_object(a.rope);
  json["rope_scaling"] = a.rope.kind == RopeConfig::kPlain ? Json(nullptr) : scaling;
  Json parameters = scaling;
  parameters["rope_theta"] = a.rope.base;
  json["rope_parameters"] = parameters;
}

}  // namespace

const Family kLlama = {"llama", "LlamaForCausalLM", "model.", kRows, kIgnored, parse, write};

}  // namespace lm::model
