#pragma once
// The size of an inference engine for many sequences at once: one rule for every user of scorers
// and generators.

#include "model/device.h"
#include "model/engine.h"

namespace lm::decode {

/// For `batch` sequences of up to a full context, evaluated `chunk` rows a pass. The cache holds
/// what budget_bytes allows, at most what all sequences can need; on a device the engine itself
/// takes what fits instead. Logits of a pass stay below 64 MiB (16 rows at least). None of
/// this changes results; the type of activations does.
model::EngineOptions engine_options(const model::ModelCfg& cfg, i64 batch, i64 chunk,
                                    i64 budget_bytes, const model::Compute& compute = {});

/// What keys and values get of memory that nothing else has taken: three quarters. And the memory
/// of which that share is at least cache_bytes.
i64 cache_share(i64 free_bytes);
i64 cache_budget(i64 cache_bytes);

/// Throws Error{kOs} naming the need when a text of so many tokens does not fit an empty cache.
void check_room(const model::SequenceCache& cache, i64 pages, i64 tokens);

}  // namespace lm::decode
