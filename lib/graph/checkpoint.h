#pragma once
// Activation checkpointing (Chen et al. 2016) as a rewrite between backward() and planning: forward
// values a policy drops are recomputed by clones placed before the first gradient node that reads
// one of their region. kCheap clones only operators marked cheap; kBlock clones everything of the
// region except operators with side effects. Clones keep rng_id, so dropout masks repeat. Gradients
// are equal bit for bit under every policy because clones run the same kernels on the same inputs.

#include "graph/graph.h"

namespace lm {

/// Rewrites g in place by the policies its regions carry. Call once, after backward().
void apply_checkpointing(Graph& g);

/// A policy as users write it: "none", "cheap", "block", "block:k" (every k-th block).
struct CheckpointPolicy {
  Recompute mode = Recompute::kNone;
  i64 every = 1;
  /// The policy of block number i (0-based): mode when i % every == 0, else kNone.
  Recompute of_block(i64 i) const { return i % every == 0 ? mode : Recompute::kNone; }
};
/// Throws Error{kUsage} with the accepted forms.
CheckpointPolicy parse_checkpoint_policy(std::string_view text);

}  // namespace lm
