// The engine's rows before their passes run: what they may be, which go together, where they are
// written, what they see.

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "model/engine.h"
#include "model/layer.h"

namespace lm::model {

void Engine::check_rows(std::span<const EvalRow> rows) const {
  std::map<i32, i64> counts;
  for (i64 i = 0; i < isize(rows); ++i) {
    const EvalRow& row = rows[usize(i)];
    Placement at;
    at.first = cache_->length(row.seq);
    at.slot = at.first + counts[row.seq]++;
    check_row(row, at);
    const bool follows = i > 0 && rows[usize(i - 1)].seq == row.seq && rows[usize(i - 1)].prefix;
    LM_CHECK(!row.prefix || (reads_prefixes(model_.cfg) && (at.slot == 0 || follows)),
             "a prefix is what its text begins with, row behind row");
  }
  i64 needed = 0;
  for (const auto& [seq, count] : counts)
    needed += cache_->pages_needed(seq, count);
  if (needed > cache_->free_pages())
    throw Error(ErrorKind::kOs,
                cat("the key-value cache is full: ", needed, " pages needed, ",
                    cache_->free_pages(), " of ", cache_->total_pages(), " free"),
                "fewer sequences at once, or a larger cache");
}

void Engine::check_row(const EvalRow& row, const Placement& at) const {
  if (row.token < 0 || row.token >= model_.cfg.vocab)
    throw Error(ErrorKind::kData, cat("token ", row.token, " is outside the model's vocabulary of ",
                                      model_.cfg.vocab));
  LM_CHECK(!row.want_logits || options_.max_logit_rows > 0, "this engine makes no logits");
  const i64 position = position_of(row, at);
  if (position >= positions_)
    throw Error(ErrorKind::kData,
                cat("position ", position, " is beyond the model's ", positions_, " positions"));
  const i64 before = row.see == EvalRow::See::kPast ? at.slot : at.first;
  LM_CHECK(row.hole_begin >= 0 && row.hole_begin <= row.hole_end && row.hole_end <= before,
           "a hole lies inside the slots that a row sees before itself");
  if (state_numbers(model_.cfg) > 0 &&
      (row.see == EvalRow::See::kAll || row.hole_begin < row.hole_end || position != at.slot))
    throw Error(ErrorKind::kUsage,
                "this model reads a text token by token: it has recurrent layers, which know no "
                "other order");
  if (row.see == EvalRow::See::kAll) {
    LM_CHECK(row.until >= 0, "a row sees some rows of its call");
    for (const LayerCfg& layer : model_.cfg.layers) {
      const AttentionCfg* const a = std::get_if<AttentionCfg>(&layer.mixer);
      if (a != nullptr && a->sparse.on())
        throw Error(ErrorKind::kUsage,
                    "this model has sparse attention (lm_sparse in config.json), which knows only "
                    "what is before a token");
    }
  }
  if (row.see != EvalRow::See::kTree) return;
  if (!cache_->can_tree())
    throw Error(ErrorKind::kUsage, "this model's memory of a text keeps no trees of drafts");
  const i64 own = at.slot - at.first;
  LM_CHECK(own == 64 || (own < 64 && row.ancestors >> own == 0),
           "tree ancestors come before their row and are among the first 64");
}

/// Passes of at most max_rows rows and max_logit_rows logits, in order of the rows. A sequence some
/// of whose rows see all of it is not parted, nor is a prefix: a pass that it alone makes too long
/// stays so.
std::vector<Engine::Cut> Engine::cut(std::span<const EvalRow> rows) const {
  std::map<i32, i64> last;  // of such sequences, their last row; of a prefix the last
  for (const EvalRow& row : rows)
    if (row.see == EvalRow::See::kAll) last[row.seq] = 0;
  if (!last.empty()) {
    for (i64 i = 0; i < isize(rows); ++i) {
      const auto found = last.find(rows[usize(i)].seq);
      if (found != last.end()) found->second = i;
    }
  }
  for (i64 i = 0; i < isize(rows); ++i)
    if (rows[usize(i)].prefix) last[rows[usize(i)].seq] = i;
  std::vector<Cut> out;
  i64 begin = 0;
  while (begin < isize(rows)) {
    i64 end = begin;    // where the pass may end
    i64 wanted = 0;     // logits
    i64 bound = begin;  // no cut before this row
    for (i64 i = begin;; ++i) {
      if (i >= bound) end = i;
      if (i == isize(rows)) break;
      const EvalRow& row = rows[usize(i)];
      const bool full =
          i - begin == options_.max_rows || (row.want_logits && wanted >= options_.max_logit_rows);
      const bool beyond = i - begin > options_.max_rows || wanted > options_.max_logit_rows;
      if ((full || beyond) && end > begin) break;
      wanted += row.want_logits ? 1 : 0;
      const auto found = last.find(row.seq);
      if (found != last.end()) bound = std::max(bound, found->second + 1);
    }
    out.push_back({begin, end});
    begin = end;
  }
  return out;
}

/// check_rows has been there: nothing fails any more.
void Engine::place(std::span<const EvalRow> rows) {
  std::map<i32, i64> counts;
  placed_.clear();
  for (const EvalRow& row : rows) {
    Placement at;
    at.first = cache_->length(row.seq);
    at.slot = at.first + counts[row.seq]++;
    placed_.push_back(at);
  }
  for (i64 i = 0; i < isize(rows); ++i)
    placed_[usize(i)].total = counts[rows[usize(i)].seq];
  i64 positions = 0;
  for (i64 i = 0; i < isize(rows); ++i)
    positions = std::max(positions, position_of(rows[usize(i)], placed_[usize(i)]) + 1);
  ropes_.fill(positions);
  for (const auto& [seq, count] : counts)
    LM_CHECK(cache_->reserve(seq, count), "reserved pages were counted before");
}

i64 Engine::append_listed(const EvalRow& row, const Placement& at, i64 from, i64 to) {
  const i64 begin = isize(key_list_);
  for (i64 slot = from; slot < to; ++slot)
    key_list_.push_back(static_cast<i32>(slot));
  if (row.see == EvalRow::See::kTree) {
    const i64 own = at.slot - at.first;
    for (i64 j = 0; j <= own; ++j)
      if (j == own || (row.ancestors >> j & 1) != 0)
        key_list_.push_back(static_cast<i32>(at.first + j));
  }
  return begin;
}

/// Logical indices count visible keys, so a hole or a tree leaves no gap: the row sums as it would
/// in a sequence that holds just those keys.
RowSpan Engine::visibility(const EvalRow& row, const Placement& at, bool listed) {
  const bool tree = row.see == EvalRow::See::kTree;
  const bool hole = row.hole_begin < row.hole_end;
  i64 end = at.first;
  if (row.see == EvalRow::See::kPast) end = at.slot + 1;
  if (row.see == EvalRow::See::kAll)
    end = at.first + (row.until > 0 ? std::min<i64>(row.until, at.total) : at.total);
  RowSpan out;
  out.a1 = static_cast<i32>(hole ? row.hole_begin : end);
  if (!hole && !tree) return out;
  const i64 second = hole ? row.hole_end : end;
  out.lb = out.a1;
  if (listed) {
    out.b0 = static_cast<i32>(append_listed(row, at, second, end));
    out.b1 = static_cast<i32>(isize(key_list_));
  } else {
    out.b0 = static_cast<i32>(second);
    out.b1 = static_cast<i32>(end);
  }
  return out;
}

/// The runs of rows that continue a sequence.
void Engine::fill_runs(std::span<const EvalRow> rows, i64 begin, i64 end) {
  runs_.clear();
  if (state_numbers(model_.cfg) == 0) return;
  for (i64 i = begin; i < end; ++i) {
    const i32 seq = rows[usize(i)].seq;
    if (i > begin && seq == rows[usize(i - 1)].seq)
      ++runs_.back().end;
    else
      runs_.push_back({i - begin, i - begin + 1, cache_->pending_state(seq)});
    if (rows[usize(i)].prefix) ++runs_.back().prefix;
  }
}

/// Masks and key list of rows [begin, end).
void Engine::fill_view(std::span<const EvalRow> rows, i64 begin, i64 end) {
  bool listed = false;
  for (i64 i = begin; i < end; ++i)
    listed = listed || rows[usize(i)].see == EvalRow::See::kTree;
  spans_.clear();
  key_list_.clear();
  for (i64 i = begin; i < end; ++i)
    spans_.push_back(visibility(rows[usize(i)], placed_[usize(i)], listed));
}

}  // namespace lm::model
