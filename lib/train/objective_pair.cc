#include "train/objective_pair.h"

namespace lm::train {

Value PairTerms::log_ratio() {
  if (!ratio_) ratio_ = sub(graph, logp, inputs_.declare_numbers(graph, "reference", 2 * pairs_));
  return ratio_;
}

Value PairTerms::mean(Value x) {
  return mul(graph, x, inputs_.declare_numbers(graph, "share", 2 * pairs_));
}

LossValues PairObjective::build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const {
  const i64 pairs = most_records(inputs);
  PairTerms terms(graph, inputs, pairs, log_probabilities(graph, model, inputs));
  LossValues out = total(graph, pair_loss(terms), pairs, inputs);
  out.metrics.push_back({"chosen_logp", sum(graph, terms.chosen(terms.logp)), {}});
  out.metrics.push_back({"rejected_logp", sum(graph, terms.rejected(terms.logp)), {}});
  if (terms.referenced())
    out.metrics.push_back({"kl", scale(graph, sum(graph, terms.log_ratio()), 0.5f), {}});
  return out;
}

LossValues PairObjective::total(Graph& graph, const PairLoss& loss, i64 pairs, RowInputs& inputs) {
  LossValues out;
  out.sum = dot(graph, loss.loss, inputs.declare_numbers(graph, "present", pairs));
  const Value right = unary(graph, loss.reward_margin, Unary::kStep);
  out.metrics.push_back({"reward_accuracy", sum(graph, right), {}});
  out.metrics.push_back({"reward_margin", sum(graph, loss.reward_margin), {}});
  return out;
}

f64 PairObjective::put(const PlacedRecord& record, const FillCtx& /*no random choices*/,
                       RowInputs& inputs) const {
  const i64 pairs = most_records(inputs);
  const auto set = [&](std::string_view name, i64 at, f32 value) {
    const std::span<f32> numbers = inputs.numbers(name);
    if (!numbers.empty()) numbers[usize(at)] = value;
  };
  set("present", record.number, 1);
  set("margin", record.number, record.scalars[kMargin]);
  for (const i64 q : {0, 1}) {
    const i64 at = q * pairs + record.number;
    set("reference", at, record.scalars[usize(kRefChosen + q)]);
    set("share", at, 1 / static_cast<f32>(std::max<i64>(1, record.targets[usize(q)])));
  }
  return 1;
}

Value softplus_of_negative(Graph& graph, Value x) {
  return scale(graph, unary(graph, x, Unary::kLogSigmoid), -1);
}

}  // namespace lm::train
