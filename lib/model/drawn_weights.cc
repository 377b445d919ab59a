#include "model/drawn_weights.h"

#include <algorithm>

#include "core/error.h"

namespace lm::model {

ModelCfg plain_config(const ModelCfg& cfg, bool drawn) {
  ModelCfg out = cfg;
  if (cfg.embed.drawn() && drawn) out.tied = false;
  out.embed = {};
  return out;
}

DrawnWeights::DrawnWeights(SafeModel files, const ModelCfg& cfg, const ParamSet& params,
                           const std::optional<EmbedDraw>& draw)
    : stored_params_(make_params(cfg)),
      stored_(std::move(files), cfg, stored_params_.set),
      embed_param_(params.find("embed.weight")) {
  const i32 head = params.find("head.weight");
  for (i32 i = 0; i < params.size(); ++i) {
    const bool table = draw && (i == embed_param_ || i == head);
    stored_at_.push_back(table ? -1 : stored_params_.set.find(params[i].name));
    LM_CHECK(table || stored_at_.back() >= 0, "a drawn table, or a stored parameter");
  }
  if (draw) fill(cfg, *draw);
}

OwnedTensor DrawnWeights::read(std::string_view name) const {
  const i32 param = stored_params_.set.find(name);
  OwnedTensor out(stored_params_.set[param].shape);
  stored_.hold(param);
  copy_convert(stored_[param], out.view);
  stored_.drop(param);
  return out;
}

// The head in the order of operations of training (objective_drawn.cc), so that its bits are the
// same.
void DrawnWeights::fill(const ModelCfg& cfg, const EmbedDraw& draw) {
  const bool semi = cfg.embed.kind == EmbedKind::kSemi;
  const i64 width = cfg.width;
  embed_ = OwnedTensor({cfg.vocab, width});
  head_ = OwnedTensor({cfg.vocab, width});
  std::vector<i32> learned(usize(semi ? cfg.vocab : 0));
  f32* const in = embed_.view.f32_data();
  f32* const out = head_.view.f32_data();
  draw_embeddings(cfg.embed, draw, width, {in, usize(cfg.vocab * width)}, learned);
  const f32 scale = *stored_[stored_params_.set.find("embed_scale")].f32_data();
  const f32 factor = embed_factor(width);
  for (i64 i = 0; i < cfg.vocab * width; ++i)
    out[i] = factor * (in[i] * scale);
  if (!semi) return;
  const OwnedTensor own_in = read("embed.weight");
  const OwnedTensor own_out = cfg.tied ? OwnedTensor() : read("head.weight");
  for (i64 v = 0; v < cfg.vocab; ++v) {
    if (learned[usize(v)] < 0) continue;
    std::copy_n(own_in.view.f32_data() + v * width, width, in + v * width);
    std::copy_n((cfg.tied ? own_in : own_out).view.f32_data() + v * width, width, out + v * width);
  }
}

Tensor DrawnWeights::operator[](i32 param) const {
  const i32 at = stored_at_[usize(param)];
  if (at >= 0) return stored_[at];
  return param == embed_param_ ? embed_.view : head_.view;
}

std::vector<Tensor> DrawnWeights::parts(i32 param) const {
  const i32 at = stored_at_[usize(param)];
  if (at >= 0) return stored_.parts(at);
  return {(*this)[param]};
}

void DrawnWeights::hold(i32 param) const {
  if (stored_at_[usize(param)] >= 0) stored_.hold(stored_at_[usize(param)]);
}

void DrawnWeights::drop(i32 param) const {
  if (stored_at_[usize(param)] >= 0) stored_.drop(stored_at_[usize(param)]);
}

}  // namespace lm::model
