#include "model/llama_keys.h"

#include <array>

#include "core/error.h"
#include "core/str.h"

namespace lm::model {
namespace {

constexpr i64 kDefaultWindow = 4096;  // of transformers, for every family that has the key

constexpr std::array<Unary, 2> kActs = {Unary::kSilu, Unary::kGeluTanh};
constexpr f64 kMaxTheta = 1e12;
constexpr f64 kMaxFactor = 1e6;

void whole_heads(const JsonNode& fields) {
  if (fields.number_or("partial_rotary_factor", 1.0, 0.0, 1.0) != 1.0)
    fields.fail("partial_rotary_factor", "1: heads are rotated whole");
}

/// fields: rope_parameters, or rope_scaling whose theta stands beside it (already in rope).
void parse_scaling(const JsonNode& fields, i64 context, RopeConfig& rope) {
  rope.base = fields.number_or("rope_theta", rope.base, 1.0, kMaxTheta);
  whole_heads(fields);
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
    if (!fields.flag_or("truncate", true)) fields.fail("truncate", "true");
    for (const char* other : {"mscale", "mscale_all_dim"})
      if (fields.number_or(other, 0.0, 0.0, kMaxFactor) != 0)
        fields.fail(other, "no such key: the scale is attention_factor's");
    return;
  }
  rope.kind = RopeConfig::kLlama3;
  rope.low_freq_factor = fields.number("low_freq_factor", 1e-3, kMaxFactor);
  rope.high_freq_factor = fields.number("high_freq_factor", 1e-3, kMaxFactor);
  if (rope.high_freq_factor <= rope.low_freq_factor)
    fields.fail("high_freq_factor", cat("more than low_freq_factor ", rope.low_freq_factor));
}

RopeConfig parse_rope(const JsonNode& f, i64 context, i64 head_dim) {
  RopeConfig rope;
  rope.rotary_dim = head_dim;
  rope.base = f.number_or("rope_theta", rope.base, 1.0, kMaxTheta);
  whole_heads(f);
  if (f.has("rope_scaling"))
    parse_scaling(f.object("rope_scaling"), context, rope);
  else if (f.has("rope_parameters"))
    parse_scaling(f.object("rope_parameters"), context, rope);
  return rope;
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

}  // namespace

LlamaLayer parse_llama_keys(const JsonNode& json, ModelCfg& cfg, const LlamaDefaults& defaults) {
  cfg.vocab = json.integer("vocab_size", 1, kMaxVocab);
  cfg.width = json.integer("hidden_size", 1, kMaxWidth);
  cfg.context = json.integer("max_position_embeddings", 1, kMaxContext);
  cfg.norm = NormKind::kRms;
  cfg.norm_eps = json.number_or("rms_norm_eps", 1e-6, 0.0, 1.0);
  cfg.position = PositionKind::kRope;
  cfg.tied = json.flag_or("tie_word_embeddings", false);

  LlamaLayer layer;
  AttentionCfg& a = layer.attention;
  a.heads = json.integer("num_attention_heads", 1, kMaxHeads);
  const bool absent = !json.contains("num_key_value_heads");  // null means the query heads
  a.kv_heads =
      json.integer_or("num_key_value_heads",
                      absent && defaults.kv_heads > 0 ? defaults.kv_heads : a.heads, 1, kMaxHeads);
  if (!json.has("head_dim") && defaults.head_dim == 0 && cfg.width % a.heads != 0)
    json.fail("num_attention_heads", cat("a divisor of hidden_size ", cfg.width));
  a.head_dim = json.integer_or(
      "head_dim", defaults.head_dim > 0 ? defaults.head_dim : cfg.width / a.heads, 1, kMaxWidth);
  if (a.q_size() > 4 * kMaxWidth)
    json.fail("head_dim", cat("at most ", 4 * kMaxWidth / a.heads, " for ", a.heads, " heads"));
  a.rope = parse_rope(json, cfg.context, a.head_dim);
  layer.ffn.kind = FfnKind::kGated;
  layer.ffn.act = parse_act(json, "hidden_act", Unary::kSilu, kActs);
  layer.ffn.width = json.integer("intermediate_size", 1, 4 * kMaxWidth);
  return layer;
}

i64 parse_depth(const JsonNode& json) {
  return json.integer("num_hidden_layers", 1, kMaxLayers);
}

i64 parse_window(const JsonNode& json) {
  if (!json.contains("sliding_window")) return kDefaultWindow;
  return json.integer_or("sliding_window", 0, 1, kMaxContext);
}

const AttentionCfg& attention_of(const LayerCfg& layer) {
  return std::get<AttentionCfg>(layer.mixer);
}

const FfnCfg& ffn_of(const LayerCfg& layer) {
  return std::get<FfnCfg>(layer.ffn);
}

void write_llama_keys(const ModelCfg& cfg, Json& json) {
  write_llama_keys(cfg, ffn_of(cfg.layers.front()), json);
}

void write_llama_keys(const ModelCfg& cfg, const FfnCfg& ffn, Json& json) {
  const AttentionCfg& a = attention_of(cfg.layers.front());
  json["vocab_size"] = cfg.vocab;
  json["hidden_size"] = cfg.width;
  json["intermediate_size"] = ffn.width;
  json["num_hidden_layers"] = cfg.depth();
  json["num_attention_heads"] = a.heads;
  json["num_key_value_heads"] = a.kv_heads;
  json["head_dim"] = a.head_dim;
  json["hidden_act"] = ffn.act == Unary::kSilu ? "silu" : "gelu_pytorch_tanh";
  json["max_position_embeddings"] = cfg.context;
  json["rms_norm_eps"] = cfg.norm_eps;
  json["rope_theta"] = a.rope.base;
  const Json scaling = scaling_object(a.rope);
  json["rope_scaling"] = a.rope.kind == RopeConfig::kPlain ? Json(nullptr) : scaling;
  Json parameters = scaling;
  parameters["rope_theta"] = a.rope.base;
  json["rope_parameters"] = parameters;
}

}  // namespace lm::model
