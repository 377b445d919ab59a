#pragma once
// Parts of the option tables that several verbs of lm-dedup have.

#include <string>
#include <vector>

#include "cli/tool.h"

namespace lm::dedup_tool {

std::vector<std::string> normaliser_choices();

/// What happens with duplicates; the attribute's name follows the verb's.
std::vector<cli::Flag> action_flags(const std::string& verb);
cli::Flag missing_flag();
cli::Flag prefer_flag();

cli::Verb minhash_verb();  // flags_minhash.cc

}  // namespace lm::dedup_tool
