#include "train/sequence_objective.h"

#include <algorithm>

#include "core/error.h"

namespace lm::train {

namespace {

constexpr f64 kLeastLoss = 1e-6;  // nats

}  // namespace

i64 SequenceObjective::room_of(std::span<const i64> lengths) const {
  LM_CHECK(isize(lengths) == layout_.sequences, "a record has the objective's sequences");
  const i64 unread = layout_.whole ? 0 : 1;
  if (layout_.used == layout_.sequences) {
    i64 sum = 0;
    for (const i64 length : lengths)
      sum += length - unread;
    return sum;
  }
  // The sequences of a record are read in different passes, each with all of the slot.
  return *std::max_element(lengths.begin(), lengths.end()) - unread;
}

i64 SequenceObjective::tokens_read(const Example& example) const {
  if (example.tokens.empty()) return 0;
  const i64 sequences = isize(example.starts) + 1;
  return isize(example.tokens) - (layout_.whole ? 0 : sequences);
}

/// Tokens [begin, end) of an example as a sequence in the rows from `row` on; how many rows.
i64 SequenceObjective::place(const Example& example, i64 begin, i64 end, i64 sequence, i64 row,
                             RowInputs& inputs, i64& targets) const {
  const i64 rows = end - begin - (layout_.whole ? 0 : 1);
  LM_CHECK(rows > 0, "a sequence has tokens to read");
  inputs.document(row, rows);
  const std::span<i32> of_row = inputs.indices("sequence");
  for (i64 j = 0; j < rows; ++j) {
    inputs.tokens[usize(row + j)] = example.tokens[usize(begin + j)];
    if (begin + j + 1 >= end || example.loss[usize(begin + j + 1)] == 0) continue;
    inputs.targets[usize(row + j)] = example.tokens[usize(begin + j + 1)];
    if (!of_row.empty()) of_row[usize(row + j)] = static_cast<i32>(sequence);
    ++targets;
  }
  const std::span<i32> last = inputs.indices("last");
  if (!last.empty()) last[usize(sequence)] = static_cast<i32>(row + rows - 1);
  return rows;
}

f64 SequenceObjective::fill(std::span<const Example> examples, const FillCtx& ctx,
                            RowInputs& inputs) const {
  LM_CHECK(isize(examples) <= inputs.slots(), "no more examples than slots");
  inputs.clear();
  f64 share = 0;
  i64 number = 0;
  for (i64 s = 0; s < isize(examples); ++s) {
    const Example& e = examples[usize(s)];
    if (e.tokens.empty()) continue;
    const i64 sequences = isize(e.starts) + 1;
    const i64 records = sequences / layout_.sequences;
    LM_CHECK(records * layout_.sequences == sequences && e.loss.size() == e.tokens.size(),
             "whole records");
    i64 row = s * inputs.slot_rows();
    i64 scalar = 0;
    const auto bound = [&](i64 q) {
      if (q == 0) return i64{0};
      return q == sequences ? isize(e.tokens) : i64{e.starts[usize(q - 1)]};
    };
    for (i64 r = 0; r < records; ++r, ++number) {
      PlacedRecord record;
      record.number = number;
      for (i64 u = 0; u < layout_.used; ++u) {
        const i64 q = r * layout_.sequences + layout_.first + u;
        record.first_row[usize(u)] = row;
        record.rows[usize(u)] = place(e, bound(q), bound(q + 1), u * most_records(inputs) + number,
                                      row, inputs, record.targets[usize(u)]);
        row += record.rows[usize(u)];
      }
      LM_CHECK(row <= (s + 1) * inputs.slot_rows(), "an example fits its slot");
      const i64 targets = record.targets[0] + record.targets[1];
      const i64 scalars = layout_.scalars + layout_.token_scalars * targets;
      LM_CHECK(scalar + scalars <= isize(e.scalars), "a record has its numbers");
      record.scalars = std::span(e.scalars).subspan(usize(scalar), usize(scalars));
      scalar += scalars;
      share += put(record, ctx, inputs);
    }
    LM_CHECK(scalar == isize(e.scalars), "numbers of whole records");
  }
  return share;
}

Value SequenceObjective::row_losses(Graph& graph, model::GraphModel& model, RowInputs& inputs) {
  const Value x = model.hidden(inputs.token_value, inputs.position_value, inputs.span_value);
  CeAttr attr;
  attr.vocab = model.config().vocab;
  return linear_ce(graph, x, model.head(), inputs.target_value, {}, attr).rows;
}

Value SequenceObjective::log_probabilities(Graph& graph, model::GraphModel& model,
                                           RowInputs& inputs) const {
  const Value rows = row_losses(graph, model, inputs);
  const Value sequence = inputs.declare_indices(graph, "sequence", inputs.rows());
  const i64 count = layout_.used * most_records(inputs);
  const Value nats =
      scatter_add_rows(graph, reshape(graph, rows, {inputs.rows(), 1}), sequence, count);
  return scale(graph, reshape(graph, nats, {count}), -1);
}

Value SequenceObjective::last_states(Graph& graph, model::GraphModel& model,
                                     RowInputs& inputs) const {
  const Value x = model.hidden(inputs.token_value, inputs.position_value, inputs.span_value);
  return gather_rows(graph, x,
                     inputs.declare_indices(graph, "last", layout_.used * most_records(inputs)));
}

Value below_zero(Graph& graph, Value x) {
  // min(x, -c) = -(max(-x - c, 0) + c)
  const Value over = unary(graph, shifted(graph, scale(graph, x, -1), -kLeastLoss), Unary::kRelu);
  return scale(graph, shifted(graph, over, kLeastLoss), -1);
}

}  // namespace lm::train
