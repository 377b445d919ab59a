#pragma once
// Whether weights fit into bins that are partly full.

#include <optional>
#include <span>
#include <vector>

#include "core/types.h"

namespace lm::accord {

inline constexpr i64 kPackNodes = 100000;

/// out[i]: weights[i]'s bin, with sums of at most the room of each; nothing if there is no such
/// packing (proved = true) or none was found within `nodes` placements (proved = false). Largest
/// first into the fullest bin that takes it, then a search that gives bins of equal room once.
std::optional<std::vector<i64>> pack(std::span<const i64> weights, std::span<const i64> room,
                                     bool& proved, i64 nodes = kPackNodes);

/// Bins of one capacity needed for weights (none above it): what no packing can undercut.
/// Martello and Toth 1990, bound L2. O(n^2).
i64 bins_needed(std::span<const i64> weights, i64 capacity);

}  // namespace lm::accord
