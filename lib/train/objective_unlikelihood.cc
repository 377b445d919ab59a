// Likelihood of the tokens of good completions and unlikelihood of those of bad ones: -log p and
// -alpha log(1 - p). The normaliser is the number of tokens. Paper: Welleck et al. 2020.

#include "train/objective_table.h"
#include "train/sequence_objective.h"

namespace lm::train {

namespace {

class Unlikelihood final : public SequenceObjective {
 public:
  explicit Unlikelihood(const ObjectiveOptions& options)
      : SequenceObjective({.scalars = kLabelScalars}), alpha_(options.alpha) {}

  LossValues build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const override {
    const Value nats = row_losses(graph, model, inputs);
    const Value likely = inputs.declare_numbers(graph, "likely", inputs.rows());
    const Value unlikely = inputs.declare_numbers(graph, "unlikely", inputs.rows());
    const Value log_p = below_zero(graph, scale(graph, nats, -1));
    const Value good = dot(graph, nats, likely);
    const Value bad = dot(graph, unary(graph, log_p, Unary::kLog1mExp), unlikely, -1);
    LossValues out;
    out.sum = add(graph, good, bad, 1, static_cast<f32>(alpha_));
    out.rows = nats;
    out.metrics.push_back({"likely_nats", good, sum(graph, likely)});
    out.metrics.push_back({"unlikely_nats", dot(graph, nats, unlikely), sum(graph, unlikely)});
    return out;
  }

 private:
  f64 put(const PlacedRecord& record, const FillCtx& /*no random choices*/,
          RowInputs& inputs) const override {
    const std::span<f32> mask = inputs.numbers(record.scalars[kLabel] > 0 ? "likely" : "unlikely");
    if (!mask.empty())
      for (i64 r = record.first_row[0]; r < record.first_row[0] + record.rows[0]; ++r)
        if (inputs.targets[usize(r)] != kIgnoreTarget) mask[usize(r)] = 1;
    return static_cast<f64>(record.targets[0]);
  }

  f64 alpha_;
};

}  // namespace

std::unique_ptr<Objective> make_unlikelihood(const ObjectiveOptions& options) {
  return std::make_unique<Unlikelihood>(options);
}

}  // namespace lm::train
