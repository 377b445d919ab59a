// Direct preference optimisation: -log sigmoid(beta D) with D the chosen completion's log-ratio to
// the reference less the rejected one's. With a share e of pairs the wrong way round, the
// conservative form mixes both signs; the robust form is unbiased under e.
// Papers: Rafailov et al. 2023; Mitchell 2023 (label smoothing); Chowdhury et al. 2024 (robust).

#include "train/objective_pair.h"

namespace lm::train {

namespace {

class Dpo final : public PairObjective {
 public:
  explicit Dpo(const ObjectiveOptions& options) : options_(options) {}

 private:
  PairLoss pair_loss(PairTerms& terms) const override {
    Graph& g = terms.graph;
    const Value margin =
        scale(g, terms.difference(terms.log_ratio()), static_cast<f32>(options_.beta));
    const Value right = softplus_of_negative(g, margin);
    const f32 e = options_.label_smoothing;
    if (e == 0) return {right, margin};
    const Value wrong = softplus_of_negative(g, scale(g, margin, -1));
    if (!options_.robust) return {add(g, right, wrong, 1 - e, e), margin};
    return {add(g, right, wrong, (1 - e) / (1 - 2 * e), -e / (1 - 2 * e)), margin};
  }

  ObjectiveOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_dpo(const ObjectiveOptions& options) {
  return std::make_unique<Dpo>(options);
}

}  // namespace lm::train
