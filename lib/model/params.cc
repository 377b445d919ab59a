#include "model/params.h"

#include <cmath>

#include "core/error.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/random.h"
#include "model/layer.h"
#include "model/lora.h"

namespace lm::model {
namespace {

constexpr i64 kInitBlock = 1 << 14;

ModelParams own_params(const ModelCfg& cfg) {
  ModelParams p;
  const bool table = cfg.embed.kind != EmbedKind::kGaussian;
  if (table) add_param(p, "embed.weight", {cfg.vocab, cfg.width}, {0.0f, cfg.init_std});
  if (cfg.embed.drawn()) add_param(p, "embed_scale", {1}, {1.0f});
  if (cfg.position == PositionKind::kLearned)
    add_param(p, "pos_embed.weight", {cfg.context, cfg.width}, {0.0f, cfg.init_std});
  if (cfg.token_types > 0)
    add_param(p, "type_embed.weight", {cfg.token_types, cfg.width}, {0.0f, cfg.init_std});
  if (cfg.embed_norm) add_norm(p, "embed_norm", cfg);
  for (i64 i = 0; i < cfg.depth(); ++i) {
    LayerParams layer(p, cfg, i);
    add_layer_params(cfg.layers[usize(i)], layer);
  }
  if (cfg.kind == ModelKind::kEncoder) return p;
  add_norm(p, "norm", cfg);
  if (cfg.scores > 0)
    add_param(p, "score.weight", {cfg.scores, cfg.width}, {0.0f, cfg.init_std});
  else if (!cfg.tied && table)
    add_param(p, "head.weight", {cfg.vocab, cfg.width}, {0.0f, cfg.init_std});
  return p;
}

void add_value_head(ModelParams& to, const ModelCfg& cfg) {
  add_param(to, "value.weight", {1, cfg.width}, {});
  add_param(to, "value.bias", {1}, {});
}

/// PEFT's rule: A as a linear layer's weight is drawn by default, B zero.
void add_lora(ModelParams& to, const LoraModule& module, i64 rank) {
  const f64 bound = 1 / std::sqrt(static_cast<f64>(module.in));
  add_param(to, module.a(), {rank, module.in}, {.bound = bound});
  add_param(to, module.b(), {module.rows, rank}, {});
}

}  // namespace

void add_param(ModelParams& to, const std::string& name, const Shape& shape,
               const ParamInit& init) {
  to.set.add(name, shape, shape.rank >= 2);
  to.init.push_back(init);
}

void add_norm(ModelParams& to, const std::string& name, const ModelCfg& cfg) {
  add_param(to, name + ".weight", {cfg.width}, {1.0f, 0.0});
  if (cfg.norm == NormKind::kLayer) add_param(to, name + ".bias", {cfg.width}, {});
}

ModelParams make_params(const ModelCfg& cfg) {
  ModelParams own = own_params(cfg);
  if (!cfg.lora) {
    if (cfg.value) add_value_head(own, cfg);
    return own;
  }
  ModelParams out;
  for (const LoraModule& module : lora_modules(cfg, own.set))
    add_lora(out, module, cfg.lora->rank);
  if (cfg.value) add_value_head(out, cfg);
  for (const ParamInfo& info : own.set.list())
    out.set.add(info.name, info.shape, info.decay, false);
  out.init.insert(out.init.end(), own.init.begin(), own.init.end());
  return out;
}

void init_param(const ModelParams& params, i32 index, u64 seed, std::span<f32> out) {
  const ParamInfo& info = params.set[index];
  const ParamInit init = params.init[usize(index)];
  LM_CHECK(isize(out) == info.count, "init_param needs the whole parameter");
  const RandomStream stream(seed, RandomPurpose::kInit, fnv1a64(info.name));
  const f64 mean = static_cast<f64>(init.value);
  parallel_for(info.count, kInitBlock, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      const u64 number = static_cast<u64>(i);
      f64 draw = init.std > 0 ? init.std * stream.normal(number) : 0.0;
      if (init.bound > 0) draw = init.bound * (2 * stream.uniform(number) - 1);
      out[usize(i)] = static_cast<f32>(mean + draw);
    }
  });
}

void init_params(const ModelParams& params, u64 seed, ParamSlab& slab) {
  for (i32 i = 0; i < params.set.size(); ++i) {
    const Tensor t = slab[i];
    init_param(params, i, seed, {t.f32_data(), usize(t.count())});
  }
}

}  // namespace lm::model
