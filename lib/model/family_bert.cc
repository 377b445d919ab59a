// BERT and RoBERTa: encoders with learned positions, token types, a norm behind the embeddings and
// behind each part, biases everywhere, a 4C feed-forward part with the exact GELU. RoBERTa's
// positions begin behind that of padding. What makes words or classes of their last states (pooler,
// heads) is no part of the model here and is skipped.

#include <array>

#include "core/str.h"
#include "model/family.h"

namespace lm::model {
namespace {

constexpr MapRow kRows[] = {
    {"embeddings.word_embeddings.weight", "embed.weight"},
    {"embeddings.position_embeddings.weight", "pos_embed.weight"},
    {"embeddings.token_type_embeddings.weight", "type_embed.weight"},
    {"embeddings.LayerNorm.weight", "embed_norm.weight"},
    {"embeddings.LayerNorm.bias", "embed_norm.bias"},
    {"encoder.layer.{}.attention.self.query.weight", "blocks.{}.attn.qkv.weight", RowPart::kQuery},
    {"encoder.layer.{}.attention.self.key.weight", "blocks.{}.attn.qkv.weight", RowPart::kKey},
    {"encoder.layer.{}.attention.self.value.weight", "blocks.{}.attn.qkv.weight", RowPart::kValue},
    {"encoder.layer.{}.attention.self.query.bias", "blocks.{}.attn.qkv.bias", RowPart::kQuery},
    {"encoder.layer.{}.attention.self.key.bias", "blocks.{}.attn.qkv.bias", RowPart::kKey},
    {"encoder.layer.{}.attention.self.value.bias", "blocks.{}.attn.qkv.bias", RowPart::kValue},
    {"encoder.layer.{}.attention.output.dense.weight", "blocks.{}.attn.out.weight"},
    {"encoder.layer.{}.attention.output.dense.bias", "blocks.{}.attn.out.bias"},
    {"encoder.layer.{}.attention.output.LayerNorm.weight", "blocks.{}.attn_norm.weight"},
    {"encoder.layer.{}.attention.output.LayerNorm.bias", "blocks.{}.attn_norm.bias"},
    {"encoder.layer.{}.intermediate.dense.weight", "blocks.{}.mlp.up.weight"},
    {"encoder.layer.{}.intermediate.dense.bias", "blocks.{}.mlp.up.bias"},
    {"encoder.layer.{}.output.dense.weight", "blocks.{}.mlp.down.weight"},
    {"encoder.layer.{}.output.dense.bias", "blocks.{}.mlp.down.bias"},
    {"encoder.layer.{}.output.LayerNorm.weight", "blocks.{}.mlp_norm.weight"},
    {"encoder.layer.{}.output.LayerNorm.bias", "blocks.{}.mlp_norm.bias"},
};

// A buffer of older writers; the pooler; the heads that pre-training leaves.
constexpr const char* kBertIgnored[] = {"embeddings.position_ids",
                                        "pooler.dense.weight",
                                        "pooler.dense.bias",
                                        "cls.predictions.bias",
                                        "cls.predictions.decoder.weight",
                                        "cls.predictions.decoder.bias",
                                        "cls.predictions.transform.dense.weight",
                                        "cls.predictions.transform.dense.bias",
                                        "cls.predictions.transform.LayerNorm.weight",
                                        "cls.predictions.transform.LayerNorm.bias",
                                        "cls.seq_relationship.weight",
                                        "cls.seq_relationship.bias"};
constexpr const char* kRobertaIgnored[] = {"embeddings.position_ids",   "pooler.dense.weight",
                                           "pooler.dense.bias",         "lm_head.bias",
                                           "lm_head.dense.weight",      "lm_head.dense.bias",
                                           "lm_head.layer_norm.weight", "lm_head.layer_norm.bias",
                                           "lm_head.decoder.weight",    "lm_head.decoder.bias"};

constexpr std::array<Unary, 4> kActs = {Unary::kGeluErf, Unary::kGeluTanh, Unary::kRelu,
                                        Unary::kSilu};

void parse(const JsonNode& json, ModelCfg& cfg) {
  cfg.kind = ModelKind::kEncoder;
  cfg.vocab = json.integer("vocab_size", 1, kMaxVocab);
  cfg.width = json.integer("hidden_size", 1, kMaxWidth);
  cfg.context = json.integer("max_position_embeddings", 1, kMaxContext);
  cfg.norm = NormKind::kLayer;
  cfg.norm_eps = json.number_or("layer_norm_eps", 1e-12, 0.0, 1.0);
  cfg.position = PositionKind::kLearned;
  cfg.token_types = json.integer_or("type_vocab_size", 2, 1, kMaxVocab);
  cfg.embed_norm = true;
  cfg.tied = json.flag_or("tie_word_embeddings", true);
  if (json.text_or("position_embedding_type", "absolute") != "absolute")
    json.fail("position_embedding_type", "\"absolute\"");
  for (const char* other : {"is_decoder", "add_cross_attention"})
    if (json.flag_or(other, false)) json.fail(other, "false");

  AttentionCfg a;
  FfnCfg ffn;
  a.heads = json.integer("num_attention_heads", 1, kMaxHeads);
  if (cfg.width % a.heads != 0)
    json.fail("num_attention_heads", cat("a divisor of hidden_size ", cfg.width));
  a.kv_heads = a.heads;
  a.head_dim = cfg.width / a.heads;
  a.qkv_bias = true;
  a.out_bias = true;
  ffn.kind = FfnKind::kPlain;
  ffn.act = parse_act(json, "hidden_act", Unary::kGeluErf, kActs);
  ffn.width = json.integer("intermediate_size", 1, 4 * kMaxWidth);
  ffn.bias = true;
  cfg.layers.assign(usize(json.integer("num_hidden_layers", 1, kMaxLayers)),
                    {a, ffn, NormPlace::kBehind});
}

void parse_roberta(const JsonNode& json, ModelCfg& cfg) {
  parse(json, cfg);
  cfg.first_position = json.integer_or("pad_token_id", 1, 0, kMaxVocab) + 1;
}

void write(const ModelCfg& cfg, Json& json) {
  const LayerCfg& layer = cfg.layers.front();
  const FfnCfg& ffn = std::get<FfnCfg>(layer.ffn);
  json["vocab_size"] = cfg.vocab;
  json["hidden_size"] = cfg.width;
  json["num_hidden_layers"] = cfg.depth();
  json["num_attention_heads"] = std::get<AttentionCfg>(layer.mixer).heads;
  json["intermediate_size"] = ffn.width;
  json["hidden_act"] = act_name(ffn.act);
  json["max_position_embeddings"] = cfg.context;
  json["type_vocab_size"] = cfg.token_types;
  json["layer_norm_eps"] = cfg.norm_eps;
}

}  // namespace

const Family kBert = {"bert", "BertModel", "bert.", kRows, kBertIgnored, parse, write};
const Family kRoberta = {"roberta",       "RobertaModel", "roberta.", kRows,
                         kRobertaIgnored, parse_roberta,  write};
const Family kXlmRoberta = {"xlm-roberta",   "XLMRobertaModel", "roberta.", kRows,
                            kRobertaIgnored, parse_roberta,     write};

}  // namespace lm::model
