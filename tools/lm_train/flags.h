#pragma once
// The option table of lm-train by group, each group in a file of its own.

#include <string>
#include <vector>

#include "cli/flags.h"
#include "train/objective_table.h"

namespace lm::train_tool {

std::vector<cli::Flag> model_flags();         // flags_model.cc
std::vector<cli::Flag> expert_flags();        // experts.cc
std::vector<cli::Flag> objective_flags();     // flags_objective.cc
std::vector<cli::Flag> diffusion_flags();     // diffusion.cc
std::vector<cli::Flag> record_flags();        // flags_records.cc
std::vector<cli::Flag> data_flags();          // flags_data.cc
std::vector<cli::Flag> infill_flags();        // infill.cc
std::vector<cli::Flag> optimisation_flags();  // flags_optimisation.cc
std::vector<cli::Flag> throughput_flags();    // throughput.cc
std::vector<cli::Flag> run_flags();           // flags_run.cc

/// A need: "objective=A,B" of the objectives that the predicate is true of.
template <typename Predicate>
std::string of_objectives(Predicate predicate) {
  std::string out;
  for (const train::ObjectiveDef& def : train::objectives())
    if (def.form != train::RecordForm::kRollout && predicate(def))
      out += (out.empty() ? "objective=" : ",") + std::string(def.name);
  return out;
}

}  // namespace lm::train_tool
