#include "train/router_loss.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/str.h"
#include "ops/ops.h"

namespace lm::train {
namespace {

/// Where a layer's numbers are: loads, sums of probabilities, then these.
enum Tail : i64 { kKept, kSquares, kRows, kTail };

i64 numbers_of(const RouterLayer& layer) {
  return 2 * layer.experts + kTail;
}

/// sum += x, where sum may be absent.
void add_to(Graph& graph, Value& sum, Value x) {
  sum = sum ? add(graph, sum, x) : x;
}

/// x^power of a sum [1] that may be zero.
Value to_power(Graph& graph, Value x, f32 power) {
  const Value safe = add(graph, x, fill(graph, {1}, 1e-20f));
  return unary(graph, scale(graph, unary(graph, safe, Unary::kLog), power), Unary::kExp);
}

/// The sums of numbers [N, active] over the pairs of each expert, [experts, 1].
Value by_expert(Graph& graph, Value numbers, Value index, i64 experts) {
  const i64 pairs = graph.shape(index).count();
  return scatter_add_rows(graph, reshape(graph, numbers, {pairs, 1}),
                          reshape(graph, index, {pairs}), experts);
}

/// The sum over rows of their sequence's balance.
Value sequence_loss(Graph& graph, const model::RouterValues& router, const RouterRows& rows) {
  Value out;
  const Value ones = fill(graph, {rows.slot_rows, router.active}, 1);
  for (i64 s = 0; s < rows.slots; ++s) {
    const auto own = [&](Value v) {
      return slice_rows(graph, v, s * rows.slot_rows, rows.slot_rows);
    };
    const Value load =
        stop_gradient(graph, by_expert(graph, ones, own(router.index), router.experts));
    const Value asked = to_power(graph, sum(graph, load), -1);
    const Value means = sum_rows(graph, own(router.probabilities));
    const Value even =
        dot(graph, means, reshape(graph, load, {router.experts}), static_cast<f32>(router.experts));
    add_to(graph, out, mul(graph, even, asked));
  }
  return out;
}

/// rows times (experts * sum of I_e^2 / (sum of I_e)^2 - 1).
Value importance_loss(Graph& graph, const model::RouterValues& router, Value rows) {
  const Value sums = by_expert(graph, router.weights, router.index, router.experts);
  const Value squares = dot(graph, sums, sums, static_cast<f32>(router.experts));
  const Value ratio = mul(graph, squares, to_power(graph, sum(graph, sums), -2));
  return mul(graph, add(graph, ratio, fill(graph, {1}, -1)), rows);
}

struct LayerNumbers {
  std::span<const f64> load, probabilities, tail;
};

/// f(layer number, layer, its numbers).
template <typename F>
void each_layer(const RouterTerms& terms, std::span<const f64> numbers, F f) {
  i64 at = 0;
  for (const RouterLayer& layer : terms.layers) {
    const std::span<const f64> own = numbers.subspan(usize(at), usize(numbers_of(layer)));
    const std::size_t n = usize(layer.experts);
    f(layer, LayerNumbers{own.first(n), own.subspan(n, n), own.subspan(2 * n)});
    at += numbers_of(layer);
  }
}

f64 sum_of(std::span<const f64> x) {
  return std::accumulate(x.begin(), x.end(), 0.0);
}

f64 variation(std::span<const f64> load) {
  const f64 mean = sum_of(load) / static_cast<f64>(isize(load));
  f64 squares = 0;
  for (const f64 x : load)
    squares += (x - mean) * (x - mean);
  return mean > 0 ? std::sqrt(squares / static_cast<f64>(isize(load))) / mean : 0;
}

f64 entropy(std::span<const f64> sums) {
  const f64 all = sum_of(sums);
  f64 out = 0;
  for (const f64 x : sums)
    if (x > 0) out -= x / all * std::log(x / all);
  return out;
}

}  // namespace

RouterTerms router_terms(Graph& graph, const model::GraphModel& model, const RouterRows& rows,
                         const RouterOptions& options) {
  const Graph::Scope scope = graph.scope("routers");
  RouterTerms out;
  Value balance, z;
  for (const model::RouterValues& router : model.routers()) {
    RouterLayer layer{router.layer, router.experts, router.load, {}, {}, router.offsets};
    layer.probabilities = sum_rows(graph, router.probabilities);
    add_to(graph, balance,
           dot(graph, layer.probabilities, router.share, static_cast<f32>(router.experts)));
    if (router.logits) {
      layer.squares = dot(graph, router.logits, router.logits);
      add_to(graph, z, dot(graph, router.lse, router.lse));
      graph.keep(layer.squares);
    }
    if (options.sequence > 0)
      add_to(graph, out.loss, scale(graph, sequence_loss(graph, router, rows), options.sequence));
    if (options.importance > 0)
      add_to(graph, out.loss,
             scale(graph, importance_loss(graph, router, rows.routed), options.importance));
    graph.keep(layer.load);
    graph.keep(layer.probabilities);
    graph.keep(layer.offsets);
    out.layers.push_back(layer);
  }
  const f32 mean = 1 / static_cast<f32>(isize(out.layers));
  out.metrics.push_back({"moe_balance", scale(graph, balance, mean)});
  if (z) out.metrics.push_back({"moe_z", scale(graph, z, mean)});
  if (options.balance > 0) add_to(graph, out.loss, scale(graph, balance, options.balance));
  if (options.z > 0 && z) add_to(graph, out.loss, scale(graph, z, options.z));
  return out;
}

i64 router_numbers(const RouterTerms& terms) {
  i64 out = 0;
  for (const RouterLayer& layer : terms.layers)
    out += numbers_of(layer);
  return out;
}

void add_router_numbers(const RouterTerms& terms, const Executor& executor, std::span<f64> to) {
  i64 at = 0;
  for (const RouterLayer& layer : terms.layers) {
    const auto add_all = [&](Value v) {
      std::vector<f32> numbers(usize(executor.graph().shape(v).count()));
      executor.read(v, numbers);
      for (const f32 x : numbers)
        to[usize(at++)] += static_cast<f64>(x);
      return numbers;
    };
    add_all(layer.load);
    const std::vector<f32> probabilities = add_all(layer.probabilities);
    const i64 tail = at;
    to[usize(tail + kKept)] +=
        static_cast<f64>(executor.tensor(layer.offsets).i32_data()[layer.experts]);
    if (layer.squares)
      to[usize(tail + kSquares)] += static_cast<f64>(executor.scalar(layer.squares));
    // Probabilities sum to 1 in every row that is routed.
    to[usize(tail + kRows)] += std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
    at = tail + kTail;
  }
}

std::vector<std::pair<std::string, std::vector<f64>>> router_figures(const RouterTerms& terms,
                                                                     std::span<const f64> numbers) {
  std::vector<f64> cv, most, spread, dropped, size;
  each_layer(terms, numbers, [&](const RouterLayer& layer, const LayerNumbers& n) {
    const f64 asked = sum_of(n.load);
    const f64 count = static_cast<f64>(layer.experts);
    cv.push_back(variation(n.load));
    most.push_back(asked > 0 ? *std::max_element(n.load.begin(), n.load.end()) * count / asked : 0);
    spread.push_back(entropy(n.probabilities));
    dropped.push_back(asked > 0 ? 1 - n.tail[kKept] / asked : 0);
    size.push_back(n.tail[kRows] > 0 ? std::sqrt(n.tail[kSquares] / (n.tail[kRows] * count)) : 0);
  });
  if (terms.layers.empty()) return {};
  return {{"moe_load_cv", cv},
          {"moe_load_max", most},
          {"moe_entropy", spread},
          {"moe_dropped", dropped},
          {"moe_logit_rms", size}};
}

void move_biases(const RouterTerms& terms, std::span<const f64> numbers, f64 size,
                 const ParamSet& set, const ParamSlab& weights) {
  each_layer(terms, numbers, [&](const RouterLayer& layer, const LayerNumbers& n) {
    const i32 param = set.find(cat("blocks.", layer.layer, ".mlp.selection.bias"));
    if (param < 0) return;
    const f64 mean = sum_of(n.load) / static_cast<f64>(layer.experts);
    f32* const bias = weights[param].f32_data();
    for (i64 e = 0; e < layer.experts; ++e) {
      const f64 off = mean - n.load[usize(e)];
      bias[e] += static_cast<f32>(off > 0 ? size : off < 0 ? -size : 0);
    }
  });
}

}  // namespace lm::train
