#pragma once
// Sizes of an engine (engine.h) and what its passes give beside logits.

#include <functional>
#include <memory>
#include <vector>

#include "graph/exec.h"
#include "model/config.h"
#include "model/sequence_cache.h"

namespace lm::model {

struct EngineOptions {
  i64 max_rows = 512;       // rows per pass; longer calls are cut
  i64 max_logit_rows = 64;  // logits per pass; 0: none are made (an encoder has none)
  /// Layers, ascending, whose output rows with want_hidden get too: 0 is the embeddings, L what
  /// layer L gives, before the last norm.
  std::vector<i64> states = {};
  /// Layers, ascending, whose queries and keys rows with want_hidden get too, as attention uses
  /// them (0: the first layer's). They end in passes that reach them.
  std::vector<i64> projections = {};
  /// False: passes end behind the last of `states`; there is no final hidden state, no logits.
  bool final_state = true;
  /// Capacity over all sequences, 0: 16 full contexts. On a device at most what fits beside weights
  /// and activations.
  i64 cache_tokens = 0;
  i64 positions = 0;  // largest position + 1; 0: the model's context (a learned table's limit)
  /// Of what layers exchange, of cached keys and values, and of the weights that are read: f32, or
  /// bf16 where the backend has it.
  DType activation = DType::kF32;
  /// Memory for a pass of more than max_rows rows, which a sequence whose rows see all of it may
  /// need.
  i64 span_bytes = i64{1} << 30;
  /// Makes the memory of sequences, of `pages` pages; null: a KvCache.
  using MakeCache = std::unique_ptr<SequenceCache>(const ModelCfg& cfg, i64 pages,
                                                   const Backend& backend, DType dtype);
  std::function<MakeCache> make_cache = nullptr;
};

}  // namespace lm::model
