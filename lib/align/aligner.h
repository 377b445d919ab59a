#pragma once
// Steps of learning from rewards: the policy writes completions, these are rewarded, and updates
// follow. A step is a function of (weights, moments, counters, prompts, seed); a resumed run goes
// on to the bit.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "align/rewards.h"
#include "align/rollout.h"
#include "core/context.h"
#include "train/objective_policy.h"
#include "train/permutation.h"
#include "train/trainer.h"

namespace lm::align {

struct AlignOptions {
  std::string method = "grpo";  // one of train::policy_names()
  i64 prompts = 1;              // of a step
  i64 samples = 1;              // of a prompt
  i64 epochs = 1;               // passes over the step's completions
  i64 minibatches = 1;          // updates of a pass; more than one: in a random order
  f64 kl = 0.05;                // of ppo, reinforce and rloo in the reward
  f64 lambda = 0.95;            // ppo: of generalised advantages; gamma is 1
  f64 truncation_penalty = 0;   // off the reward of a completion without an end
  u64 seed = 0;

  i64 rollouts() const { return prompts * samples; }
  i64 update_size() const { return rollouts() / minibatches; }
};

/// Completions in slots of so many rows: each slot takes the next ones that fit.
struct Packed {
  struct Place {
    i64 rollout = 0;  // number among those packed
    i64 slot = 0;
    i64 row = 0;  // of the slot, that the completion's first token is predicted from
  };
  train::Examples slots;
  std::vector<Place> places;  // by rollout
};
/// scalars: of each rollout those of its tokens (train::TokenScalar), or none at all.
Packed pack(std::span<const Prompt> prompts, std::span<const Rollout* const> rollouts,
            i64 slot_rows, std::span<const std::vector<f32>> scalars);

/// Scalars of every rollout, which lie prompt by prompt, as the method makes them of rewards.
std::vector<std::vector<f32>> token_scalars(const AlignOptions& options,
                                            std::span<const Rollout> rollouts);

/// A forward pass of a model over completions.
class Measure {
 public:
  /// weights: of the model, in host memory; all outlive this.
  Measure(const model::Model& model, const train::TrainOptions& options, const Backend& backend);
  i64 slab_bytes() const { return executor_.plan().slab_bytes; }
  /// Runs all slots; values by row of all of them, [slots * slot_rows] each: log-probabilities,
  /// then entropies and perhaps values.
  std::vector<std::vector<f32>> run(std::span<const train::Example> slots);
  i64 slot_rows() const { return graph_.inputs.slot_rows(); }

 private:
  train::PolicyMeasure objective_;
  train::TrainGraph graph_;
  Executor executor_;
};

class Aligner {
 public:
  /// Borrows all. trainer: whose objective is the method's, with a batch of at least
  /// options.update_size() slots. reference: what the policy was at first.
  Aligner(train::Trainer& trainer, const model::Model& reference, Roller& roller,
          RewardSource& rewards, std::span<const Prompt> prompts, const AlignOptions& options,
          const Context& ctx);

  /// One step, from prompt number `position` of the run on: each epoch has an order of its own.
  /// Says that it was stopped where a stop was asked for before the first update. Throws what
  /// Roller, RewardSource and Trainer throw, with the step's number.
  train::StepResult step(i64 position);
  /// Of the passes that measure completions.
  i64 slab_bytes() const { return policy_.slab_bytes() + reference_.slab_bytes(); }

 private:
  train::StepResult run_step(i64 position);
  std::vector<i64> picks(i64 position);
  void measure(std::span<Rollout> rollouts);
  std::vector<train::Examples> updates(std::span<const Rollout> rollouts) const;

  train::Trainer& trainer_;
  Roller& roller_;
  RewardSource& rewards_;
  std::span<const Prompt> prompts_;
  AlignOptions options_;
  const Context& ctx_;
  Measure policy_, reference_;
  i64 epoch_ = -1;
  std::optional<train::Permutation> order_;
};

}  // namespace lm::align
