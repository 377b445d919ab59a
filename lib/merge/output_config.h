#pragma once
// config.json of a merged model: the reference's, with what the merge changed.

#include <string>
#include <vector>

#include "merge/engine.h"
#include "merge/inputs.h"

namespace lm::merge {

/// The reference's config.json with the output's type of weights, its rows of tokens, whether the
/// head is stored, and, where layers holds the reference's layer of each layer of the output, their
/// number and the lists that have an entry for each. vocabulary: the folder whose config.json has
/// the ids of special tokens; empty: the reference's. Other keys stay, in their order. Empty if the
/// reference has no config.json. Throws Error{kData} if layers changed and no key has their number,
/// and, naming both files, if the tensors are not those of such a configuration: by the table of a
/// known family, else by the number of layers.
std::string output_config(const InputModel& reference, const std::vector<PlannedTensor>& tensors,
                          const std::vector<i64>& layers, const std::string& vocabulary);

}  // namespace lm::merge
