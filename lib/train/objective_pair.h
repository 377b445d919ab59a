#pragma once
// Losses over pairs of a chosen and a rejected completion of one prompt; the normaliser is the
// number of pairs.

#include "train/objective_table.h"
#include "train/sequence_objective.h"

namespace lm::train {

/// What a pair's loss is made of. S = 2 M values stand for the chosen completions, then for the
/// rejected ones. Pairs that are not there have zeros everywhere.
class PairTerms {
 public:
  PairTerms(Graph& g, RowInputs& rows, i64 pairs, Value log_probabilities)
      : graph(g), logp(log_probabilities), inputs_(rows), pairs_(pairs) {}
  Graph& graph;
  const Value logp;  // [S]

  /// log pi - log pi_ref [S].
  Value log_ratio();
  /// Per token of the completion [S].
  Value mean(Value x);
  Value chosen(Value x) const { return slice_rows(graph, x, 0, pairs_); }
  Value rejected(Value x) const { return slice_rows(graph, x, pairs_, pairs_); }
  /// Chosen less rejected [M].
  Value difference(Value x) const { return sub(graph, chosen(x), rejected(x)); }
  /// What a record asks for between the two [M].
  Value margin() { return inputs_.declare_numbers(graph, "margin", pairs_); }
  /// Whether log_ratio() was asked for.
  bool referenced() const { return static_cast<bool>(ratio_); }

 private:
  RowInputs& inputs_;
  i64 pairs_;
  Value ratio_;
};

/// A pair's loss and the difference of rewards that it is a function of, both [M].
struct PairLoss {
  Value loss;
  Value reward_margin;
};

class PairObjective : public SequenceObjective {
 public:
  LossValues build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const override;

 protected:
  explicit PairObjective(bool whole = false)
      : SequenceObjective(
            {.sequences = 2, .first = 0, .used = 2, .scalars = kPairScalars, .whole = whole}) {}
  virtual PairLoss pair_loss(PairTerms& terms) const = 0;
  f64 put(const PlacedRecord& record, const FillCtx& ctx, RowInputs& inputs) const override;
  /// The sum over the pairs that are there, with how often the margin is positive and its mean.
  static LossValues total(Graph& graph, const PairLoss& loss, i64 pairs, RowInputs& inputs);
};

/// -log sigmoid(x).
Value softplus_of_negative(Graph& graph, Value x);

}  // namespace lm::train
