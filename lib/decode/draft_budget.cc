#include "decode/draft_budget.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <vector>

#include "core/clock.h"
#include "core/error.h"

namespace lm::decode {

RowCost RowCost::measure(model::Engine& engine) {
  const i32 seq = engine.create();
  std::vector<f64> seconds;
  for (i64 rows = 1; rows <= kMostDraft && rows <= engine.max_rows(); rows *= 2) {
    if (rows > engine.positions() ||
        engine.cache().pages_needed(seq, rows) > engine.cache().free_pages())
      break;
    std::vector<model::EvalRow> chain(usize(rows));
    for (model::EvalRow& row : chain) {
      row.seq = seq;
      row.want_logits = true;
    }
    // The first pass of a size makes its graph.
    f64 best = std::numeric_limits<f64>::infinity();
    for (int i = 0; i < 2; ++i) {
      const f64 begin = monotonic_s();
      engine.eval(chain);
      best = std::min(best, monotonic_s() - begin);
    }
    seconds.push_back(best);
  }
  engine.release(seq);
  return RowCost(seconds);
}

RowCost::RowCost(std::span<const f64> seconds) {
  LM_CHECK(!seconds.empty() && isize(seconds) <= kCounts, "a pass of one row is known");
  for (i64 i = 0; i < kCounts; ++i) {
    f64& own = seconds_[usize(i)];
    if (i < isize(seconds)) {
      own = seconds[usize(i)];
    } else {
      own = 2 * seconds_[usize(i - 1)];  // beyond what is known a row costs its share
    }
    if (i > 0) own = std::max(own, seconds_[usize(i - 1)]);
  }
}

f64 RowCost::seconds(i64 rows) const {
  LM_CHECK(rows >= 1, "a pass has a row");
  const i64 low = std::bit_width(static_cast<u64>(rows)) - 1;
  if (low >= kCounts - 1)
    return seconds_[kCounts - 1] * static_cast<f64>(rows) / static_cast<f64>(kMostRows);
  const f64 share = static_cast<f64>(rows) / static_cast<f64>(i64{1} << low) - 1;
  return seconds_[usize(low)] + share * (seconds_[usize(low + 1)] - seconds_[usize(low)]);
}

void RowCost::learn(i64 rows, f64 seconds) {
  const i64 low = std::min<i64>(std::bit_width(static_cast<u64>(rows)) - 1, kCounts - 1);
  // Rarely is a pass faster than it can be; often it is held up.
  const f64 ratio = std::clamp(seconds / this->seconds(rows), 0.5, 1.5);
  const auto move = [&](i64 at, f64 weight) {
    seconds_[usize(at)] *= 1 + 0.1 * weight * (ratio - 1);
  };
  const f64 share = std::min(1.0, static_cast<f64>(rows) / static_cast<f64>(i64{1} << low) - 1);
  move(low, 1 - share);
  if (low + 1 < kCounts) move(low + 1, share);
  for (i64 i = low; i > 0 && seconds_[usize(i - 1)] > seconds_[usize(i)]; --i)
    seconds_[usize(i - 1)] = seconds_[usize(i)];
  for (i64 i = low + 1; i < kCounts; ++i)
    seconds_[usize(i)] = std::max(seconds_[usize(i)], seconds_[usize(i - 1)]);
}

bool DraftPace::ready() {
  if (pause_ == 0) return true;
  --pause_;
  return false;
}

void DraftPace::learn(f64 expected, i64 right) {
  add(expected, static_cast<f64>(right));
  misses_ = 0;
}

void DraftPace::skip() {
  add(0, 0);  // what was learned fades: later guesses are tried again
  misses_ = std::min<i64>(misses_ + 1, 7);
  pause_ = (i64{1} << (misses_ - 1)) - 1;
}

void DraftPace::add(f64 expected, f64 right) {
  constexpr f64 kForget = 0.9;
  expected_ = kForget * expected_ + expected;
  right_ = kForget * right_ + right;
  factor_ = std::clamp((right_ + 1) / (expected_ + 1), 0.05, 2.0);
}

i64 choose_guesses(std::span<const DraftBid> bids, i64 sequences, i64 rows, i64 most,
                   const RowCost& cost) {
  struct Offer {
    f64 chance;
    i64 bid, node;
  };
  std::vector<Offer> offers;
  for (i64 b = 0; b < isize(bids); ++b) {
    const DraftTree& tree = *bids[usize(b)].tree;
    for (i64 i = 0; i < isize(tree); ++i)
      offers.push_back(
          {std::min(1.0, bids[usize(b)].factor * static_cast<f64>(tree[usize(i)].chance)), b, i});
  }
  std::stable_sort(offers.begin(), offers.end(),
                   [](const Offer& a, const Offer& b) { return a.chance > b.chance; });
  i64 best = 0;
  f64 tokens = static_cast<f64>(sequences);
  f64 best_rate = tokens / cost.seconds(rows);
  for (i64 i = 0; i < std::min(most, isize(offers)); ++i) {
    tokens += offers[usize(i)].chance;
    const f64 rate = tokens / cost.seconds(rows + i + 1);
    if (rate <= best_rate) continue;
    best_rate = rate;
    best = i + 1;
  }
  std::vector<std::vector<i32>> place(bids.size());  // by node: where it goes, -1: nowhere
  for (i64 b = 0; b < isize(bids); ++b)
    place[usize(b)].assign(bids[usize(b)].tree->size(), -1);
  for (i64 i = 0; i < best; ++i)
    place[usize(offers[usize(i)].bid)][usize(offers[usize(i)].node)] = 0;
  for (i64 b = 0; b < isize(bids); ++b) {
    DraftTree& tree = *bids[usize(b)].tree;
    DraftTree kept;
    for (i64 i = 0; i < isize(tree); ++i) {
      i32& own = place[usize(b)][usize(i)];
      if (own < 0) continue;
      DraftNode node = tree[usize(i)];
      if (node.parent >= 0) node.parent = place[usize(b)][usize(node.parent)];
      own = static_cast<i32>(isize(kept));
      kept.push_back(node);
    }
    tree = std::move(kept);
  }
  return best;
}

}  // namespace lm::decode
