#pragma once
// What models that read a prefix twice are trained with (prefix linear attention): the next token
// behind a prefix of fixed length, and tokens of the prefix that are hidden from it. Source: Arora
// et al. 2024 (Just read twice).

#include <vector>

#include "train/objective.h"

namespace lm::train {

struct JrtOptions {
  i64 prefix = 0;     // tokens of a sequence's prefix, at least 1
  f64 share = 0.15;   // of these that are hidden
  f64 weight = 0.25;  // of the hidden ones' mean loss
  i32 mask = -1;      // the token that stands in their place, where there are some
};

/// The mean cross entropy of the tokens behind the prefix, each predicted by the row before it,
/// plus `weight` times that of the hidden tokens, predicted in place by their own rows; the
/// normaliser is the number of the former. Every row sees the prefix with what is hidden. The last
/// token of a prefix is never hidden, since its row predicts the one behind. A model without prefix
/// linear attention reads the same rows from left to right. Sequences that do not reach beyond the
/// prefix have no targets.
class Jrt final : public Objective {
 public:
  explicit Jrt(const JrtOptions& options);
  i64 tokens_per_sequence(i64 seq_len) const override { return seq_len + 1; }
  LossValues build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const override;
  f64 fill(std::span<const Example> examples, const FillCtx& ctx, RowInputs& inputs) const override;
  /// The places of the hidden tokens of a row of the whole run, ascending: round(share (prefix -
  /// 1)) of them.
  std::vector<i64> hidden(u64 seed, u64 row) const;

 private:
  f64 fill_slot(const Example& example, u64 seed, u64 row, i64 first, RowInputs& inputs) const;
  JrtOptions options_;
};

}  // namespace lm::train
