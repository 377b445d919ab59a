#pragma once
// The inference engine on a backend with its own memory (the emulated device in test-cuda-model, a
// real one in test-gpu), beside the CPU's.

#include "graph/backend.h"

namespace lm::test {

/// f32: the CPU's greedy tokens and its logits, within rounding, over prompts in chunks, batches,
/// forks, holes, trees, commits and truncation.
void check_engine_values(const Backend& backend);
/// f32: equal bits whatever the chunks and the batch, in passes of up to eight rows. Larger ones
/// are the product library's, which makes no such promise.
void check_engine_bits(const Backend& backend);
/// bf16: logits close to the CPU's f32, and equal tokens from equal calls.
void check_engine_bf16(const Backend& backend);

}  // namespace lm::test
