// A reward model: -log sigmoid(R(chosen) - R(rejected) - margin), R a linear function of the last
// token's state; lambda (R(chosen) + R(rejected))^2 keeps rewards around zero.
// Papers: Bradley & Terry 1952; Ouyang et al. 2022; Touvron et al. 2023 (margin); Eisenstein et al.
// 2023 (centring).

#include "train/objective_pair.h"

namespace lm::train {

namespace {

class Reward final : public PairObjective {
 public:
  explicit Reward(const ObjectiveOptions& options) : PairObjective(true), lambda_(options.lambda) {}

  LossValues build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const override {
    const i64 pairs = most_records(inputs);
    const Value states = last_states(graph, model, inputs);
    const Value rewards =
        reshape(graph, linear(graph, states, model.param("score.weight")), {2 * pairs});
    PairTerms terms(graph, inputs, pairs, rewards);
    LossValues out = total(graph, pair_loss(terms), pairs, inputs);
    out.metrics.push_back({"chosen_reward", sum(graph, terms.chosen(rewards)), {}});
    out.metrics.push_back({"rejected_reward", sum(graph, terms.rejected(rewards)), {}});
    return out;
  }

 private:
  PairLoss pair_loss(PairTerms& terms) const override {
    Graph& g = terms.graph;
    const Value difference = terms.difference(terms.logp);
    const Value loss = softplus_of_negative(g, sub(g, difference, terms.margin()));
    if (lambda_ == 0) return {loss, difference};
    const Value both = add(g, terms.chosen(terms.logp), terms.rejected(terms.logp));
    return {add(g, loss, unary(g, both, Unary::kSquare), 1, static_cast<f32>(lambda_)), difference};
  }

  f64 lambda_;
};

}  // namespace

std::unique_ptr<Objective> make_reward(const ObjectiveOptions& options) {
  return std::make_unique<Reward>(options);
}

}  // namespace lm::train
