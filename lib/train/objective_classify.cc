// A classifier of texts: cross entropy of a label under softmax(W h), h the last token's state.

#include <algorithm>

#include "train/objective_table.h"
#include "train/sequence_objective.h"

namespace lm::train {

namespace {

class Classify final : public SequenceObjective {
 public:
  explicit Classify(const ObjectiveOptions& options)
      : SequenceObjective({.scalars = kLabelScalars, .whole = true}),
        smoothing_(options.label_smoothing) {}

  LossValues build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const override {
    const i64 records = most_records(inputs);
    const Value states = last_states(graph, model, inputs);
    const Value labels = inputs.declare_indices(graph, "label", records);
    const Value head = model.param("score.weight");
    CeAttr attr;
    attr.vocab = model.config().scores;
    attr.label_smoothing = smoothing_;
    LossValues out;
    out.sum = linear_ce(graph, states, head, labels, {}, attr).sum;
    const Value logp = linear_logprob(graph, states, head, labels, {.vocab = attr.vocab}).logprob;
    const Value present = inputs.declare_numbers(graph, "present", records);
    out.metrics.push_back(
        {"label_probability", dot(graph, unary(graph, logp, Unary::kExp), present), {}});
    return out;
  }
  f64 fill(std::span<const Example> examples, const FillCtx& ctx,
           RowInputs& inputs) const override {
    const f64 share = SequenceObjective::fill(examples, ctx, inputs);
    for (i32& label : inputs.indices("label"))
      if (label < 0) label = kIgnoreTarget;
    return share;
  }

 private:
  f64 put(const PlacedRecord& record, const FillCtx& /*no random choices*/,
          RowInputs& inputs) const override {
    inputs.indices("label")[usize(record.number)] = static_cast<i32>(record.scalars[kLabel]);
    inputs.numbers("present")[usize(record.number)] = 1;
    return 1;
  }

  f32 smoothing_;
};

}  // namespace

std::unique_ptr<Objective> make_classify(const ObjectiveOptions& options) {
  return std::make_unique<Classify>(options);
}

}  // namespace lm::train
