#include "decode/draft_budget.h"

#include <algorithm>

#include "core/error.h"

namespace lm::decode {

namespace {

constexpr f64 kFade = 0.99;  // of what is known of guesses, in a pass without any

/// What passes of so many rows take beside one of a row, while nothing is known.
f64 assumed(f64 rows) {
  return 0.9 + 0.1 * rows;
}

}  // namespace

RowCost::RowCost(const std::function<i64(i64)>& computed) {
  size_of_.push_back(0);  // no pass has no rows
  for (i64 rows = 1; rows <= kMostRows; ++rows) {
    const f64 padded = static_cast<f64>(computed(rows));
    if (sizes_.empty() || padded > sizes_.back().rows) sizes_.push_back({padded, 0, 0});
    size_of_.push_back(isize(sizes_) - 1);
  }
}

bool RowCost::known(i64 rows) const {
  return rows <= kMostRows && sizes_[usize(size_of_[usize(rows)])].seen > 1;
}

f64 RowCost::seconds(i64 rows) const {
  LM_CHECK(rows >= 1, "a pass has a row");
  const i64 own = size_of_[usize(std::min(rows, kMostRows))];
  const f64 padded = rows > kMostRows ? static_cast<f64>(rows) : sizes_[usize(own)].rows;
  if (known(rows)) {
    // A larger pass that was faster says that this one was held up.
    f64 least = sizes_[usize(own)].seconds;
    for (i64 i = own + 1; i < isize(sizes_); ++i)
      if (sizes_[usize(i)].seen > 1) least = std::min(least, sizes_[usize(i)].seconds);
    return least;
  }
  i64 below = own;
  while (below >= 0 && sizes_[usize(below)].seen < 2)
    --below;
  i64 above = own;
  while (above < isize(sizes_) && sizes_[usize(above)].seen < 2)
    ++above;
  const Size* const low = below >= 0 ? &sizes_[usize(below)] : nullptr;
  const Size* const high = above < isize(sizes_) ? &sizes_[usize(above)] : nullptr;
  if (low == nullptr && high == nullptr) return assumed(padded);
  if (high == nullptr || low == high) return low->seconds * assumed(padded) / assumed(low->rows);
  if (low == nullptr) return high->seconds * assumed(padded) / assumed(high->rows);
  const f64 share = (padded - low->rows) / (high->rows - low->rows);
  return low->seconds + share * std::max(0.0, high->seconds - low->seconds);
}

void RowCost::learn(i64 rows, f64 seconds) {
  if (rows > kMostRows) return;
  Size& own = sizes_[usize(size_of_[usize(rows)])];
  if (++own.seen == 1) return;
  known_ = true;
  if (own.seen == 2) {
    own.seconds = seconds;
  } else {
    // Rarely is a pass faster than it can be; often it is held up.
    const f64 ratio = std::clamp(seconds / own.seconds, 0.1, 1.5);
    own.seconds *= 1 + (ratio < 1 ? 0.5 : 0.1) * (ratio - 1);
  }
}

DraftPace DraftPace::successor() const {
  constexpr f64 kMost = 4;    // guesses that what is known counts for
  constexpr i64 kLosses = 4;  // a text unlike those before it is soon tried
  DraftPace out = *this;
  out.losses_ = std::min(losses_, kLosses);
  out.set_pause();
  const f64 share = std::min(1.0, kMost / std::max(kMost, expected_));
  out.expected_ *= share;
  out.right_ *= share;
  out.saved_ = 0;
  return out;
}

bool DraftPace::ready() {
  if (pause_ == 0) return true;
  --pause_;
  expected_ *= kFade;
  right_ *= kFade;
  return false;
}

f64 DraftPace::factor() const {
  return std::clamp((right_ + 1) / (expected_ + 1), 0.05, 2.0);
}

void DraftPace::learn(f64 expected, i64 right) {
  constexpr f64 kForget = 0.9;
  expected_ = kForget * expected_ + expected;
  right_ = kForget * right_ + static_cast<f64>(right);
}

void DraftPace::settle(f64 seconds) {
  constexpr f64 kForget = 0.9;
  constexpr i64 kMostLosses = 8;
  saved_ = kForget * saved_ + seconds;
  losses_ = saved_ < 0 ? std::min(losses_ + 1, kMostLosses) : 0;
  set_pause();
}

void DraftPace::set_pause() {
  pause_ = losses_ == 0 ? 0 : (i64{1} << (losses_ - 1)) - 1;
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
