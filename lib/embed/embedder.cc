#include "embed/embedder.h"

#include <algorithm>

#include "core/error.h"
#include "core/parallel.h"
#include "model/diffusion.h"

namespace lm::embed {

using model::EvalRow;

StateOptions state_options(const VectorPlan& plan, const model::ModelCfg& cfg) {
  StateOptions out;
  out.states = plan.layers;
  out.final_state = plan.final_norm && cfg.kind == model::ModelKind::kDecoder &&
                    plan.layers.back() == cfg.depth();
  if (out.final_state) out.states.pop_back();
  return out;
}

Embedder::Embedder(model::Engine& engine, const VectorPlan& plan, decode::PassLimits limits)
    : engine_(engine), plan_(plan), passes_(engine, limits, [this](EvalRow& row, i64 i, i64 count) {
        const model::ModelCfg& cfg = engine_.cfg();
        row.position = static_cast<i32>(cfg.first_position + i);
        if (model::sees_behind(cfg)) {
          row.see = EvalRow::See::kAll;
          row.until = static_cast<i32>(model::sight_end(cfg, i, count));
        }
        row.want_hidden = std::any_of(plan_.pools.begin(), plan_.pools.end(),
                                      [&](Pooling pool) { return pools_row(pool, i, count); });
      }) {
  LM_CHECK(plan.count() > 0, "a text has a vector");
}

std::span<const f32> Embedder::state(i64 row, i64 layer) const {
  const bool final_norm = plan_.final_norm && plan_.layers[usize(layer)] == engine_.cfg().depth() &&
                          engine_.cfg().kind == model::ModelKind::kDecoder;
  return final_norm ? engine_.hidden(row) : engine_.state(row, layer);
}

std::vector<f32> Embedder::pool(i64 first_row, i64 rows) const {
  const i64 width = engine_.cfg().width;
  std::vector<f32> out(usize(plan_.count() * width));
  i64 at = 0;
  for (const Pooling pool : plan_.pools) {
    for (i64 layer = 0; layer < isize(plan_.layers); ++layer) {
      Pooler pooler(pool, width);
      for (i64 i = 0; i < rows; ++i)
        if (pools_row(pool, i, rows)) pooler.add(i, state(first_row + i, layer));
      pooler.write(std::span(out).subspan(usize(at), usize(width)));
      at += width;
    }
  }
  return out;
}

bool Embedder::step() {
  return passes_.step([this](std::span<const i64> first) {
    const i64 count = isize(first) - 1;
    std::vector<std::vector<f32>> vectors(usize(count));
    parallel_for(count, 1, [&](i64 from, i64 to) {
      for (i64 t = from; t < to; ++t)
        vectors[usize(t)] = pool(first[usize(t)], first[usize(t + 1)] - first[usize(t)]);
    });
    for (std::vector<f32>& vector : vectors)
      done_.push_back(std::move(vector));
  });
}

std::optional<std::vector<f32>> Embedder::take() {
  if (done_.empty()) return std::nullopt;
  std::vector<f32> out = std::move(done_.front());
  done_.pop_front();
  return out;
}

}  // namespace lm::embed
