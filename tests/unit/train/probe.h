#pragma once
// One objective on one model, outside a trainer: its loss, metrics and gradients for given
// examples.

#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/str.h"
#include "cpu/backend.h"
#include "graph/exec.h"
#include "model/checkpoint.h"
#include "train/objective.h"

namespace lm::test {

struct Probe {
  std::unique_ptr<train::Objective> objective;
  model::Model model;
  ParamSlab grads;
  std::unique_ptr<train::TrainGraph> graph;
  std::unique_ptr<Executor> executor;
  f64 share = 0;

  Probe(std::unique_ptr<train::Objective> made, const model::ModelCfg& cfg,
        const train::TrainGraph::Options& shape)
      : objective(std::move(made)),
        model(model::new_model(cfg, 3)),
        grads(model.params->set),
        graph(std::make_unique<train::TrainGraph>(model.cfg, *model.params, *objective, shape)),
        executor(std::make_unique<Executor>(graph->graph, cpu_backend())) {
    graph->model.bind(*executor, model.weights);
    executor->bind_grads([this](i32 index) { return grads[index]; });
  }

  /// The loss, a sum.
  f64 run(std::span<const train::Example> examples, f64 before = 0) {
    grads.zero();
    share = objective->fill(examples, {.before = before}, graph->inputs);
    graph->inputs.set(*executor);
    executor->run({});
    return static_cast<f64>(executor->scalar(graph->loss.sum));
  }
  const train::LossMetric& metric_of(std::string_view name) const {
    for (const train::LossMetric& m : graph->loss.metrics)
      if (m.name == name) return m;
    throw Error(ErrorKind::kInternal, cat("no metric ", name));
  }
  f64 metric_sum(std::string_view name) const {
    return static_cast<f64>(executor->scalar(metric_of(name).sum));
  }
  f64 metric(std::string_view name) const {
    const train::LossMetric& m = metric_of(name);
    return metric_sum(name) / (m.weight ? static_cast<f64>(executor->scalar(m.weight)) : share);
  }
};

}  // namespace lm::test
