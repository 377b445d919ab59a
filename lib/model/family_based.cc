// Hybrids of short convolutions, linear attention and attention in windows, as Based and JRT stack
// them, under a model_type of this toolkit: RMS norm before each part, SwiGLU, rotary positions in
// the layers that attend, head tied or not, biases of the convolutions as the file says.
//   hidden_size num_hidden_layers intermediate_size vocab_size rms_norm_eps rope_theta
//   max_position_embeddings   tokens of the sequences it was trained on
//   mixers                    of each layer "conv", "linear", "pla" (linear attention that reads a
//                             prefix) or "attention"
//   num_attention_heads head_dim sliding_window   of layers that attend; window null: all tokens
//   linear_num_heads linear_dim linear_head_dim   of linear attention: a query's and a value's size
//   conv_width conv_kernel conv_bias

#include "core/error.h"
#include "core/str.h"
#include "model/family.h"
#include "model/llama_keys.h"

namespace lm::model {
namespace {

constexpr MapRow kRows[] = {
    {"model.embed_tokens.weight", "embed.weight"},
    {"model.layers.{}.conv_norm.weight", "blocks.{}.conv_norm.weight"},
    {"model.layers.{}.conv.in.weight", "blocks.{}.conv.in.weight"},
    {"model.layers.{}.conv.in.bias", "blocks.{}.conv.in.bias"},
    {"model.layers.{}.conv.taps.weight", "blocks.{}.conv.taps.weight"},
    {"model.layers.{}.conv.out.weight", "blocks.{}.conv.out.weight"},
    {"model.layers.{}.conv.out.bias", "blocks.{}.conv.out.bias"},
    {"model.layers.{}.linear_norm.weight", "blocks.{}.linear_norm.weight"},
    {"model.layers.{}.linear.qkv.weight", "blocks.{}.linear.qkv.weight"},
    {"model.layers.{}.linear.prefix.weight", "blocks.{}.linear.prefix.weight"},
    {"model.layers.{}.linear.out.weight", "blocks.{}.linear.out.weight"},
    {"model.layers.{}.attn_norm.weight", "blocks.{}.attn_norm.weight"},
    {"model.layers.{}.attn.qkv.weight", "blocks.{}.attn.qkv.weight"},
    {"model.layers.{}.attn.out.weight", "blocks.{}.attn.out.weight"},
    {"model.layers.{}.mlp_norm.weight", "blocks.{}.mlp_norm.weight"},
    {"model.layers.{}.mlp.gate_up.weight", "blocks.{}.mlp.gate_up.weight"},
    {"model.layers.{}.mlp.down.weight", "blocks.{}.mlp.down.weight"},
    {"model.norm.weight", "norm.weight"},
    {"lm_head.weight", "head.weight"},
    {"score.weight", "score.weight"},
};

AttentionCfg parse_attention(const JsonNode& json) {
  AttentionCfg a;
  a.heads = a.kv_heads = json.integer("num_attention_heads", 1, kMaxHeads);
  a.head_dim = json.integer("head_dim", 1, kMaxWidth);
  a.window = json.integer_or("sliding_window", 0, 1, kMaxContext);
  a.rope.rotary_dim = a.head_dim;
  a.rope.base = json.number_or("rope_theta", 10000.0, 1.0, 1e12);
  return a;
}

LinearAttentionCfg parse_linear(const JsonNode& json, bool prefix) {
  return {json.integer("linear_num_heads", 1, kMaxHeads), json.integer("linear_dim", 1, kMaxDim),
          json.integer("linear_head_dim", 1, kMaxWidth), prefix};
}

ConvCfg parse_conv(const JsonNode& json) {
  return {json.integer("conv_width", 1, 4 * kMaxWidth), json.integer("conv_kernel", 1, kMaxTaps),
          json.flag_or("conv_bias", false)};
}

void parse(const JsonNode& json, ModelCfg& cfg) {
  cfg.vocab = json.integer("vocab_size", 1, kMaxVocab);
  cfg.width = json.integer("hidden_size", 1, kMaxWidth);
  cfg.context = json.integer("max_position_embeddings", 1, kMaxContext);
  cfg.norm = NormKind::kRms;
  cfg.norm_eps = json.number_or("rms_norm_eps", 1e-5, 0.0, 1.0);
  cfg.position = PositionKind::kRope;
  cfg.tied = json.flag_or("tie_word_embeddings", false);
  FfnCfg ffn;
  ffn.kind = FfnKind::kGated;
  ffn.act = Unary::kSilu;
  ffn.width = json.integer("intermediate_size", 1, 4 * kMaxWidth);
  json.array("mixers").each_item([&](const JsonNode& item) {
    const std::string_view name = item.as_string().value_or("");
    if (name == "conv")
      cfg.layers.push_back({parse_conv(json), ffn});
    else if (name == "linear" || name == "pla")
      cfg.layers.push_back({parse_linear(json, name == "pla"), ffn});
    else if (name == "attention")
      cfg.layers.push_back({parse_attention(json), ffn});
    else
      json.fail("mixers", "names among \"conv\", \"linear\", \"pla\" and \"attention\"");
  });
  if (cfg.depth() != parse_depth(json))
    json.fail("mixers", cat(parse_depth(json), " names, as num_hidden_layers says"));
}

void write(const ModelCfg& cfg, Json& json) {
  json["vocab_size"] = cfg.vocab;
  json["hidden_size"] = cfg.width;
  json["num_hidden_layers"] = cfg.depth();
  json["intermediate_size"] = ffn_of(cfg.layers.front()).width;
  json["max_position_embeddings"] = cfg.context;
  json["rms_norm_eps"] = cfg.norm_eps;
  json["mixers"] = Json::array();
  for (const LayerCfg& layer : cfg.layers) {
    if (const ConvCfg* const conv = std::get_if<ConvCfg>(&layer.mixer)) {
      json["mixers"].push_back("conv");
      json["conv_width"] = conv->inner;
      json["conv_kernel"] = conv->taps;
      json["conv_bias"] = conv->bias;
    } else if (const LinearAttentionCfg* const a = std::get_if<LinearAttentionCfg>(&layer.mixer)) {
      json["mixers"].push_back(a->prefix ? "pla" : "linear");
      json["linear_num_heads"] = a->heads;
      json["linear_dim"] = a->dim;
      json["linear_head_dim"] = a->head_dim;
    } else {
      const AttentionCfg& attention = attention_of(layer);
      json["mixers"].push_back("attention");
      json["num_attention_heads"] = attention.heads;
      json["head_dim"] = attention.head_dim;
      json["sliding_window"] = attention.window > 0 ? Json(attention.window) : Json(nullptr);
      json["rope_theta"] = attention.rope.base;
    }
  }
}

}  // namespace

const Family kBased = {"based", "BasedForCausalLM", "model.", kRows, {}, parse, write};

}  // namespace lm::model
