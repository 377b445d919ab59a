#pragma once
// Learning from what a policy wrote itself: completions with the numbers of each token that
// lib/align makes of their rewards. pi is the policy, old it as it was when it wrote, rho = pi /
// old.
//
//   ppo        -min(rho A, clip(rho, 1 +- c) A) of each token, and w/2 max((V - R)^2, (V' - R)^2)
//              with V' = V_old + clip(V - V_old, +- c); the normaliser is the number of tokens
//   reinforce, the first part with rho and A of whole completions: at rho = 1 its gradient is -A
//   rloo       times that of log pi; the normaliser is the number of completions
//   grpo       the first part and k (e^-d + d - 1), d = log pi - log ref, means over a completion's
//              tokens; the normaliser is the number of completions
//
// Papers: Schulman et al. 2017 (PPO); Williams 1992 (REINFORCE); Kool et al. 2019, Ahmadian et al.
// 2024 (RLOO); Shao et al. 2024 (GRPO); Schulman 2020 (k3).

#include "train/sequence_objective.h"

namespace lm::train {

/// What of a target stands in Example::scalars.
enum TokenScalar : i64 { kOldLogp, kRefLogp, kAdvantage, kReturn, kOldValue, kTokenScalars };

/// Log-probabilities of targets (LossValues::rows), the entropy of each target's distribution and,
/// of a model with a value head, the value of what stands before it (measures): 0 in other rows.
/// Forward only, without numbers in examples.
class PolicyMeasure final : public SequenceObjective {
 public:
  PolicyMeasure() : SequenceObjective({}) {}
  LossValues build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const override;

 private:
  f64 put(const PlacedRecord& record, const FillCtx& ctx, RowInputs& inputs) const override;
};

}  // namespace lm::train
