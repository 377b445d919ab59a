#include "decode/engine_options.h"

#include <algorithm>

#include "model/kv_cache.h"
#include "model/layer.h"

namespace lm::decode {

model::EngineOptions engine_options(const model::ModelCfg& cfg, i64 batch, i64 chunk,
                                    i64 budget_bytes, const model::Compute& compute) {
  model::EngineOptions out;
  out.max_rows = std::max(chunk, batch);
  const i64 row_bytes = cfg.vocab * static_cast<i64>(sizeof(f32));
  out.max_logit_rows =
      std::min(std::clamp<i64>((i64{64} << 20) / row_bytes, 16, i64{1} << 16), out.max_rows);
  const i64 token_bytes = model::cache_token_bytes(cfg, DType::kF32);
  out.activation = compute.activation;
  const i64 least = cfg.context + 2 * model::kPageTokens;
  const bool host = compute.backend == nullptr || compute.backend->device == Device{};
  const i64 room = host ? budget_bytes / std::max<i64>(1, token_bytes) : (batch + 1) * least;
  out.cache_tokens = std::max(least, std::min((batch + 1) * least, room));
  return out;
}

}  // namespace lm::decode
