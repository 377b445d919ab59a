#pragma once
// The verbs of lm-train for small systems with closed forms (lib/exact).

#include <vector>

#include "cli/tool.h"

namespace lm::train_tool {

std::vector<cli::Flag> bits_flags();
std::vector<cli::Flag> inverse_flags();

/// bits: how many networks that learn a permutation of single bits must be averaged.
void run_bits(cli::Tool& tool);
/// inverse: whether an attention-only transformer undoes a permutation in its prompt.
void run_inverse(cli::Tool& tool);

}  // namespace lm::train_tool
