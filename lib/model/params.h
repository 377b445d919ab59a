#pragma once
// The parameters a ModelCfg implies, in model order (embeddings, layers, final norm, head), with
// their initial distributions; before them those of adapters, beside which the rest is frozen. The
// flat slabs over them are graph/params.h's. Names: embed.weight, pos_embed.weight,
// type_embed.weight, embed_norm.{weight,bias}, embed_scale [1], those of layer I from blocks.I on
// (layer.h), norm.{weight,bias}, head.weight or score.weight, value.{weight,bias}. Matrices are
// [out, in].

#include <span>
#include <string>
#include <vector>

#include "core/types.h"
#include "graph/params.h"
#include "model/config.h"

namespace lm::model {

/// value + std * standard normal, or value + uniform in [-bound, bound); both 0 is a constant (1
/// for norm gains, 0 for biases).
struct ParamInit {
  f32 value = 0;
  f64 std = 0;
  f64 bound = 0;
};

struct ModelParams {
  ParamSet set;
  std::vector<ParamInit> init;  // by parameter index
};

/// One more parameter. Weight decay applies to matrices.
void add_param(ModelParams& to, const std::string& name, const Shape& shape, const ParamInit& init);
/// The model's kind of norm over its width.
void add_norm(ModelParams& to, const std::string& name, const ModelCfg& cfg);

/// O(layers), no allocation of weights. Weight decay applies to matrices, not to norms and biases.
/// GPT-2's rule for std: init_std, and init_std/sqrt(2*layers) for the two projections that write
/// to the residual stream.
ModelParams make_params(const ModelCfg& cfg);

/// Fills out with parameter `index`'s initial values: draw number = element index of the stream
/// named by the parameter. Independent of other parameters, of threads and of creation order.
void init_param(const ModelParams& params, i32 index, u64 seed, std::span<f32> out);

/// All parameters of a slab. Padding stays as it is.
void init_params(const ModelParams& params, u64 seed, ParamSlab& slab);

}  // namespace lm::model
