#include "model/score_head.h"

#include <cstring>

#include "core/error.h"
#include "core/str.h"

namespace lm::model {

Model with_score_head(Model from, u64 seed, i64 world_size) {
  if (from.cfg.scores > 1)
    throw Error(ErrorKind::kUsage, cat(from.folder, ": a head of ", from.cfg.scores,
                                       " scores, expected one of a single score"));
  if (from.cfg.scores == 1) return from;
  ModelCfg cfg = from.cfg;
  cfg.scores = 1;
  Model out = new_model(cfg, seed, world_size);
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

}  // namespace lm::model
