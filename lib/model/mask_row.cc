#include "model/mask_row.h"

#include <cstring>

#include "core/error.h"
#include "tensor/tensor.h"

namespace lm::model {

Model with_mask_row(Model from, u64 seed, i64 world_size) {
  LM_CHECK(!from.cfg.lora, "adapters are beside a model as it is");
  ModelCfg cfg = from.cfg;
  ++cfg.vocab;
  Model out = new_model(cfg, seed, world_size);
  for (i32 i = 0; i < out.params->set.size(); ++i) {
    // Tables of the vocabulary end with the new row, all others are equal.
    const Tensor value = from.weights[from.params->set.find(out.params->set[i].name)];
    std::memcpy(out.weights[i].data, value.data, usize(value.count()) * sizeof(f32));
  }
  out.stored = from.stored;
  out.generation_json = std::move(from.generation_json);
  out.folder = std::move(from.folder);
  return out;
}

}  // namespace lm::model
