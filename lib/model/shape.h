#pragma once
// New models by description: a named preset and a few numbers give a complete ModelCfg.
// Zero or empty means "what the family does".

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/config.h"

namespace lm::model {

struct ModelShape {
  std::string family = "llama";
  i64 layers = 0;
  i64 width = 0;
  i64 heads = 0;
  i64 kv_heads = 0;  // 0: heads
  i64 head_dim = 0;  // 0: width / heads
  i64 ffn = 0;  // 0: 4*width (gpt2, qlstm, lstm), else 8/3*width rounded up to a multiple of 32
  i64 vocab = 0;
  i64 context = 0;
  i64 window = 0;      // keys that a row sees, itself among them, in every layer (mistral, qwen2,
                       // qwen3); 0: all
  std::string mixers;  // based: of every layer (mixers.h)
  std::string attn;    // which layers attend in patterns: "", dense, alternating, sparse
  std::string sparse;  // these (sparse_layers.h)
  std::string moe;     // which layers are mixtures of experts of `ffn` each, and what these are
                       // (moe_settings.h); with experts llama is the family moe
  f64 norm_eps = 0;    // 0: 1e-5
  f64 rope_theta = 0;  // 0: 10000
  f64 init_std = 0;    // deviation that matrices are drawn with (params.h); 0: 0.02
  std::optional<bool> tied;  // absent: true for gpt2, else false
  /// based: on those of convolutions; llama, qlstm and lstm (there by default): on every
  /// projection; qwen3: on those of attention. The others have theirs or none, whatever is asked.
  std::optional<bool> bias;
};

/// Values of ModelShape::family.
std::vector<std::string> family_names();

/// Names of the presets, smallest first.
std::vector<std::string> preset_names();

/// Throws Error{kUsage} for an unknown name, listing the presets (nearest first).
ModelShape preset(std::string_view name);

/// "PRESET" or "PRESET,key=value,..." or "key=value,..."; keys are ModelShape's field names.
/// Throws Error{kUsage} naming the unknown key or the value that does not parse.
ModelShape parse_shape(std::string_view text);

/// The complete description. Throws Error{kUsage} naming the field that is missing or inconsistent.
ModelCfg make_config(const ModelShape& shape);

}  // namespace lm::model
