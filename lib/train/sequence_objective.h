#pragma once
// Losses over whole sequences, a prompt with a completion each: how records of one or two sequences
// lie in the rows of slots, and the log-probabilities of their completions.

#include <array>
#include <span>

#include "train/objective.h"
#include "train/token_loss.h"

namespace lm::train {

/// What of a record stands in Example::scalars.
enum PairScalar : i64 { kMargin, kRefChosen, kRefRejected, kPairScalars };
enum LabelScalar : i64 { kLabel, kRefOwn, kRefOther, kLabelScalars };

/// A record of a micro-batch. Sequence q of it is number q * M + number, of M records at most.
struct PlacedRecord {
  i64 number = 0;
  std::span<const f32> scalars;                       // the record's, then those of targets
  std::array<i64, 2> first_row{}, rows{}, targets{};  // of its sequences
};

class SequenceObjective : public Objective {
 public:
  i64 tokens_per_sequence(i64 seq_len) const override { return seq_len + (whole() ? 0 : 1); }
  i64 slot_rows(i64 seq_len) const override { return layout_.used * seq_len; }
  i64 slot_room(i64 seq_len) const override { return slot_rows(seq_len); }
  i64 room_of(std::span<const i64> lengths) const override;
  i64 tokens_read(const Example& example) const override;
  f64 fill(std::span<const Example> examples, const FillCtx& ctx, RowInputs& inputs) const override;

 protected:
  struct Layout {
    i64 sequences = 1;  // of a record
    i64 first = 0;      // those that this objective reads
    i64 used = 1;
    i64 scalars = 0;        // of a record
    i64 token_scalars = 0;  // further ones of each target, target by target
    bool whole = false;     // the last token is read too
  };
  explicit SequenceObjective(const Layout& layout) : layout_(layout) {}

  /// Records that fit rows at most.
  i64 most_records(const RowInputs& inputs) const { return inputs.rows() / layout_.used; }
  /// Numbers of a record, where they were declared; what it adds to the normaliser.
  virtual f64 put(const PlacedRecord& record, const FillCtx& ctx, RowInputs& inputs) const = 0;
  /// Nats of each row's target, 0 without one, [N].
  static Value row_losses(Graph& graph, model::GraphModel& model, RowInputs& inputs);
  /// Log-probabilities of the completions of all sequences [used * M]; 0 where there is none.
  Value log_probabilities(Graph& graph, model::GraphModel& model, RowInputs& inputs) const;
  /// The hidden states of all sequences' last tokens [used * M, C], zero where there is none.
  Value last_states(Graph& graph, model::GraphModel& model, RowInputs& inputs) const;

 private:
  bool whole() const { return layout_.whole; }
  i64 place(const Example& example, i64 begin, i64 end, i64 sequence, i64 row, RowInputs& inputs,
            i64& targets) const;

  Layout layout_;
};

/// Rows of x, clamped below zero by so little that log1mexp and its slope stay finite: a token of
/// probability one has odds of a million.
Value below_zero(Graph& graph, Value x);

}  // namespace lm::train
