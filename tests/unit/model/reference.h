#pragma once
// The slow reference of inference: a whole text in double precision under an explicit mask.

#include <cmath>

#include "core/str.h"
#include "model/build.h"
#include "model/checkpoint.h"
#include "unit/ops/ref/ref.h"

namespace lm::test {

/// Runs the graph to its end: weights and rotary tables of the model, inputs as the caller has set
/// them.
inline void run_with_weights(RefRun& run, const Graph& graph, const model::Model& model) {
  const auto give = [&run](Value v, const Tensor& t) {
    Numbers all;
    for (i64 r = 0; r < t.rows(); ++r)
      all.insert(all.end(), t.f32_data() + r * t.ld, t.f32_data() + r * t.ld + t.cols());
    run.set(v, all);
  };
  const model::RopeTables ropes(model.cfg, 0);
  for (i32 v = 0; v < isize(graph.values()); ++v) {
    const ValueInfo& info = graph.values()[usize(v)];
    if (info.param >= 0) give(Value{v}, model.weights[info.param]);
    for (i64 table = 0; table < ropes.size(); ++table)
      if (info.name == cat("rope.", table)) give(Value{v}, ropes.tensor(table));
  }
  run.run(isize(graph.nodes()));
}

/// Log-probabilities of all tokens behind each row, [rows][vocab]: row i stands at positions[i] and
/// sees the rows of spans[i].
inline std::vector<std::vector<f64>> slow_logprobs(const model::Model& model,
                                                   std::span<const i32> tokens,
                                                   std::span<const i32> positions,
                                                   std::span<const RowSpan> spans) {
  const i64 n = isize(tokens);
  Graph graph(ops());
  model::GraphModel parts(graph, model.cfg, *model.params, {});
  const Value ids = graph.input("tokens", {n}, DType::kI32);
  const Value at = graph.input("positions", {n}, DType::kI32);
  const Value seen = graph.input("spans", {n, kSpanInts}, DType::kI32);
  const Value logits =
      lm::logits(graph, parts.hidden(ids, at, seen), parts.head(), model.cfg.vocab);
  RefRun run(graph);
  const auto numbers = [](const auto& list) { return Numbers(list.begin(), list.end()); };
  run.set(ids, numbers(tokens));
  run.set(at, numbers(positions));
  Numbers edges;
  for (const RowSpan& s : spans)
    edges.insert(edges.end(),
                 {1.0 * s.a0, 1.0 * s.a1, 1.0 * s.b0, 1.0 * s.b1, 1.0 * s.la, 1.0 * s.lb});
  run.set(seen, edges);
  run_with_weights(run, graph, model);
  std::vector<std::vector<f64>> out;
  for (i64 i = 0; i < n; ++i) {
    const auto begin = run.at(logits).begin() + i * model.cfg.vocab;
    std::vector<f64> row(begin, begin + model.cfg.vocab);
    f64 sum = 0;
    for (const f64 x : row)
      sum += std::exp(x);
    for (f64& x : row)
      x -= std::log(sum);
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace lm::test
