#include "missing.h"

#include "core/str.h"

namespace lm::uq_tool {

namespace {

/// What of the record --sim compares answers by, where it is not their texts.
const char* compared_by(uq::Sim sim) {
  return sim == uq::Sim::kGiven   ? "sim.answers"
         : sim == uq::Sim::kNli   ? "sim.nli_e and sim.nli_c"
         : sim == uq::Sim::kEmbed ? "embeddings of all samples"
                                  : "";
}

}  // namespace

void warn_of_missing(cli::Tool& tool, uq::Sim sim, const Chosen& chosen, const Given& given) {
  if (!given.any()) return;
  const std::string by = compared_by(sim);
  const auto warn = [&](const std::string& what) {
    tool.console().message(LogLevel::kWarning, what);
  };
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (given.has(i)) continue;
    const bool of_claim = i >= chosen.estimators.size();
    const std::string name = of_claim ? chosen.of_claims[i - chosen.estimators.size()]->name
                                      : chosen.estimators[i]->name;
    const std::string needs = of_claim ? chosen.of_claims[i - chosen.estimators.size()]->needs
                                       : chosen.estimators[i]->needs;
    if (chosen.by_name) {
      warn(cat("no record has a score ", name, ", which needs ", needs,
               by.empty() || needs.find("samples") == std::string::npos
                   ? ""
                   : cat("; --sim ", tool.options().text("sim"), " compares by ", by)));
    } else if (name == "eigv" && !by.empty()) {
      warn(cat("no record has what --sim ", tool.options().text("sim"), " compares by: ", by));
    }
  }
}

}  // namespace lm::uq_tool
