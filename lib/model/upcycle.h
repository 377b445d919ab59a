#pragma once
// A dense model as a mixture of experts: each expert is the dense feed-forward part, routers are
// drawn, a token's weights sum to 1, so that it answers as before until it is trained. Source:
// Komatsuzaki et al. 2022.

#include "model/checkpoint.h"

namespace lm::model {

/// Llama and Mistral become Mixtral, Qwen 3 becomes Qwen 3 MoE. Throws Error{kData} naming the
/// folder for other families, and for biases and windows that these have not; Error{kUsage} for
/// more active experts than there are.
Model upcycle(const Model& dense, i64 experts, i64 active, u64 seed);

}  // namespace lm::model
