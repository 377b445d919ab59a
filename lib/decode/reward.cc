#include "decode/reward.h"

#include <utility>

#include "core/clock.h"
#include "core/error.h"
#include "decode/engine_options.h"

namespace lm::decode {

using model::EvalRow;

RewardScorer::RewardScorer(model::Engine& engine, std::vector<f32> head, ScoreOptions options)
    : engine_(engine), head_(std::move(head)), options_(options) {
  LM_CHECK(isize(head_) == engine.cfg().width, "a weight for each of a state's numbers");
}

void RewardScorer::add(std::vector<i32> tokens) {
  LM_CHECK(!tokens.empty() && isize(tokens) <= engine_.positions(), "a text fits the context");
  texts_.push_back(std::move(tokens));
}

/// Rows of the texts that go together: how many texts.
i64 RewardScorer::gather() {
  const model::SequenceCache& cache = engine_.cache();
  i64 pages = 0;
  i64 count = 0;
  rows_.clear();
  for (const std::vector<i32>& text : texts_) {
    const i64 need = cache.pages_of(isize(text));
    if (count == 0) check_room(cache, need, isize(text));
    const bool full = count == options_.batch || isize(rows_) + isize(text) > options_.chunk ||
                      pages + need > cache.total_pages();
    if (count > 0 && full) break;
    pages += need;
    const i32 seq = engine_.create();
    for (const i32 token : text) {
      EvalRow row;
      row.seq = seq;
      row.token = token;
      rows_.push_back(row);
    }
    rows_.back().want_hidden = true;
    ++count;
  }
  return count;
}

bool RewardScorer::step() {
  if (texts_.empty()) return false;
  const i64 count = gather();
  const f64 begin = monotonic_s();
  engine_.eval(rows_);
  stats_.forward_s += monotonic_s() - begin;
  stats_.rows += isize(rows_);
  ++stats_.steps;
  i64 row = -1;
  for (i64 t = 0; t < count; ++t) {
    row += isize(texts_.front());
    const std::span<const f32> state = engine_.hidden(row);
    f64 sum = 0;
    for (i64 i = 0; i < isize(head_); ++i)
      sum += static_cast<f64>(head_[usize(i)]) * static_cast<f64>(state[usize(i)]);
    done_.push_back(sum);
    engine_.release(rows_[usize(row)].seq);
    texts_.pop_front();
  }
  return true;
}

std::optional<f64> RewardScorer::take() {
  if (done_.empty()) return std::nullopt;
  const f64 out = done_.front();
  done_.pop_front();
  return out;
}

}  // namespace lm::decode
