#include "model/score_head.h"

#include <cstring>

#include "core/error.h"
#include "core/str.h"
#include "tensor/tensor.h"

namespace lm::model {

namespace {

/// `out` with all that `from` has too.
Model taken_over(Model from, Model out) {
  for (i32 i = 0; i < out.params->set.size(); ++i) {
    const i32 source = from.params->set.find(out.params->set[i].name);
    if (source < 0) continue;
    const Tensor value = from.weights[source];
    std::memcpy(out.weights[i].data, value.data, usize(value.count()) * sizeof(f32));
  }
  out.stored = from.stored;
  out.generation_json = std::move(from.generation_json);
  out.folder = std::move(from.folder);
  return out;
}

}  // namespace

Model with_score_head(Model from, u64 seed, i64 world_size) {
  if (from.cfg.scores > 1)
    throw Error(ErrorKind::kUsage, cat(from.folder, ": a head of ", from.cfg.scores,
                                       " scores, expected one of a single score"));
  if (from.cfg.scores == 1) return from;
  ModelCfg cfg = from.cfg;
  cfg.scores = 1;
  return taken_over(std::move(from), new_model(cfg, seed, world_size));
}

void require_score_head(const ModelCfg& cfg, std::string_view folder) {
  if (cfg.kind == ModelKind::kDecoder && cfg.scores == 1) return;
  throw Error(ErrorKind::kData,
              cat(folder, ": ", describe(cfg), ", expected a model with a head of one score"),
              "lm-train --objective reward makes one");
}

std::vector<f32> score_head(const ModelRef& model) {
  const i32 param = model.params.set.find("score.weight");
  LM_CHECK(param >= 0 && model.cfg.scores == 1, "a model with one score");
  model.weights.hold(param);
  std::vector<f32> out(usize(model.cfg.width));
  copy_convert(model.weights[param], make_tensor(out.data(), {1, model.cfg.width}));
  model.weights.drop(param);
  return out;
}

Model with_value_head(Model from) {
  ModelCfg cfg = from.cfg;
  cfg.value = true;
  return taken_over(std::move(from), new_model(cfg, 0));
}

}  // namespace lm::model
