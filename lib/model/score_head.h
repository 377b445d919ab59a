#pragma once
// From a model that predicts tokens to one that scores texts.

#include "model/checkpoint.h"

namespace lm::model {

/// The same model with a head of one score in the place of the next token's, drawn from seed; what
/// scores already stays as it is. Throws Error{kUsage} for several scores.
Model with_score_head(Model from, u64 seed, i64 world_size = 1);

}  // namespace lm::model
