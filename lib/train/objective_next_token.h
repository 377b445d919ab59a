#pragma once
// Language modelling: every token of a document, or those that a mask names.

#include "train/objective.h"
#include "train/token_loss.h"

namespace lm::train {

/// Cross entropy of the next token over the targets of examples; the normaliser is their number.
/// With a loss mask this is supervised fine-tuning. Tokens of an example's prefixes see all of
/// their prefix and are no targets.
class NextToken final : public Objective {
 public:
  struct Options {
    /// A row sees its own document only, positions begin at 0 in each, and the first token of a
    /// document is no target.
    bool documents = false;
    /// Each document (without the above: what an example holds) has a prefix that sees all of
    /// itself and is no target, of a length drawn uniformly for every row of a step.
    bool draw_prefixes = false;
    f32 z_loss = 0;
    f32 label_smoothing = 0;
    TokenLossOptions loss = {};  // z-loss and smoothing are of plain cross entropy
  };
  explicit NextToken(const Options& options) : options_(options) {}
  i64 tokens_per_sequence(i64 seq_len) const override { return seq_len + 1; }
  bool is_cross_entropy() const override {
    return options_.loss.kind == TokenLossKind::kCe && !options_.draw_prefixes;
  }
  i64 table_bytes(i64 slots) const override;
  LossValues build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const override;
  f64 fill(std::span<const Example> examples, const FillCtx& ctx, RowInputs& inputs) const override;

 private:
  LossValues emo(Graph& graph, Value x, model::GraphModel& model, RowInputs& inputs) const;
  LossValues mixed(Graph& graph, Value x, model::GraphModel& model, RowInputs& inputs) const;
  i64 fill_slot(const Example& example, std::span<const i32> prefixes, i64 first,
                RowInputs& inputs) const;
  std::vector<i32> drawn_prefixes(const Example& example, u64 seed, u64 row) const;
  Options options_;
};

}  // namespace lm::train
