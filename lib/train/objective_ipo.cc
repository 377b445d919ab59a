// Identity preference optimisation: (D - 1 / (2 beta))^2, D of log-ratios per token.
// Paper: Azar et al. 2024.

#include "train/objective_pair.h"

namespace lm::train {

namespace {

class Ipo final : public PairObjective {
 public:
  explicit Ipo(const ObjectiveOptions& options) : beta_(options.beta) {}

 private:
  PairLoss pair_loss(PairTerms& terms) const override {
    Graph& g = terms.graph;
    const Value d = terms.difference(terms.mean(terms.log_ratio()));
    return {unary(g, shifted(g, d, -0.5 / beta_), Unary::kSquare),
            scale(g, d, static_cast<f32>(beta_))};
  }

  f64 beta_;
};

}  // namespace

std::unique_ptr<Objective> make_ipo(const ObjectiveOptions& options) {
  return std::make_unique<Ipo>(options);
}

}  // namespace lm::train
