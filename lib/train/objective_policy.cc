#include "train/objective_policy.h"

#include "core/error.h"
#include "train/objective_table.h"
#include "train/token_loss.h"

namespace lm::train {

namespace {

enum class Method : u8 { kTokens, kSequences, kGroups };  // ppo; reinforce and rloo; grpo

Value least(Graph& g, Value a, Value b) {
  return sub(g, b, unary(g, sub(g, b, a), Unary::kRelu));
}

Value greatest(Graph& g, Value a, Value b) {
  return add(g, b, unary(g, sub(g, a, b), Unary::kRelu));
}

/// x within [low, high].
Value within(Graph& g, Value x, f64 low, f64 high) {
  const Value above = unary(g, shifted(g, x, -low), Unary::kRelu);  // x - low, at least 0
  const Value over = unary(g, shifted(g, above, low - high), Unary::kRelu);
  return shifted(g, sub(g, above, over), low);
}

Value rows_value(Graph& g, model::GraphModel& model, Value x, i64 rows) {
  return reshape(g, linear(g, x, model.param("value.weight"), model.param("value.bias")), {rows});
}

class Policy final : public SequenceObjective {
 public:
  explicit Policy(const ObjectiveOptions& options)
      : SequenceObjective({.token_scalars = kTokenScalars}),
        options_(options),
        method_(options.name == "ppo"    ? Method::kTokens
                : options.name == "grpo" ? Method::kGroups
                                         : Method::kSequences) {}

  LossValues build(Graph& g, model::GraphModel& model, RowInputs& inputs) const override {
    const i64 rows = inputs.rows();
    const Value x = model.hidden(inputs.token_value, inputs.position_value, inputs.span_value);
    CeAttr attr;
    attr.vocab = model.config().vocab;
    const Value logp =
        scale(g, linear_ce(g, x, model.head(), inputs.target_value, {}, attr).rows, -1);
    if (method_ == Method::kSequences) return of_sequences(g, logp, inputs);
    LossValues out;
    const Value targets = inputs.declare_numbers(g, "target", rows);
    const Value old = inputs.declare_numbers(g, "old_logp", rows);
    const Value ratio = unary(g, sub(g, logp, old), Unary::kExp);
    const Value advantage = inputs.declare_numbers(g, "advantage", rows);
    const Value gain = sum(g, clipped_gain(g, ratio, advantage));
    out.sum = scale(g, gain, -1);
    const Value tokens = sum(g, targets);
    out.metrics.push_back({"policy_loss", out.sum, {}});
    out.metrics.push_back({"clip_fraction", dot(g, beyond(g, ratio), targets), tokens});
    if (method_ == Method::kGroups && options_.kl > 0) {
      const Value d = sub(g, logp, inputs.declare_numbers(g, "ref_logp", rows));
      const Value k3 = shifted(g, add(g, unary(g, scale(g, d, -1), Unary::kExp), d), -1);
      const Value kl = dot(g, k3, inputs.declare_numbers(g, "share", rows));
      out.sum = add(g, out.sum, kl, 1, static_cast<f32>(options_.kl));
      out.metrics.push_back({"k3", kl, {}});
    }
    if (method_ == Method::kTokens) {
      const Value loss = value_loss(g, rows_value(g, model, x, rows), targets, inputs);
      out.sum = add(g, out.sum, loss, 1, static_cast<f32>(options_.value_weight));
      out.metrics.push_back({"value_loss", loss, {}});
    }
    return out;
  }

 private:
  /// min(rho A, clip(rho) A). At rho = 1 the slope is that of rho A.
  Value clipped_gain(Graph& g, Value ratio, Value advantage) const {
    const Value clipped = within(g, ratio, 1 - options_.clip, 1 + options_.clip);
    return least(g, mul(g, ratio, advantage), mul(g, clipped, advantage));
  }

  /// 1 where |rho - 1| > c.
  Value beyond(Graph& g, Value ratio) const {
    const Value square = unary(g, shifted(g, ratio, -1), Unary::kSquare);
    return unary(g, shifted(g, square, -options_.clip * options_.clip), Unary::kStep);
  }

  LossValues of_sequences(Graph& g, Value logp, RowInputs& inputs) const {
    const i64 records = most_records(inputs);
    const Value sequence = inputs.declare_indices(g, "sequence", inputs.rows());
    const Value whole = reshape(
        g, scatter_add_rows(g, reshape(g, logp, {inputs.rows(), 1}), sequence, records), {records});
    const Value old = inputs.declare_numbers(g, "old_logp", records);
    const Value ratio = unary(g, sub(g, whole, old), Unary::kExp);
    const Value present = inputs.declare_numbers(g, "present", records);
    LossValues out;
    out.sum = scale(
        g, sum(g, clipped_gain(g, ratio, inputs.declare_numbers(g, "advantage", records))), -1);
    out.metrics.push_back({"policy_loss", out.sum, {}});
    out.metrics.push_back({"clip_fraction", dot(g, beyond(g, ratio), present), {}});
    return out;
  }

  /// Half of the larger square, summed over targets.
  Value value_loss(Graph& g, Value value, Value targets, RowInputs& inputs) const {
    const Value old = inputs.declare_numbers(g, "old_value", inputs.rows());
    const Value goal = inputs.declare_numbers(g, "return", inputs.rows());
    const Value near = add(g, old, within(g, sub(g, value, old), -options_.clip, options_.clip));
    const Value square = greatest(g, unary(g, sub(g, value, goal), Unary::kSquare),
                                  unary(g, sub(g, near, goal), Unary::kSquare));
    return dot(g, square, targets, 0.5f);
  }

  f64 put(const PlacedRecord& record, const FillCtx& /*no random choices*/,
          RowInputs& inputs) const override {
    const i64 targets = record.targets[0];
    LM_CHECK(targets > 0, "a completion has a token");
    const auto set = [&](std::string_view name, i64 at, f32 value) {
      const std::span<f32> numbers = inputs.numbers(name);
      if (!numbers.empty()) numbers[usize(at)] = value;
    };
    const auto scalar = [&](i64 target, TokenScalar which) {
      return record.scalars[usize(target * kTokenScalars + which)];
    };
    i64 target = 0;
    f64 old = 0;
    const f32 share = 1 / static_cast<f32>(targets);
    for (i64 row = record.first_row[0]; row < record.first_row[0] + record.rows[0]; ++row) {
      if (inputs.targets[usize(row)] == kIgnoreTarget) continue;
      old += static_cast<f64>(scalar(target, kOldLogp));
      set("target", row, 1);
      if (method_ != Method::kSequences) {
        set("old_logp", row, scalar(target, kOldLogp));
        set("ref_logp", row, scalar(target, kRefLogp));
        set("advantage", row,
            scalar(target, kAdvantage) * (method_ == Method::kGroups ? share : 1));
        set("return", row, scalar(target, kReturn));
        set("old_value", row, scalar(target, kOldValue));
        set("share", row, share);
      }
      ++target;
    }
    if (method_ == Method::kTokens) return static_cast<f64>(targets);
    if (method_ == Method::kGroups) return 1;
    set("old_logp", record.number, static_cast<f32>(old));
    set("advantage", record.number, scalar(0, kAdvantage));
    set("present", record.number, 1);
    return 1;
  }

  ObjectiveOptions options_;
  Method method_;
};

}  // namespace

LossValues PolicyMeasure::build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const {
  const Value x = model.hidden(inputs.token_value, inputs.position_value, inputs.span_value);
  LogprobAttr attr;
  attr.vocab = model.config().vocab;
  const LogprobResult result = linear_logprob(graph, x, model.head(), inputs.target_value, attr);
  LossValues out;
  out.rows = result.logprob;
  out.sum = sum(graph, result.logprob);
  out.measures.push_back(result.entropy);
  if (model.config().value) out.measures.push_back(rows_value(graph, model, x, inputs.rows()));
  return out;
}

f64 PolicyMeasure::put(const PlacedRecord& record, const FillCtx& /*no random choices*/,
                       RowInputs& /*no numbers*/) const {
  return static_cast<f64>(record.targets[0]);
}

std::unique_ptr<Objective> make_policy(const ObjectiveOptions& options) {
  return std::make_unique<Policy>(options);
}

}  // namespace lm::train
