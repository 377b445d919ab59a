// Odds-ratio preference optimisation: the chosen completion's loss per token, and -lambda log
// sigmoid of the difference of log-odds, odds = p / (1 - p) with log p the mean of a completion's
// log-probabilities. No reference. Paper: Hong et al. 2024.

#include "train/objective_pair.h"

namespace lm::train {

namespace {

class Orpo final : public PairObjective {
 public:
  explicit Orpo(const ObjectiveOptions& options) : lambda_(options.lambda) {}

 private:
  PairLoss pair_loss(PairTerms& terms) const override {
    Graph& g = terms.graph;
    const Value mean = terms.mean(terms.logp);
    const Value log_p = below_zero(g, mean);
    const Value odds = sub(g, log_p, unary(g, log_p, Unary::kLog1mExp));
    const Value difference = terms.difference(odds);
    const Value of_odds = softplus_of_negative(g, difference);
    return {add(g, of_odds, terms.chosen(mean), static_cast<f32>(lambda_), -1),
            scale(g, difference, static_cast<f32>(lambda_))};
  }

  f64 lambda_;
};

}  // namespace

std::unique_ptr<Objective> make_orpo(const ObjectiveOptions& options) {
  return std::make_unique<Orpo>(options);
}

}  // namespace lm::train
