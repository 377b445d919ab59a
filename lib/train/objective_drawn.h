#pragma once
// Language modelling with embeddings that every example draws anew (model/drawn_embeddings.h).

#include "model/drawn_embeddings.h"
#include "train/objective_next_token.h"

namespace lm::train {

/// What an objective has to know of the model's embeddings.
struct DrawnOptions {
  model::EmbedCfg embed;
  i64 vocab = 0;
  i64 width = 0;
};

/// NextToken by cross entropy, each slot with tables of its own, which seed, example and step say
/// (model::EmbedDraw). In f32. The gradient of a table's learnt rows reaches the learnt table.
class DrawnNextToken final : public Objective {
 public:
  /// LM_CHECK: embeddings are drawn, the loss is cross entropy.
  DrawnNextToken(const DrawnOptions& drawn, const NextToken::Options& options);
  i64 tokens_per_sequence(i64 seq_len) const override { return rows_.tokens_per_sequence(seq_len); }
  bool is_cross_entropy() const override { return true; }
  i64 table_bytes(i64 slots) const override;
  LossValues build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const override;
  /// Throws Error{kData} for a token outside the vocabulary.
  f64 fill(std::span<const Example> examples, const FillCtx& ctx, RowInputs& inputs) const override;

 private:
  DrawnOptions drawn_;
  NextToken::Options options_;
  NextToken rows_;
};

}  // namespace lm::train
