// Kahneman-Tversky optimisation: a good completion costs weight (1 - sigmoid(beta (r - z))), a bad
// one weight (1 - sigmoid(beta (z - r))), r the log-ratio to the reference, and z the step's mean
// of it over mismatched prompts and completions, at least 0 and a constant for the gradient;
// without mismatched completions in the records z is 0. The normaliser is the number of records.
// Paper: Ethayarajh et al. 2024.

#include <algorithm>

#include "core/str.h"
#include "train/objective_table.h"
#include "train/sequence_objective.h"

namespace lm::train {

namespace {

/// The log-ratio of the mismatched completions.
class Mismatched final : public SequenceObjective {
 public:
  Mismatched()
      : SequenceObjective({.sequences = 2, .first = 1, .used = 1, .scalars = kLabelScalars}) {}

  LossValues build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const override {
    const Value logp = log_probabilities(graph, model, inputs);
    const Value reference = inputs.declare_numbers(graph, "reference", most_records(inputs));
    return {sum(graph, sub(graph, logp, reference)), {}, {}};
  }

 private:
  f64 put(const PlacedRecord& record, const FillCtx& /*no random choices*/,
          RowInputs& inputs) const override {
    const std::span<f32> reference = inputs.numbers("reference");
    if (!reference.empty()) reference[usize(record.number)] = record.scalars[kRefOther];
    return 1;
  }
};

class Kto final : public SequenceObjective {
 public:
  explicit Kto(const ObjectiveOptions& options)
      : SequenceObjective({.sequences = options.others ? 2 : 1, .scalars = kLabelScalars}),
        options_(options) {}

  const Objective* before() const override { return options_.others ? &mismatched_ : nullptr; }

  LossValues build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const override {
    const i64 records = most_records(inputs);
    const auto numbers = [&](const char* name) {
      return inputs.declare_numbers(graph, name, records);
    };
    const Value logp = log_probabilities(graph, model, inputs);
    const Value ratio = sub(graph, logp, numbers("reference"));
    const Value z = inputs.declare_numbers(graph, "kl", 1);
    const Value above = add(graph, ratio, z, 1, -1, Along::kScalar);
    const Value sign = numbers("sign");
    const Value gain = scale(graph, mul(graph, above, sign), static_cast<f32>(options_.beta));
    const Value loss = unary(graph, scale(graph, gain, -1), Unary::kSigmoid);
    LossValues out;
    out.sum = dot(graph, loss, numbers("weight"));
    for (const char* name : {"desirable", "undesirable"}) {
      const Value mask = numbers(name);
      const Value count = sum(graph, mask);
      const f32 beta = static_cast<f32>(options_.beta);
      out.metrics.push_back({cat(name, "_reward"), dot(graph, ratio, mask, beta), count});
      out.metrics.push_back({cat(name, "_logp"), dot(graph, logp, mask), count});
    }
    if (options_.others) out.metrics.push_back({"kl", scale(graph, z, 1), lm::fill(graph, {1}, 1)});
    return out;
  }

 private:
  f64 put(const PlacedRecord& record, const FillCtx& ctx, RowInputs& inputs) const override {
    const bool good = record.scalars[kLabel] > 0;
    const auto set = [&](std::string_view name, i64 at, f64 value) {
      const std::span<f32> numbers = inputs.numbers(name);
      if (!numbers.empty()) numbers[usize(at)] = static_cast<f32>(value);
    };
    set("kl", 0, std::max(0.0, ctx.before));
    set("reference", record.number, static_cast<f64>(record.scalars[kRefOwn]));
    set("sign", record.number, good ? 1 : -1);
    set("weight", record.number, good ? options_.desirable : options_.undesirable);
    set(good ? "desirable" : "undesirable", record.number, 1);
    return 1;
  }

  ObjectiveOptions options_;
  Mismatched mismatched_;
};

}  // namespace

std::unique_ptr<Objective> make_kto(const ObjectiveOptions& options) {
  return std::make_unique<Kto>(options);
}

}  // namespace lm::train
