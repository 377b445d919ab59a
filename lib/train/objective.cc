#include "train/objective.h"

#include <algorithm>

#include "core/error.h"

namespace lm::train {

RowInputs::RowInputs(i64 slots, i64 seq_len)
    : tokens(usize(slots * seq_len)),
      positions(usize(slots * seq_len)),
      targets(usize(slots * seq_len), kIgnoreTarget),
      spans(usize(slots * seq_len)),
      slots_(slots),
      seq_len_(seq_len) {}

void RowInputs::declare(Graph& graph) {
  token_value = graph.input("tokens", {rows()}, DType::kI32);
  position_value = graph.input("positions", {rows()}, DType::kI32);
  span_value = graph.input("spans", {rows(), kSpanInts}, DType::kI32);
  target_value = graph.input("targets", {rows()}, DType::kI32);
}

Value RowInputs::declare_weights(Graph& graph) {
  weights.assign(usize(rows()), 1.0f);
  weight_value = graph.input("row_weights", {rows()});
  return weight_value;
}

void RowInputs::clear() {
  std::fill(tokens.begin(), tokens.end(), 0);
  std::fill(positions.begin(), positions.end(), 0);
  std::fill(targets.begin(), targets.end(), kIgnoreTarget);
  std::fill(spans.begin(), spans.end(), RowSpan{});
  std::fill(weights.begin(), weights.end(), 1.0f);
}

void RowInputs::document(i64 first, i64 count) {
  LM_CHECK(first >= 0 && count >= 0 && first + count <= rows(), "documents fit the batch's rows");
  for (i64 i = 0; i < count; ++i) {
    positions[usize(first + i)] = static_cast<i32>(i);
    spans[usize(first + i)].a0 = static_cast<i32>(first);
    spans[usize(first + i)].a1 = static_cast<i32>(first + i + 1);
  }
}

void RowInputs::set(Executor& executor) {
  const i64 n = rows();
  executor.set(token_value, make_tensor(tokens.data(), {n}, DType::kI32));
  executor.set(target_value, make_tensor(targets.data(), {n}, DType::kI32));
  executor.set(position_value, make_tensor(positions.data(), {n}, DType::kI32));
  executor.set(span_value, model::span_tensor(spans));
  if (weight_value) executor.set(weight_value, make_tensor(weights.data(), {n}));
}

LossValues NextToken::build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const {
  const Value x = model.hidden(inputs.token_value, inputs.position_value, inputs.span_value);
  CeAttr attr;
  attr.vocab = model.config().vocab;
  attr.z_loss = options_.z_loss;
  attr.label_smoothing = options_.label_smoothing;
  const CeResult ce =
      linear_ce(graph, x, model.head(), inputs.target_value, inputs.weight_value, attr);
  return {ce.sum, ce.rows, {}};
}

/// One example into the rows from `first` on; its number of targets.
i64 NextToken::fill_slot(const Example& example, i64 first, RowInputs& inputs) const {
  const i64 n = isize(example.tokens) - 1;
  LM_CHECK(n >= 0 && n <= inputs.seq_len(), "an example fits its rows");
  LM_CHECK(example.loss.empty() || isize(example.loss) == n + 1, "a loss mask of the tokens");
  std::copy_n(example.tokens.begin(), n, inputs.tokens.begin() + first);
  std::copy_n(example.tokens.begin() + 1, n, inputs.targets.begin() + first);
  const auto ignore = [&](i64 token) { inputs.targets[usize(first + token - 1)] = kIgnoreTarget; };
  for (i64 i = 1; i < isize(example.loss); ++i)
    if (example.loss[usize(i)] == 0) ignore(i);
  i64 begin = 0;
  if (options_.documents) {
    for (const i32 start : example.starts) {
      ignore(start);
      if (start == n) continue;
      inputs.document(first + begin, start - begin);
      begin = start;
    }
  }
  inputs.document(first + begin, n - begin);
  return n - std::count(inputs.targets.begin() + first, inputs.targets.begin() + first + n,
                        kIgnoreTarget);
}

f64 NextToken::fill(std::span<const Example> examples, const FillCtx& /*no random choices*/,
                    RowInputs& inputs) const {
  LM_CHECK(isize(examples) <= inputs.slots(), "no more examples than slots");
  inputs.clear();
  i64 count = 0;
  for (i64 s = 0; s < isize(examples); ++s)
    count += fill_slot(examples[usize(s)], s * inputs.seq_len(), inputs);
  return static_cast<f64>(count);
}

TrainGraph::TrainGraph(const model::ModelCfg& cfg, const model::ModelParams& params,
                       const Objective& objective, const Options& options)
    : graph(ops(), options.build.activation),
      model(graph, cfg, params, options.build),
      inputs(options.slots, options.seq_len) {
  graph.set_span_rows(options.seq_len);  // a slot's rows see no others
  inputs.declare(graph);
  loss = objective.build(graph, model, inputs);
  graph.keep(loss.sum);
  graph.keep(loss.rows);
  for (const auto& [name, value] : loss.metrics)
    graph.keep(value);
  if (!options.backward) return;
  graph.backward(loss.sum);
  apply_checkpointing(graph);
}

}  // namespace lm::train
