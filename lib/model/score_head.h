#pragma once
// From a model that predicts tokens to one that scores texts, or guesses returns beside.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/checkpoint.h"

namespace lm::model {

/// The same model with a head of so many scores in the place of the next token's, drawn from seed;
/// what has as many already stays as it is. Throws Error{kUsage} for another number.
Model with_score_head(Model from, u64 seed, i64 world_size = 1, i64 scores = 1);

/// Throws Error{kData} naming the folder unless cfg is a decoder with a head of one score.
void require_score_head(const ModelCfg& cfg, std::string_view folder);
/// The weights of a head of scores, [scores, width].
std::vector<f32> score_head(const ModelRef& model);

/// A score for each name, which config.json then has.
void name_scores(ModelCfg& cfg, std::span<const std::string> names);
/// The names that config.json has for scores. Throws Error{kData} naming the folder where it has
/// none of its own.
std::vector<std::string> score_names(const ModelCfg& cfg, std::string_view folder);

/// The same model with a linear guess of the return beside the next token's head, zero at first.
Model with_value_head(Model from);

}  // namespace lm::model
