#include "model/params.h"

#include <cmath>
#include <string>

#include "core/error.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/str.h"

namespace lm::model {
namespace {

constexpr i64 kInitBlock = 1 << 14;

void add(ModelParams& p, const std::string& name, const Shape& shape, const ParamInit& init) {
  p.set.add(name, shape, shape.rank >= 2);
  p.init.push_back(init);
}

void add_linear(ModelParams& p, const std::string& name, i64 out, i64 in, bool bias, f64 std) {
  add(p, name + ".weight", {out, in}, {0.0f, std});
  if (bias) add(p, name + ".bias", {out}, {});
}

void add_norm(ModelParams& p, const std::string& name, const ModelCfg& cfg) {
  add(p, name + ".weight", {cfg.width}, {1.0f, 0.0});
  if (cfg.norm == NormKind::kLayer) add(p, name + ".bias", {cfg.width}, {});
}

void add_layer(ModelParams& p, const ModelCfg& cfg, i64 i, f64 residual_std) {
  const LayerCfg& layer = cfg.layers[usize(i)];
  const AttentionCfg& a = layer.attention;
  const std::string block = cat("blocks.", i, ".");
  add_norm(p, block + "attn_norm", cfg);
  add_linear(p, block + "attn.qkv", a.qkv_size(), cfg.width, a.qkv_bias, cfg.init_std);
  add_linear(p, block + "attn.out", cfg.width, a.q_size(), a.out_bias, residual_std);
  add_norm(p, block + "mlp_norm", cfg);
  const FfnCfg& f = layer.ffn;
  if (f.kind == FfnKind::kGated)
    add_linear(p, block + "mlp.gate_up", 2 * f.width, cfg.width, f.bias, cfg.init_std);
  else
    add_linear(p, block + "mlp.up", f.width, cfg.width, f.bias, cfg.init_std);
  add_linear(p, block + "mlp.down", cfg.width, f.width, f.bias, residual_std);
}

}  // namespace

ModelParams make_params(const ModelCfg& cfg) {
  ModelParams p;
  add(p, "embed.weight", {cfg.vocab, cfg.width}, {0.0f, cfg.init_std});
  if (cfg.position == PositionKind::kLearned)
    add(p, "pos_embed.weight", {cfg.context, cfg.width}, {0.0f, cfg.init_std});
  const f64 residual_std = cfg.init_std / std::sqrt(2.0 * static_cast<f64>(cfg.depth()));
  for (i64 i = 0; i < cfg.depth(); ++i)
    add_layer(p, cfg, i, residual_std);
  add_norm(p, "norm", cfg);
  if (!cfg.tied) add(p, "head.weight", {cfg.vocab, cfg.width}, {0.0f, cfg.init_std});
  return p;
}

void init_param(const ModelParams& params, i32 index, u64 seed, std::span<f32> out) {
  const ParamInfo& info = params.set[index];
  const ParamInit init = params.init[usize(index)];
  LM_CHECK(isize(out) == info.count, "init_param needs the whole parameter");
  const RandomStream stream(seed, RandomPurpose::kInit, fnv1a64(info.name));
  const f64 mean = static_cast<f64>(init.value);
  parallel_for(info.count, kInitBlock, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      const f64 draw = init.std > 0 ? init.std * stream.normal(static_cast<u64>(i)) : 0.0;
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
