#pragma once
// What the options of lm-dedup minhash ask of lib/dedup.

#include "cli/tool.h"
#include "dedup/near.h"

namespace lm::dedup_tool {

/// The preset with what is given instead of its values. Throws Error{kUsage} for --perms beside
/// --bands or --rows.
dedup::NearParams near_params(const cli::Tool& tool);

}  // namespace lm::dedup_tool
