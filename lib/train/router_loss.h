#pragma once
// Losses and statistics of the routers of mixtures of experts, beside an objective. With f_e the
// share of a micro-batch's pairs that ask for expert e and p_e its mean probability over the rows:
// balance = experts * sum of f_e p_e, 1 at even load; sequence = the mean of the same over the
// sequences of a batch; z = mean of lse(logits)^2; importance = squared deviation over squared mean
// of the experts' sums of weights. Each is added over the layers, times its weight and the
// objective's normaliser. Without a loss: biases that select are moved by sign(mean load - load).
// Sources: Shazeer et al. 2017 (importance); Fedus et al. 2021; Zoph et al. 2022 (z); DeepSeek-AI
// 2024 (sequences); Wang et al. 2024 (biases).

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "graph/exec.h"
#include "model/build.h"

namespace lm::train {

struct RouterOptions {
  f32 balance = 0;
  f32 sequence = 0;
  f32 z = 0;
  f32 importance = 0;
  f64 bias_update = 0;  // what a bias moves by in a step
};

/// A figure of the metrics log: the sum over a step's rows.
struct RouterMetric {
  std::string name;
  Value sum;
};

/// Of a mixture, what statistics are made of; kept by the graph.
struct RouterLayer {
  i64 layer = 0;
  i64 experts = 0;
  Value load;           // [experts]
  Value probabilities;  // [experts], sums over rows
  Value squares;        // [1], of logits; absent: there are none
  Value offsets;        // i32 [experts + 1]
};

struct RouterTerms {
  Value loss;  // [1], a sum over rows; absent where no weight is set
  std::vector<RouterMetric> metrics;
  std::vector<RouterLayer> layers;
};

/// The rows of a graph: how many are routed, [1], and which lie in one sequence.
struct RouterRows {
  Value routed;
  i64 slots = 0;
  i64 slot_rows = 0;
};

/// Adds them to the graph of a model whose layers are built.
RouterTerms router_terms(Graph& graph, const model::GraphModel& model, const RouterRows& rows,
                         const RouterOptions& options);

/// Numbers that micro-batches add up; to[0, router_numbers) grows by those of the last run.
i64 router_numbers(const RouterTerms& terms);
void add_router_numbers(const RouterTerms& terms, const Executor& executor, std::span<f64> to);
/// Lists of a number for each mixture: moe_load_cv, deviation over mean of the experts' loads;
/// moe_load_max, the largest over the mean; moe_entropy of the mean probabilities, in nats;
/// moe_dropped, the share of pairs that found no room; moe_logit_rms.
std::vector<std::pair<std::string, std::vector<f64>>> router_figures(const RouterTerms& terms,
                                                                     std::span<const f64> numbers);
/// The biases of layers that have some, by `size` each.
void move_biases(const RouterTerms& terms, std::span<const f64> numbers, f64 size,
                 const ParamSet& set, const ParamSlab& weights);

}  // namespace lm::train
