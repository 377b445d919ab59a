#pragma once
// A model for next tokens as the beginning of one of masked diffusion (diffusion.h).

#include "model/checkpoint.h"

namespace lm::model {

/// The model with one more row in its embedding, and in its head where that is another, drawn from
/// seed as a new model's last row is. LM_CHECK: nothing of it is frozen.
Model with_mask_row(Model from, u64 seed, i64 world_size = 1);

}  // namespace lm::model
