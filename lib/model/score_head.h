#pragma once
// From a model that predicts tokens to one that scores texts, or guesses returns beside.

#include <string_view>
#include <vector>

#include "model/checkpoint.h"

namespace lm::model {

/// The same model with a head of one score in the place of the next token's, drawn from seed; what
/// scores already stays as it is. Throws Error{kUsage} for several scores.
Model with_score_head(Model from, u64 seed, i64 world_size = 1);

/// Throws Error{kData} naming the folder unless cfg is a decoder with a head of one score.
void require_score_head(const ModelCfg& cfg, std::string_view folder);
/// The weights of that head, [width].
std::vector<f32> score_head(const ModelRef& model);

/// The same model with a linear guess of the return beside the next token's head, zero at first.
Model with_value_head(Model from);

}  // namespace lm::model
