#pragma once
// A language model as data: one ModelCfg with a descriptor per layer. Graph builders, parameter
// lists and checkpoint mappings read only this; a family is a way to spell it in config.json
// (family.h). In memory every field is resolved: no zero means "default".
// Values only, copyable, no pointers; all functions here are pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "ops/op.h"
#include "ops/rope_table.h"

namespace lm::model {

enum class PositionKind : u8 { kLearned, kRope };
enum class FfnKind : u8 { kPlain, kGated };  // down(act(up x))   |   down(act(gate x) * up x)

struct AttentionCfg {
  i64 heads = 0;     // query heads
  i64 kv_heads = 0;  // divides heads
  i64 head_dim = 0;  // independent of width / heads
  bool qkv_bias = false;
  bool out_bias = false;
  RopeConfig rope;  // used when ModelCfg::position is kRope; rotary_dim set
  i64 q_size() const { return heads * head_dim; }
  i64 kv_size() const { return kv_heads * head_dim; }
  i64 qkv_size() const { return q_size() + 2 * kv_size(); }
};

struct FfnCfg {
  FfnKind kind = FfnKind::kPlain;
  Unary act = Unary::kGeluTanh;
  i64 width = 0;
  bool bias = false;
};

/// Pre-norm block: x += attention(norm(x)); x += ffn(norm(x)).
struct LayerCfg {
  AttentionCfg attention;
  FfnCfg ffn;
};

struct ModelCfg {
  std::string family;  // config.json's model_type: "gpt2", "llama"
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

bool same_rope(const RopeConfig& x, const RopeConfig& y);
bool same_layer(const LayerCfg& x, const LayerCfg& y);
/// Same architecture: every field except ids, init_std and source_json.
bool same_shape(const ModelCfg& x, const ModelCfg& y);

/// One line for messages, "llama, 5 layers, width 64, 8/4 heads of 8, ffn 172, vocabulary 512".
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
