#pragma once
// The verbs of lm-uq and the options that they share.

#include <string>
#include <vector>

#include "cli/tool.h"
#include "uq/estimators.h"

namespace lm::uq_tool {

std::vector<cli::Flag> score_flags();
std::vector<cli::Flag> eval_flags();
std::vector<cli::Flag> fit_flags();
std::vector<cli::Flag> sample_flags();
std::vector<cli::Flag> perturb_flags();

/// --on-error of verbs that write no records, and --correct.
cli::Flag on_error_flag(const std::string& details);
cli::Flag correct_flag();

void run_score(cli::Tool& tool);
void run_eval(cli::Tool& tool);
void run_fit(cli::Tool& tool);
void run_sample(cli::Tool& tool);
void run_perturb(cli::Tool& tool);

/// --field. Throws Error{kUsage} for a field that records have for something else.
std::string score_field(const cli::Options& options);

/// The names in a comma-separated option, each once; empty for an unset one.
std::vector<std::string> name_list(const cli::Options& options, const std::string& option);

}  // namespace lm::uq_tool
