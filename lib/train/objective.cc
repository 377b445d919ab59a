#include "train/objective.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace lm::train {

namespace {

// Inputs of the losses of routers: rows that are routed; the normaliser over these.
constexpr const char* kRoutedRows = "routed_rows";
constexpr const char* kRouterScale = "router_scale";

}  // namespace

RowInputs::RowInputs(i64 slots, i64 slot_rows)
    : tokens(usize(slots * slot_rows)),
      positions(usize(slots * slot_rows)),
      targets(usize(slots * slot_rows), kIgnoreTarget),
      spans(usize(slots * slot_rows)),
      slots_(slots),
      slot_rows_(slot_rows) {}

void RowInputs::declare(Graph& graph) {
  token_value = graph.input("tokens", {rows()}, DType::kI32);
  position_value = graph.input("positions", {rows()}, DType::kI32);
  span_value = graph.input("spans", {rows(), kSpanInts}, DType::kI32);
  target_value = graph.input("targets", {rows()}, DType::kI32);
}

Value RowInputs::declare_prefixes(Graph& graph) {
  prefix_ends.assign(usize(rows()), 0);
  prefix_value = graph.input("prefix_ends", {rows()}, DType::kI32);
  return prefix_value;
}

Value RowInputs::declare_weights(Graph& graph) {
  weights.assign(usize(rows()), 1.0f);
  weight_value = graph.input("row_weights", {rows()});
  return weight_value;
}

Value RowInputs::declare_numbers(Graph& graph, std::string_view name, i64 count) {
  numbers_.push_back(
      {std::string(name), graph.input(name, {count}), std::vector<f32>(usize(count))});
  return numbers_.back().value;
}

Value RowInputs::declare_indices(Graph& graph, std::string_view name, i64 count) {
  indices_.push_back({std::string(name), graph.input(name, {count}, DType::kI32),
                      std::vector<i32>(usize(count), -1)});
  return indices_.back().value;
}

Value RowInputs::declare_table(Graph& graph, std::string_view name, i64 rows, i64 cols,
                               const f32* data) {
  const Value value = graph.input(name, {rows, cols});
  tables_.push_back({value, make_tensor(const_cast<f32*>(data), {rows, cols})});
  return value;
}

std::span<f32> RowInputs::numbers(std::string_view name) {
  for (Own<f32>& own : numbers_)
    if (own.name == name) return own.data;
  return {};
}

std::span<i32> RowInputs::indices(std::string_view name) {
  for (Own<i32>& own : indices_)
    if (own.name == name) return own.data;
  return {};
}

void RowInputs::clear() {
  std::fill(tokens.begin(), tokens.end(), 0);
  std::fill(positions.begin(), positions.end(), 0);
  std::fill(targets.begin(), targets.end(), kIgnoreTarget);
  std::fill(spans.begin(), spans.end(), RowSpan{});
  std::fill(weights.begin(), weights.end(), 1.0f);
  for (Own<f32>& own : numbers_)
    std::fill(own.data.begin(), own.data.end(), 0.0f);
  for (Own<i32>& own : indices_)
    std::fill(own.data.begin(), own.data.end(), -1);
}

void RowInputs::document(i64 first, i64 count) {
  LM_CHECK(first >= 0 && count >= 0 && first + count <= rows(), "documents fit the batch's rows");
  for (i64 i = 0; i < count; ++i) {
    positions[usize(first + i)] = static_cast<i32>(i);
    spans[usize(first + i)].a0 = static_cast<i32>(first);
    spans[usize(first + i)].a1 = static_cast<i32>(first + i + 1);
    if (prefix_value) prefix_ends[usize(first + i)] = static_cast<i32>(first);
  }
}

void RowInputs::prefix(i64 first, i64 count) {
  LM_CHECK(first >= 0 && count >= 0 && first + count <= rows(), "a prefix fits the batch's rows");
  if (prefix_value) {
    const auto of_text = [&](i64 row) { return row < rows() && spans[usize(row)].a0 == first; };
    for (i64 i = first; of_text(i); ++i)
      prefix_ends[usize(i)] = static_cast<i32>(first + count);
    return;
  }
  for (i64 i = first; i < first + count; ++i)
    spans[usize(i)].a1 = static_cast<i32>(first + count);
}

void RowInputs::blocks(i64 noisy, i64 clean, i64 count, i64 block) {
  LM_CHECK(noisy >= 0 && clean >= 0 && count >= 0 && block > 0 &&
               std::max(noisy, clean) + count <= rows() &&
               std::max(noisy, clean) - std::min(noisy, clean) >= count,
           "both halves fit the batch's rows");
  for (i64 i = 0; i < count; ++i) {
    positions[usize(noisy + i)] = positions[usize(clean + i)] = static_cast<i32>(i);
    spans[usize(noisy + i)] = noisy_span(noisy, clean, i, block, count);
    spans[usize(clean + i)] = clean_span(clean, i, block, count);
  }
}

void RowInputs::set(Executor& executor) {
  const i64 n = rows();
  executor.set(token_value, make_tensor(tokens.data(), {n}, DType::kI32));
  executor.set(target_value, make_tensor(targets.data(), {n}, DType::kI32));
  executor.set(position_value, make_tensor(positions.data(), {n}, DType::kI32));
  executor.set(span_value, model::span_tensor(spans));
  if (weight_value) executor.set(weight_value, make_tensor(weights.data(), {n}));
  if (prefix_value) executor.set(prefix_value, make_tensor(prefix_ends.data(), {n}, DType::kI32));
  for (Own<f32>& own : numbers_)
    executor.set(own.value, make_tensor(own.data.data(), {isize(own.data)}));
  for (Own<i32>& own : indices_)
    executor.set(own.value, make_tensor(own.data.data(), {isize(own.data)}, DType::kI32));
  if (std::exchange(tables_set_, true)) return;
  for (const Table& table : tables_) {
    if (executor.device() == Device{})
      executor.bind(table.value, table.data);
    else
      executor.set(table.value, table.data);
  }
}

i64 Objective::room_of(std::span<const i64> lengths) const {
  return std::accumulate(lengths.begin(), lengths.end(), i64{0});
}

i64 Objective::tokens_read(const Example& example) const {
  return isize(example.tokens) - 1;
}

TrainGraph::TrainGraph(const model::ModelCfg& cfg, const model::ModelParams& params,
                       const Objective& objective, const Options& options)
    : graph(ops(), options.build.activation),
      model(graph, cfg, params, options.build),
      inputs(options.slots, objective.slot_rows(options.seq_len)) {
  graph.set_span_rows(objective.seen_rows(options.seq_len));
  inputs.declare(graph);
  if (model::reads_prefixes(cfg)) model.use_prefixes(inputs.declare_prefixes(graph));
  loss = objective.build(graph, model, inputs);
  graph.keep(loss.sum);
  if (loss.rows) graph.keep(loss.rows);
  for (const Value& measure : loss.measures)
    graph.keep(measure);
  for (const LossMetric& metric : loss.metrics) {
    graph.keep(metric.sum);
    if (metric.weight) graph.keep(metric.weight);
  }
  if (!options.backward) return;
  Value total = loss.sum;
  if (!model.routers().empty()) {
    const Value rows = inputs.declare_numbers(graph, kRoutedRows, 1);
    const Value scale = inputs.declare_numbers(graph, kRouterScale, 1);
    routers =
        router_terms(graph, model, {rows, inputs.slots(), inputs.slot_rows()}, options.routers);
    if (routers.loss) total = add(graph, total, mul(graph, routers.loss, scale, Along::kScalar));
    for (const RouterMetric& one : routers.metrics) {
      loss.metrics.push_back({one.name, one.sum, rows});
      graph.keep(one.sum);
    }
    graph.keep(rows);
  }
  graph.backward(total);
  apply_checkpointing(graph);
}

void TrainGraph::weigh(f64 share) {
  const std::span<f32> rows = inputs.numbers(kRoutedRows);
  if (rows.empty()) return;
  const i64 count = std::count_if(inputs.spans.begin(), inputs.spans.end(),
                                  [](const RowSpan& s) { return s.a1 > s.a0 || s.b1 > s.b0; });
  rows[0] = static_cast<f32>(count);
  inputs.numbers(kRouterScale)[0] =
      count > 0 ? static_cast<f32>(share / static_cast<f64>(count)) : 0.0f;
}

}  // namespace lm::train
