// Simple preference optimisation: -log sigmoid(beta (difference of log-probabilities per token) -
// gamma), without a reference. Paper: Meng et al. 2024.

#include "train/objective_pair.h"

namespace lm::train {

namespace {

class Simpo final : public PairObjective {
 public:
  explicit Simpo(const ObjectiveOptions& options) : beta_(options.beta), gamma_(options.gamma) {}

 private:
  PairLoss pair_loss(PairTerms& terms) const override {
    Graph& g = terms.graph;
    const Value margin =
        scale(g, terms.difference(terms.mean(terms.logp)), static_cast<f32>(beta_));
    return {softplus_of_negative(g, shifted(g, margin, -gamma_)), margin};
  }

  f64 beta_, gamma_;
};

}  // namespace

std::unique_ptr<Objective> make_simpo(const ObjectiveOptions& options) {
  return std::make_unique<Simpo>(options);
}

}  // namespace lm::train
