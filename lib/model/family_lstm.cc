// The recurrent models of the Languini Kitchen, quasi-LSTM and LSTM, under model_types of this
// toolkit (no other has them): LayerNorm before each part, no positions, a cell (cell_layer.h) and
// a feed-forward part with the tanh GELU, biases as the file says, head tied or not. The rows of
// gates.weight, and of an LSTM's recurrent.weight, are f, i, z, o.
//   hidden_size num_hidden_layers num_heads head_dim intermediate_size vocab_size
//   max_position_embeddings   tokens of the sequences it was trained on; texts may be longer
//   layer_norm_eps use_bias tie_word_embeddings

#include <array>

#include "core/str.h"
#include "model/family.h"
#include "model/llama_keys.h"

namespace lm::model {
namespace {

constexpr MapRow kRows[] = {
    {"model.embed_tokens.weight", "embed.weight"},
    {"model.layers.{}.cell_norm.weight", "blocks.{}.cell_norm.weight"},
    {"model.layers.{}.cell_norm.bias", "blocks.{}.cell_norm.bias"},
    {"model.layers.{}.cell.gates.weight", "blocks.{}.cell.gates.weight"},
    {"model.layers.{}.cell.gates.bias", "blocks.{}.cell.gates.bias"},
    {"model.layers.{}.cell.recurrent.weight", "blocks.{}.cell.recurrent.weight"},
    {"model.layers.{}.cell.out.weight", "blocks.{}.cell.out.weight"},
    {"model.layers.{}.cell.out.bias", "blocks.{}.cell.out.bias"},
    {"model.layers.{}.mlp_norm.weight", "blocks.{}.mlp_norm.weight"},
    {"model.layers.{}.mlp_norm.bias", "blocks.{}.mlp_norm.bias"},
    {"model.layers.{}.mlp.up.weight", "blocks.{}.mlp.up.weight"},
    {"model.layers.{}.mlp.up.bias", "blocks.{}.mlp.up.bias"},
    {"model.layers.{}.mlp.down.weight", "blocks.{}.mlp.down.weight"},
    {"model.layers.{}.mlp.down.bias", "blocks.{}.mlp.down.bias"},
    {"model.norm.weight", "norm.weight"},
    {"model.norm.bias", "norm.bias"},
    {"lm_head.weight", "head.weight"},
    {"score.weight", "score.weight"},
};

constexpr std::array<Unary, 3> kActs = {Unary::kGeluTanh, Unary::kGeluErf, Unary::kRelu};

void parse_cells(const JsonNode& json, bool recurrent, ModelCfg& cfg) {
  cfg.vocab = json.integer("vocab_size", 1, kMaxVocab);
  cfg.width = json.integer("hidden_size", 1, kMaxWidth);
  cfg.context = json.integer("max_position_embeddings", 1, kMaxContext);
  cfg.norm = NormKind::kLayer;
  cfg.norm_eps = json.number_or("layer_norm_eps", 1e-5, 0.0, 1.0);
  cfg.position = PositionKind::kNone;
  cfg.tied = json.flag_or("tie_word_embeddings", false);
  CellCfg cell;
  cell.recurrent = recurrent;
  FfnCfg ffn;
  cell.heads = json.integer("num_heads", 1, kMaxHeads);
  cell.head_dim = json.integer("head_dim", 1, kMaxWidth);
  cell.bias = ffn.bias = json.flag_or("use_bias", true);
  ffn.kind = FfnKind::kPlain;
  ffn.act = parse_act(json, "hidden_act", Unary::kGeluTanh, kActs);
  ffn.width = json.integer("intermediate_size", 1, 4 * kMaxWidth);
  cfg.layers.assign(usize(parse_depth(json)), {cell, ffn});
}

void parse_qlstm(const JsonNode& json, ModelCfg& cfg) {
  parse_cells(json, false, cfg);
}

void parse_lstm(const JsonNode& json, ModelCfg& cfg) {
  parse_cells(json, true, cfg);
}

void write(const ModelCfg& cfg, Json& json) {
  const CellCfg& cell = std::get<CellCfg>(cfg.layers.front().mixer);
  const FfnCfg& ffn = ffn_of(cfg.layers.front());
  json["vocab_size"] = cfg.vocab;
  json["hidden_size"] = cfg.width;
  json["num_hidden_layers"] = cfg.depth();
  json["num_heads"] = cell.heads;
  json["head_dim"] = cell.head_dim;
  json["intermediate_size"] = ffn.width;
  json["hidden_act"] = act_name(ffn.act);
  json["max_position_embeddings"] = cfg.context;
  json["layer_norm_eps"] = cfg.norm_eps;
  json["use_bias"] = cell.bias;
}

}  // namespace

const Family kQlstm = {"qlstm", "QuasiLstmForCausalLM", "model.", kRows, {}, parse_qlstm, write};
const Family kLstm = {"lstm", "LstmForCausalLM", "model.", kRows, {}, parse_lstm, write};

}  // namespace lm::model
