#pragma once
// One objective on one model, outside a trainer: its loss, metrics and gradients for given
// examples.

#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"
#include "core/str.h"
#include "cpu/backend.h"
#include "graph/exec.h"
#include "model/checkpoint.h"
#include "train/objective.h"
#include "unit/ops/ref/ref.h"

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

/// Of a probe that has run, along random directions of all parameters at once.
inline void check_gradients(Probe& probe) {
  const Graph& graph = probe.graph->graph;
  // The reference's forward nodes in f64, over the same inputs.
  RefRun ref(graph);
  std::vector<std::pair<i32, Value>> params;
  for (i32 id = 0; id < static_cast<i32>(graph.values().size()); ++id) {
    const ValueInfo& info = graph.values()[usize(id)];
    if (info.kind == ValueKind::kParameter) params.emplace_back(info.param, Value{id});
    if (info.kind != ValueKind::kInput && info.kind != ValueKind::kParameter) continue;
    const Tensor t = probe.executor->tensor(Value{id});
    Numbers numbers;
    for (i64 i = 0; i < t.count(); ++i)
      numbers.push_back(t.dtype == DType::kI32 ? static_cast<f64>(t.i32_data()[i])
                                               : static_cast<f64>(t.f32_data()[i]));
    ref.set(Value{id}, std::move(numbers));
  }
  const RandomStream draw(7, RandomPurpose::kOther);
  u64 at = 0;
  for (int direction = 0; direction < 3; ++direction) {
    constexpr f64 kStep = 1e-5;
    f64 expected = 0;
    std::vector<Numbers> along;
    for (const auto& [param, value] : params) {
      const Tensor grad = probe.grads[param];
      Numbers step;
      for (i64 i = 0; i < grad.count(); ++i) {
        step.push_back(draw.normal(at++));
        expected += step.back() * static_cast<f64>(grad.f32_data()[i]);
      }
      along.push_back(std::move(step));
    }
    const auto loss_at = [&](f64 t) {
      RefRun moved = ref;
      for (std::size_t p = 0; p < params.size(); ++p)
        for (std::size_t i = 0; i < along[p].size(); ++i)
          moved.at(params[p].second)[i] += t * along[p][i];
      moved.run(graph.forward_nodes());
      return moved.at(probe.graph->loss.sum)[0];
    };
    const f64 slope = (loss_at(kStep) - loss_at(-kStep)) / (2 * kStep);
    CHECK(slope == Approx(expected).epsilon(2e-3).margin(1e-4));
  }
}

}  // namespace lm::test
