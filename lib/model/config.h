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
#include "model/ffn_layer.h"
#include "ops/op.h"

namespace lm::model {

enum class PositionKind : u8 { kLearned, kRope };

/// Pre-norm block: x += mixer(norm(x)); x += ffn(norm(x)). Each part is one of the alternatives
/// that layer.h asks.
struct LayerCfg {
  std::variant<AttentionCfg> mixer;
  std::variant<FfnCfg> ffn;
};

struct ModelCfg {
  std::string family;  // config.json's model_type, as "llama"
  i64 vocab = 0;       // rows of the embedding
  i64 width = 0;       // hidden size C
  i64 context = 0;     // positions the model was made for; rows of a learned table
  NormKind norm = NormKind::kLayer;
  f64 norm_eps = 1e-5;
  PositionKind position = PositionKind::kLearned;
  bool tied = true;  // the head is the embedding
  f64 init_std = 0.02;
  std::vector<LayerCfg> layers;
  std::optional<i32> bos;
  std::vector<i32> eos;  // as config.json has them
  std::vector<i32>
      end_ids;  // what ends a text: eos and generation_config.json's, sorted; not written
  std::optional<i32> pad;
  /// config.json as read, or empty: keys we do not own survive a rewrite.
  std::string source_json;
  i64 depth() const { return isize(layers); }
};

/// Same architecture: every field except ids, init_std and source_json.
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

}  // namespace lm::model
