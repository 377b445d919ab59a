#include "embed/embedder.h"

#include <algorithm>

#include "core/clock.h"
#include "core/error.h"
#include "core/parallel.h"
#include "decode/engine_options.h"

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

Embedder::Embedder(model::Engine& engine, const VectorPlan& plan, EmbedLimits limits)
    : engine_(engine), plan_(plan), limits_(limits) {
  LM_CHECK(limits.batch > 0 && limits.chunk > 0, "a pass needs rows");
  LM_CHECK(plan.count() > 0, "a text has a vector");
}

void Embedder::add(std::vector<i32> tokens) {
  LM_CHECK(!tokens.empty(), "a text has a token");
  texts_.push_back(std::move(tokens));
}

/// Rows of the texts that go together: how many texts.
i64 Embedder::gather() {
  const model::SequenceCache& cache = engine_.cache();
  const bool encoder = engine_.cfg().kind == model::ModelKind::kEncoder;
  i64 pages = 0;
  i64 count = 0;
  rows_.clear();
  for (const std::vector<i32>& text : texts_) {
    const i64 need = cache.pages_of(isize(text));
    if (count == 0) decode::check_room(cache, need, isize(text));
    const bool full = count == limits_.batch || isize(rows_) + isize(text) > limits_.chunk ||
                      pages + need > cache.total_pages();
    if (count > 0 && full) break;
    pages += need;
    const i32 seq = engine_.create();
    for (i64 i = 0; i < isize(text); ++i) {
      EvalRow row;
      row.seq = seq;
      row.token = text[usize(i)];
      row.position = static_cast<i32>(engine_.cfg().first_position + i);
      row.see = encoder ? EvalRow::See::kAll : EvalRow::See::kPast;
      row.want_hidden = std::any_of(plan_.pools.begin(), plan_.pools.end(),
                                    [&](Pooling pool) { return pools_row(pool, i, isize(text)); });
      rows_.push_back(row);
    }
    ++count;
  }
  return count;
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
  if (texts_.empty()) return false;
  const i64 count = gather();
  const f64 begin = monotonic_s();
  engine_.eval(rows_);
  stats_.forward_s += monotonic_s() - begin;
  stats_.rows += isize(rows_);
  stats_.texts += count;
  ++stats_.passes;

  std::vector<i64> first = {0};
  for (i64 t = 0; t < count; ++t)
    first.push_back(first.back() + isize(texts_[usize(t)]));
  std::vector<std::vector<f32>> vectors(usize(count));
  parallel_for(count, 1, [&](i64 from, i64 to) {
    for (i64 t = from; t < to; ++t)
      vectors[usize(t)] = pool(first[usize(t)], first[usize(t + 1)] - first[usize(t)]);
  });
  for (i64 t = 0; t < count; ++t) {
    engine_.release(rows_[usize(first[usize(t)])].seq);
    done_.push_back(std::move(vectors[usize(t)]));
    texts_.pop_front();
  }
  return true;
}

std::optional<std::vector<f32>> Embedder::take() {
  if (done_.empty()) return std::nullopt;
  std::vector<f32> out = std::move(done_.front());
  done_.pop_front();
  return out;
}

}  // namespace lm::embed
