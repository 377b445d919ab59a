#include "model/config.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "model/family.h"
#include "model/json_fields.h"

namespace lm::model {
namespace {

constexpr i64 kMaxTokenId = 0x7fffffff;

void read_token_ids(const Json& json, std::string_view name, ModelCfg& cfg) {
  const JsonFields fields(json, name);
  if (fields.has("bos_token_id"))
    cfg.bos = static_cast<i32>(fields.integer("bos_token_id", 0, kMaxTokenId));
  // -1 is an old spelling of "no padding".
  const i64 pad = fields.integer_or("pad_token_id", -1, -1, kMaxTokenId);
  if (pad >= 0) cfg.pad = static_cast<i32>(pad);
  if (!fields.has("eos_token_id")) return;
  const Json& eos = json["eos_token_id"];
  if (!eos.is_array()) {
    cfg.eos = {static_cast<i32>(fields.integer("eos_token_id", 0, kMaxTokenId))};
    return;
  }
  for (const Json& id : eos) {
    if (!id.is_number_unsigned() || id.get<u64>() > static_cast<u64>(kMaxTokenId))
      fields.fail("eos_token_id", "token ids");
    cfg.eos.push_back(id.get<i32>());
  }
}

/// Absent ids are written as null: readers have defaults of their own (50256 for GPT-2).
void write_token_ids(const ModelCfg& cfg, Json& json) {
  json["bos_token_id"] = cfg.bos ? Json(*cfg.bos) : Json(nullptr);
  json["pad_token_id"] = cfg.pad ? Json(*cfg.pad) : Json(nullptr);
  if (cfg.eos.size() > 1)
    json["eos_token_id"] = cfg.eos;
  else
    json["eos_token_id"] = cfg.eos.empty() ? Json(nullptr) : Json(cfg.eos[0]);
}

[[noreturn]] void inconsistent(std::string_view name, std::string_view what) {
  throw Error(ErrorKind::kData, cat(name, ": ", what));
}

void check_layer(const LayerCfg& layer, const ModelCfg& cfg, std::string_view name) {
  const AttentionCfg& a = layer.attention;
  if (a.heads <= 0 || a.kv_heads <= 0 || a.head_dim <= 0)
    inconsistent(name, cat("head counts and head size must be positive, seen ", a.heads, " heads, ",
                           a.kv_heads, " key-value heads of size ", a.head_dim));
  if (a.heads % a.kv_heads != 0)
    inconsistent(name, cat("key \"num_key_value_heads\" is ", a.kv_heads,
                           ", expected a divisor of the ", a.heads, " attention heads"));
  if (cfg.position == PositionKind::kRope && a.head_dim % 2 != 0)
    inconsistent(name, cat("key \"head_dim\" is ", a.head_dim,
                           ", expected an even number for rotary positions"));
  if (layer.ffn.width <= 0)
    inconsistent(name,
                 cat("feed-forward width is ", layer.ffn.width, ", expected a positive number"));
}

}  // namespace

void check_config(const ModelCfg& cfg, std::string_view name) {
  if (cfg.vocab <= 0 || cfg.width <= 0 || cfg.context <= 0 || cfg.layers.empty())
    inconsistent(name, cat("vocabulary, width, context and layer count must be positive, seen ",
                           cfg.vocab, ", ", cfg.width, ", ", cfg.context, ", ", cfg.depth()));
  for (const LayerCfg& layer : cfg.layers)
    check_layer(layer, cfg, name);
}

bool same_rope(const RopeConfig& x, const RopeConfig& y) {
  return x.kind == y.kind && x.rotary_dim == y.rotary_dim && x.base == y.base &&
         x.factor == y.factor && x.low_freq_factor == y.low_freq_factor &&
         x.high_freq_factor == y.high_freq_factor && x.original_context == y.original_context &&
         x.beta_fast == y.beta_fast && x.beta_slow == y.beta_slow &&
         x.attention_factor == y.attention_factor;
}

bool same_layer(const LayerCfg& x, const LayerCfg& y) {
  const AttentionCfg& a = x.attention;
  const AttentionCfg& b = y.attention;
  return a.heads == b.heads && a.kv_heads == b.kv_heads && a.head_dim == b.head_dim &&
         a.qkv_bias == b.qkv_bias && a.out_bias == b.out_bias && same_rope(a.rope, b.rope) &&
         x.ffn.kind == y.ffn.kind && x.ffn.act == y.ffn.act && x.ffn.width == y.ffn.width &&
         x.ffn.bias == y.ffn.bias;
}

bool same_shape(const ModelCfg& x, const ModelCfg& y) {
  return x.family == y.family && x.vocab == y.vocab && x.width == y.width &&
         x.context == y.context && x.norm == y.norm && x.norm_eps == y.norm_eps &&
         x.position == y.position && x.tied == y.tied &&
         std::equal(x.layers.begin(), x.layers.end(), y.layers.begin(), y.layers.end(), same_layer);
}

std::string describe(const ModelCfg& cfg) {
  std::string out = cat(cfg.family, ", ", cfg.depth(), " layers, width ", cfg.width);
  if (!cfg.layers.empty()) {
    const AttentionCfg& a = cfg.layers[0].attention;
    append(out, ", ", a.heads);
    if (a.kv_heads != a.heads) append(out, "/", a.kv_heads);
    append(out, " heads of ", a.head_dim, ", ffn ", cfg.layers[0].ffn.width);
  }
  append(out, ", vocabulary ", cfg.vocab);
  return out;
}

ModelCfg parse_config(std::string_view text, std::string_view name) {
  const Json json = parse_object(text, name);
  const JsonFields fields(json, name);
  const Family& family = find_family(fields.text("model_type"), name);
  ModelCfg cfg;
  cfg.family = family.model_type;
  cfg.source_json = std::string(text);
  cfg.init_std = fields.number_or("initializer_range", 0.02, 0.0, 10.0);
  family.parse(json, name, cfg);
  read_token_ids(json, name, cfg);
  cfg.end_ids = cfg.eos;
  std::sort(cfg.end_ids.begin(), cfg.end_ids.end());
  check_config(cfg, name);
  return cfg;
}

std::string write_config(const ModelCfg& cfg, std::string_view dtype) {
  const Family& family = find_family(cfg.family, "model");
  Json json =
      cfg.source_json.empty() ? Json::object() : parse_object(cfg.source_json, "config.json");
  json["architectures"] = {family.architecture};
  json["model_type"] = cfg.family;
  family.write(cfg, json);
  json["initializer_range"] = cfg.init_std;
  json["tie_word_embeddings"] = cfg.tied;
  write_token_ids(cfg, json);
  json.erase("transformers_version");  // it names the writer, which is not transformers
  json["torch_dtype"] = std::string(dtype);
  json["dtype"] = std::string(dtype);
  return json.dump(2) + "\n";
}

}  // namespace lm::model
