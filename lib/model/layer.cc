#include "model/layer.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/str.h"
#include "model/build.h"

namespace lm::model {

LayerParams::LayerParams(ModelParams& to, const ModelCfg& cfg, i64 layer)
    : to_(to), cfg_(cfg), prefix_(cat("blocks.", layer, ".")) {}

void LayerParams::norm(std::string_view name) {
  add_norm(to_, cat(prefix_, name), cfg_);
}

void LayerParams::gain(std::string_view name, i64 size) {
  add_param(to_, cat(prefix_, name, ".weight"), {size}, {1.0f, 0.0});
}

void LayerParams::linear(std::string_view name, i64 out, i64 in, bool bias) {
  add_param(to_, cat(prefix_, name, ".weight"), {out, in}, {0.0f, cfg_.init_std});
  if (bias) add_param(to_, cat(prefix_, name, ".bias"), {out}, {});
}

void LayerParams::taps(std::string_view name, i64 taps, i64 size) {
  const f64 bound = 1 / std::sqrt(static_cast<f64>(taps));
  add_param(to_, cat(prefix_, name, ".weight"), {taps, size}, {.bound = bound});
}

void LayerParams::shift(std::string_view name, i64 size) {
  add_param(to_, cat(prefix_, name, ".bias"), {size}, {});
}

void LayerParams::residual(std::string_view name, i64 in, bool bias, i64 copies) {
  const f64 std = cfg_.init_std / std::sqrt(2.0 * static_cast<f64>(cfg_.depth()));
  add_param(to_, cat(prefix_, name, ".weight"), {copies * cfg_.width, in}, {0.0f, std});
  if (bias) add_param(to_, cat(prefix_, name, ".bias"), {cfg_.width}, {});
}

LayerGraph::LayerGraph(GraphModel& model, i64 layer, Value positions, MixContext& mix)
    : model_(model),
      layer_(layer),
      positions_(positions),
      mix_(mix),
      prefix_(cat("blocks.", layer, ".")) {}

Graph& LayerGraph::graph() const {
  return model_.g_;
}

const ModelCfg& LayerGraph::config() const {
  return model_.cfg_;
}

Value LayerGraph::param(std::string_view name) const {
  return model_.param(cat(prefix_, name));
}

Value LayerGraph::rope_table() const {
  return model_.ropes_[usize(model_.ropes().of_layer(layer_))];
}

Value LayerGraph::norm_at(NormPlace place, std::string_view name, Value x) const {
  if (config().layers[usize(layer_)].norm != place) return x;
  return model_.norm(cat(prefix_, name), x);
}

Value LayerGraph::linear(std::string_view name, Value x, Unary act) const {
  const std::string stem = cat(prefix_, name);
  const Value w = param(cat(name, ".weight"));
  const Value b = param(cat(name, ".bias"));
  if (!model_.adapted(stem)) return lm::linear(graph(), x, w, b, act);
  const Value y = model_.add_low_rank(stem, x, lm::linear(graph(), x, w, b));
  return act == Unary::kNone ? y : unary(graph(), y, act);
}

f32 LayerGraph::dropout_share() const {
  return model_.options_.dropout;
}

const MoeTraining& LayerGraph::moe_training() const {
  return model_.options_.moe;
}

Value LayerGraph::tokens() const {
  if (!model_.tokens_)
    throw Error(ErrorKind::kUsage,
                "experts that follow from tokens (router hash) need rows of tokens, not of "
                "embeddings");
  return model_.tokens_;
}

void LayerGraph::add_router(RouterValues values) const {
  values.layer = layer_;
  model_.routers_.push_back(values);
}

Value LayerGraph::project_add(std::string_view name, Value x, Value residual) const {
  const std::string stem = cat(prefix_, name);
  const Value w = param(cat(name, ".weight"));
  const Value b = param(cat(name, ".bias"));
  const auto adapted = [&](Value y) {
    return model_.adapted(stem) ? model_.add_low_rank(stem, x, y) : y;
  };
  const f32 p = model_.options_.dropout;
  if (p <= 0) return adapted(linear_add(graph(), x, w, b, residual));
  return add(graph(), dropout(graph(), adapted(lm::linear(graph(), x, w, b)), p), residual);
}

namespace {

template <typename Variant>
bool same_part(const Variant& x, const Variant& y) {
  return x.index() == y.index() &&
         std::visit(
             [&](const auto& one) { return same(one, std::get<std::decay_t<decltype(one)>>(y)); },
             x);
}

}  // namespace

bool same_layer(const LayerCfg& x, const LayerCfg& y) {
  return x.norm == y.norm && same_part(x.mixer, y.mixer) && same_part(x.ffn, y.ffn);
}

void check_layer(const LayerCfg& layer, const ModelCfg& cfg, std::string_view name) {
  std::visit([&](const auto& mixer) { check(mixer, cfg, name); }, layer.mixer);
  std::visit([&](const auto& ffn) { check(ffn, cfg, name); }, layer.ffn);
}

std::string describe_layer(const LayerCfg& layer) {
  const auto text = [](const auto& part) { return describe(part); };
  return cat(std::visit(text, layer.mixer), ", ", std::visit(text, layer.ffn));
}

void add_layer_params(const LayerCfg& layer, LayerParams& to) {
  std::visit([&](const auto& mixer) { add_params(mixer, to); }, layer.mixer);
  std::visit([&](const auto& ffn) { add_params(ffn, to); }, layer.ffn);
}

Value build_layer(const LayerCfg& layer, LayerGraph& at, Value x) {
  x = std::visit([&](const auto& mixer) { return build(mixer, at, x); }, layer.mixer);
  return std::visit([&](const auto& ffn) { return build(ffn, at, x); }, layer.ffn);
}

f64 layer_flops(const LayerCfg& layer, i64 width, i64 seq_len) {
  return std::visit([&](const auto& mixer) { return useful_flops(mixer, width, seq_len); },
                    layer.mixer) +
         std::visit([&](const auto& ffn) { return useful_flops(ffn, width); }, layer.ffn);
}

bool reads_prefixes(const ModelCfg& cfg) {
  return std::any_of(cfg.layers.begin(), cfg.layers.end(), [](const LayerCfg& layer) {
    const auto* const linear = std::get_if<LinearAttentionCfg>(&layer.mixer);
    return linear != nullptr && linear->prefix;
  });
}

i64 state_numbers(const ModelCfg& cfg, i64 layers) {
  i64 numbers = 0;
  for (i64 i = 0; i < layers; ++i)
    numbers += std::visit([](const auto& mixer) { return state_numbers(mixer); },
                          cfg.layers[usize(i)].mixer);
  return numbers;
}

i64 state_numbers(const ModelCfg& cfg) {
  return state_numbers(cfg, cfg.depth());
}

i64 cache_token_bytes(const ModelCfg& cfg, DType dtype) {
  i64 numbers = 0;
  for (const LayerCfg& layer : cfg.layers)
    numbers += std::visit([](const auto& mixer) { return cached_numbers(mixer); }, layer.mixer);
  return numbers * item_bytes(dtype);
}

}  // namespace lm::model
