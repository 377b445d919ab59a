#pragma once
// Low-rank adapters that are trained: beside chosen matrices of a model's layers stands scale B A,
// and everything else is frozen. Their parameters (params.h) come before the model's; adapter.h
// reads what write_adapter() writes, as PEFT does.
//
// Source: E. Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2022: A is drawn, B is
// zero, so that training begins with the model itself.

#include <string>
#include <vector>

#include "core/types.h"

namespace lm {
class ParamSet;
}

namespace lm::model {

struct Model;
struct ModelCfg;

struct LoraCfg {
  i64 rank = 8;
  f64 alpha = 16;
  bool rank_stabilised = false;  // the scale is alpha / sqrt(rank), not alpha / rank
  f64 dropout = 0;               // on what the adapters read
  /// Modules as the checkpoint names them, or the ends of their names from a dot on ("q_proj");
  /// empty: all matrices of layers.
  std::vector<std::string> targets;
  std::string base;  // the model's folder, for adapter_config.json
  f64 scale() const;
};

/// Everything but the base.
bool same(const LoraCfg& x, const LoraCfg& y);

/// "lora of rank 8 beside q_proj, v_proj".
std::string describe(const LoraCfg& lora);

/// A matrix of a layer: rows [row, row + rows) of a parameter, which is [.., in].
struct LoraModule {
  std::string module;  // "model.layers.0.self_attn.q_proj"
  std::string param;   // without ".weight": "blocks.0.attn.qkv"
  i64 row = 0;
  i64 rows = 0;
  i64 in = 0;
  std::string a() const;  // names of its factors' parameters: [rank, in] and [rows, rank]
  std::string b() const;
};

/// The matrices of the layers that have adapters, in the order of the parameters and their rows.
/// params: the model's own. Throws Error{kUsage} naming a target that is no such matrix, with those
/// that are.
std::vector<LoraModule> lora_modules(const ModelCfg& cfg, const ParamSet& params);

/// adapter_config.json and adapter_model.safetensors (f32) into an existing folder, from a model
/// whose configuration has adapters; its weights may hold those alone. Throws Error{kCannotCreate,
/// kIo}.
void write_adapter(const std::string& folder, const Model& model);
/// The factors of such a folder into the model's weights. Throws Error{kNoInput}, and Error{kData}
/// naming the tensor that is missing or of another shape.
void read_adapter(const std::string& folder, Model& model);

}  // namespace lm::model
