#include "decode/engine_options.h"

#include <algorithm>

#include "core/str.h"
#include "model/state_cache.h"

namespace lm::decode {

model::EngineOptions engine_options(const model::ModelCfg& cfg, i64 batch, i64 chunk,
                                    i64 budget_bytes, const model::Compute& compute) {
  model::EngineOptions out;
  out.max_rows = std::max(chunk, batch);
  const i64 row_bytes = cfg.vocab * static_cast<i64>(sizeof(f32));
  out.max_logit_rows =
      std::min(std::clamp<i64>((i64{64} << 20) / row_bytes, 16, i64{1} << 16), out.max_rows);
  out.activation = compute.activation;
  const i64 most =
      (batch + 1) * memory_tokens(cfg, out.activation, cfg.context + 2 * model::kPageTokens);
  const bool host = compute.backend == nullptr || compute.backend->device == Device{};
  const i64 room =
      host ? budget_bytes / std::max<i64>(1, memory_bytes(cfg, out.activation, 1)) : most;
  constexpr i64 kLeast = 4 * model::kPageTokens;
  out.cache_tokens = std::clamp(room, kLeast, std::max(kLeast, most));  // most: 0 without memory
  return out;
}

i64 cache_share(i64 free_bytes) {
  return free_bytes / 4 * 3;
}

i64 cache_budget(i64 cache_bytes) {
  return (cache_bytes + 2) / 3 * 4 + 4;
}

void check_room(const model::SequenceCache& cache, i64 pages, i64 tokens) {
  if (pages <= cache.total_pages()) return;
  const i64 missing = (pages - cache.total_pages()) * cache.page_bytes();
  throw Error(
      ErrorKind::kOs,
      cat("not enough memory: a text of ", tokens, " tokens needs ",
          format_bytes(pages * cache.page_bytes()), " of keys and values, there is room for ",
          format_bytes(cache.total_pages() * cache.page_bytes())),
      cat("--memory larger by ", (cache_budget(missing) >> 20) + 1,
          "M, or shorter texts (--max-tokens, --window)"));
}

}  // namespace lm::decode
