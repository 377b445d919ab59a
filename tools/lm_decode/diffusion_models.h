#pragma once
// The models of a run with --decoder diffusion.

#include <memory>
#include <vector>

#include "cli/tool.h"
#include "decode/session.h"
#include "decode/text_energy.h"

namespace lm::decode_tool {

struct DiffusionModels {
  std::unique_ptr<decode::Session> session;
  std::unique_ptr<decode::Session> judge;      // of --edlm, else null
  std::unique_ptr<decode::TextEnergy> energy;  // of --edlm, else null

  /// Of what shapes results (Session::key).
  std::vector<u64> keys() const;
};

/// Opens them within --memory. Throws Error{kUsage} for a wrong --edlm, Error{kData} when its model
/// has other tokens, and what open_model throws.
DiffusionModels open_diffusion(cli::Tool& tool);

}  // namespace lm::decode_tool
