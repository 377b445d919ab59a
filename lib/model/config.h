#pragma once
// A language model as data: one ModelCfg with a descriptor per layer (layer.h). Graph builders,
// parameter lists and checkpoint mappings read only this; a family is a way to spell it in
// config.json (family.h). In memory every field is resolved: no zero means "default". Values only,
// copyable, no pointers; all functions here are pure.

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/types.h"
#include "model/attention_layer.h"
#include "model/cell_layer.h"
#include "model/conv_layer.h"
#include "model/drawn_embeddings.h"
#include "model/ffn_layer.h"
#include "model/linear_attention_layer.h"
#include "model/lora.h"
#include "model/moe_layer.h"
#include "ops/op.h"

namespace lm::model {

enum class PositionKind : u8 { kLearned, kRope, kNone };

/// A decoder's rows see what is before them, and it has a last norm and a head, which predicts the
/// next token. An encoder's rows see all of their text; it ends with its last layer.
enum class ModelKind : u8 { kDecoder, kEncoder };

/// Where a layer's norms stand: x += part(norm(x)), or x = norm(x + part(x)).
enum class NormPlace : u8 { kBefore, kBehind };

/// Two parts, each with a residual and a norm: the mixer, then ffn. Each is one of the alternatives
/// that layer.h asks.
struct LayerCfg {
  std::variant<AttentionCfg, CellCfg, ConvCfg, LinearAttentionCfg> mixer;
  std::variant<FfnCfg, MoeCfg> ffn;
  NormPlace norm = NormPlace::kBefore;
};

/// Of a model of masked diffusion (diffusion.h): its rows see their whole text, or their block and
/// those before, and say which token each mask token hides.
struct DiffusionCfg {
  i32 mask = -1;  // the token that hides others; it is never predicted
  i64 block = 0;  // tokens of a block; 0: whole texts
  bool operator==(const DiffusionCfg&) const = default;
};

struct ModelCfg {
  std::string family;  // config.json's model_type, as "llama"
  ModelKind kind = ModelKind::kDecoder;
  i64 vocab = 0;    // rows of the embedding
  i64 width = 0;    // hidden size C
  i64 context = 0;  // positions the model was made for; rows of a learned table
  NormKind norm = NormKind::kLayer;
  f64 norm_eps = 1e-5;
  PositionKind position = PositionKind::kLearned;
  i64 first_position = 0;   // of a text's first token
  i64 token_types = 0;      // rows of a table whose first is added to every token's embedding
  bool embed_norm = false;  // a norm behind the embeddings
  bool tied = true;         // the head is the embedding
  EmbedCfg embed;           // whether the embedding and the head are learnt or drawn
  i64 scores = 0;           // rows of a head that scores texts by their last token's state, which
                            // then stands in the place of the next token's; 0: none
  bool value = false;       // a guess of the return beside the next token's head, while a policy is
                            // trained; model folders have none
  f64 init_std = 0.02;
  std::vector<LayerCfg> layers;
  std::optional<DiffusionCfg> diffusion;
  /// Adapters that are trained beside the layers' matrices, everything else being frozen; they are
  /// written to a folder of their own (lora.h), not to config.json.
  std::optional<LoraCfg> lora;
  std::optional<i32> bos;
  std::vector<i32> eos;  // as config.json has them
  std::vector<i32>
      end_ids;  // what ends a text: eos and generation_config.json's, sorted; not written
  std::optional<i32> pad;
  /// config.json as read, or empty: keys we do not own survive a rewrite.
  std::string source_json;
  i64 depth() const { return isize(layers); }
};

/// Same architecture: every field except ids, value, init_std and source_json.
bool same_shape(const ModelCfg& x, const ModelCfg& y);

/// One line for messages, "llama, 5 layers, width 64, 8/4 heads of 8, ffn 172, vocabulary 512". The
/// first layer speaks for all, or the first "to" the last where those differ.
std::string describe(const ModelCfg& cfg);

/// Reads config.json text. name is the file, for messages. Throws Error{kData}: not JSON, an
/// unknown model_type (names it and the supported ones), a missing, mistyped or impossible value
/// (names the key).
ModelCfg parse_config(std::string_view json, std::string_view name);

/// config.json text with both spellings of renamed keys (torch_dtype and dtype; rope_theta with
/// rope_scaling, and rope_parameters); unknown keys of source_json are kept in their place.
/// dtype: "float32", "bfloat16" or "float16", the type of the weights beside it.
std::string write_config(const ModelCfg& cfg, std::string_view dtype);

/// Throws Error{kData} with the first inconsistency of cfg as "name: key ...".
void check_config(const ModelCfg& cfg, std::string_view name);

/// Throws Error{kData} naming the folder unless cfg is a decoder with a head for the next token:
/// for programs that predict tokens from those before.
void require_decoder(const ModelCfg& cfg, std::string_view folder);

/// Throws Error{kUsage} "WHAT need layers ..." unless every layer attends to all that its rows may
/// see: for rows that see what is behind them (prefixes, blocks, whole texts).
void require_whole_sight(const ModelCfg& cfg, std::string_view what);

}  // namespace lm::model
