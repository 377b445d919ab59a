#pragma once
// --clean: its options, what is said of it.

#include <string>
#include <vector>

#include "clean/chain.h"
#include "cli/flags.h"

namespace lm::mix_tool {

std::vector<cli::Flag> clean_flags();
/// Sums by cleaner; sum may be empty.
void add_steps(std::vector<clean::StepCounts>& sum, const std::vector<clean::StepCounts>& more);
/// Two tables: what each cleaner did, and what of each type and for each reason.
std::string clean_table(const clean::ChainPlan& plan, const std::vector<clean::StepCounts>& counts);
/// A list of objects, one for each cleaner.
std::string clean_json(const clean::ChainPlan& plan, const std::vector<clean::StepCounts>& counts);

}  // namespace lm::mix_tool
