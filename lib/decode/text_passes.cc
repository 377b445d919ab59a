#include "decode/text_passes.h"

#include <utility>

#include "core/clock.h"
#include "core/error.h"
#include "decode/engine_options.h"

namespace lm::decode {

using model::EvalRow;

TextPasses::TextPasses(model::Engine& engine, PassLimits limits, Ask ask)
    : engine_(engine), limits_(limits), ask_(std::move(ask)) {
  LM_CHECK(limits.batch > 0 && limits.chunk > 0, "a pass needs rows");
}

void TextPasses::add(std::vector<i32> tokens) {
  LM_CHECK(!tokens.empty() && isize(tokens) + engine_.cfg().first_position <= engine_.positions(),
           "a text has a token and fits the context");
  texts_.push_back(std::move(tokens));
}

/// Rows of the texts that go together.
void TextPasses::gather() {
  const model::SequenceCache& cache = engine_.cache();
  i64 pages = 0;
  rows_.clear();
  first_ = {0};
  for (const std::vector<i32>& text : texts_) {
    const i64 count = isize(first_) - 1;
    const i64 need = cache.pages_of(isize(text));
    if (count == 0) check_room(cache, need, isize(text));
    const bool full = count == limits_.batch || isize(rows_) + isize(text) > limits_.chunk ||
                      pages + need > cache.total_pages();
    if (count > 0 && full) break;
    pages += need;
    const i32 seq = engine_.create();
    for (i64 i = 0; i < isize(text); ++i) {
      EvalRow row;
      row.seq = seq;
      row.token = text[usize(i)];
      ask_(row, i, isize(text));
      rows_.push_back(row);
    }
    first_.push_back(isize(rows_));
  }
}

bool TextPasses::step(const Read& read) {
  if (texts_.empty()) return false;
  gather();
  const f64 begin = monotonic_s();
  engine_.eval(rows_);
  stats_.forward_s += monotonic_s() - begin;
  stats_.rows += isize(rows_);
  stats_.texts += isize(first_) - 1;
  ++stats_.passes;
  read(first_);
  for (i64 t = 0; t + 1 < isize(first_); ++t) {
    engine_.release(rows_[usize(first_[usize(t)])].seq);
    texts_.pop_front();
  }
  return true;
}

}  // namespace lm::decode
