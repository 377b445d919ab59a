// Sequence likelihood calibration against a reference: max(0, 1 - beta D).
// Papers: Zhao et al. 2023 (SLiC-HF), Liu et al. 2024 (against a reference).

#include "train/objective_pair.h"

namespace lm::train {

namespace {

class Hinge final : public PairObjective {
 public:
  explicit Hinge(const ObjectiveOptions& options) : beta_(options.beta) {}

 private:
  PairLoss pair_loss(PairTerms& terms) const override {
    Graph& g = terms.graph;
    const Value margin = scale(g, terms.difference(terms.log_ratio()), static_cast<f32>(beta_));
    return {unary(g, shifted(g, scale(g, margin, -1), 1), Unary::kRelu), margin};
  }

  f64 beta_;
};

}  // namespace

std::unique_ptr<Objective> make_hinge(const ObjectiveOptions& options) {
  return std::make_unique<Hinge>(options);
}

}  // namespace lm::train
