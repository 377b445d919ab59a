#include "merge/select.h"

#include <algorithm>
#include <array>
#include <bit>

#include "core/error.h"
#include "merge/kernel.h"
#include "merge/vectorised.h"

namespace lm::merge {

template <class A>
RadixSelect<A>::RadixSelect(std::span<const i64> ranks) {
  for (const i64 rank : ranks)
    targets_.push_back({.rank = rank});
  if (targets_.empty()) left_ = 0;
  collect_prefixes();
}

template <class A>
void RadixSelect<A>::collect_prefixes() {
  prefixes_.clear();
  for (Target& target : targets_) {
    const auto at = std::find(prefixes_.begin(), prefixes_.end(), target.prefix);
    target.slot = static_cast<std::size_t>(at - prefixes_.begin());
    if (at == prefixes_.end()) prefixes_.push_back(target.prefix);
  }
}

template <class A>
void RadixSelect<A>::count(std::span<const A> values, std::span<u32> counters) const {
  const int shift = left_ - digit();
  const Key mask = (Key{1} << digit()) - 1;
  if (left_ == kBits) {  // nothing is known yet: every key counts
    // Most changes of a fine-tune in 16 bits are zero. One bin would make each increment wait for
    // the one before: zeros go round through some of their own.
    std::array<u32, 16> zeros{};
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Key key = magnitude_key(values[i]);
      u32* const bin = key == 0 ? &zeros[i % zeros.size()] : &counters[usize(key >> shift)];
      ++*bin;
    }
    for (const u32 count : zeros)
      counters[0] += count;
    return;
  }
  for (std::size_t slot = 0; slot < prefixes_.size(); ++slot) {
    u32* const bins = counters.data() + static_cast<i64>(slot) * kBins;
    const Key prefix = prefixes_[slot];
    // Few keys have the prefix, or most do, which are zero: those are counted, and stretches
    // without another are passed over, by vector code.
    constexpr i64 kStretch = 32;
    const A* const at = values.data();
    const i64 count = isize(values);
    const i64 whole = count - count % kStretch;
    const int left = left_;
    Key zeros = 0;
    const auto count_some = [&](i64 begin, i64 end) LM_INLINE {
      for (i64 i = begin; i < end; ++i) {
        const Key key = magnitude_key(at[i]);
        if (key != 0 && key >> left == prefix) ++bins[usize((key >> shift) & mask)];
      }
    };
    vectorised([&]() LM_INLINE {
      const Key wanted = prefix;
      const int known = left;
      Key empty = 0;
      for (i64 i = 0; i < whole; i += kStretch) {
        Key found = 0;
        for (i64 j = 0; j < kStretch; ++j) {
          const Key key = magnitude_key(at[i + j]);
          const Key zero = key == 0 ? Key{1} : Key{0};
          empty += zero;
          found |= (key >> known == wanted ? Key{1} : Key{0}) & (zero ^ Key{1});
        }
        if (found != 0) count_some(i, i + kStretch);
      }
      for (i64 i = whole; i < count; ++i)
        empty += magnitude_key(at[i]) == 0 ? Key{1} : Key{0};
      zeros = empty;
      count_some(whole, count);
    });
    if (prefix == 0) bins[0] += static_cast<u32>(zeros);
  }
}

template <class A>
void RadixSelect<A>::end_pass(std::span<const i64> counters) {
  const int bits = digit();
  for (Target& target : targets_) {
    const i64* const bins = counters.data() + static_cast<i64>(target.slot) * kBins;
    i64 bin = 0;
    while (bin < (i64{1} << bits) && target.below + bins[bin] <= target.rank)
      target.below += bins[bin++];
    LM_CHECK(bin < (i64{1} << bits), "a rank is smaller than the number of keys");
    target.prefix = static_cast<Key>(target.prefix << bits | static_cast<Key>(bin));
    target.equal = bins[bin];
  }
  left_ -= bits;
  collect_prefixes();
}

template <class A>
RankWindow<A>::RankWindow(i64 count, i64 first, i64 last)
    : count_(count), first_(first), last_(last) {
  LM_CHECK(0 <= first && first <= last && last <= count, "a window lies within the ranks");
  if (first == last) return;
  has_top_ = first > 0;
  has_bottom_ = last < count;
  std::vector<i64> ranks;  // ascending, where the window's are descending
  if (has_top_) ranks.push_back(count - 1 - first);
  if (has_bottom_) ranks.push_back(count - last);
  if (ranks.empty()) return;
  select_.emplace(ranks);
  phase_ = Phase::kSelect;
}

template <class A>
std::optional<i64> RankWindow<A>::next_pass() {
  if (phase_ == Phase::kSelect) return select_->counters();
  if (phase_ == Phase::kTies) return 0;
  return std::nullopt;
}

template <class A>
void RankWindow<A>::observe(std::span<const A> values, i64 chunk, std::span<u32> counters) {
  if (phase_ == Phase::kSelect) return select_->count(values, counters);
  for (Edge* edge : {&top_, &bottom_}) {
    if (!edge->straddles) continue;
    using Key = KeyOf<A>;
    Key ties = 0;  // of a chunk, whose elements are few
    const A* const at = values.data();
    const i64 count = isize(values);
    const Key key = edge->key;
    vectorised([&]() LM_INLINE {
      Key sum = 0;
      for (i64 i = 0; i < count; ++i)
        sum += magnitude_key(at[i]) == key ? Key{1} : Key{0};
      ties = sum;
    });
    edge->ties[usize(chunk)] = static_cast<i64>(ties);
  }
}

template <class A>
typename RankWindow<A>::Edge RankWindow<A>::make_edge(std::size_t target) const {
  Edge edge;
  edge.key = select_->key(target);
  edge.greater = count_ - select_->below(target) - select_->equal(target);
  const i64 end = edge.greater + select_->equal(target);
  // Zeros are the same, kept or dropped.
  edge.straddles = edge.key != 0 && ((edge.greater < first_ && first_ < end) ||
                                     (edge.greater < last_ && last_ < end));
  if (edge.straddles) edge.ties.resize(usize((count_ + kChunkElements - 1) / kChunkElements));
  return edge;
}

template <class A>
void RankWindow<A>::end_pass(std::span<const i64> counters) {
  if (phase_ == Phase::kSelect) {
    select_->end_pass(counters);
    if (select_->counters() > 0) return;
    std::size_t target = 0;
    if (has_top_) top_ = make_edge(target++);
    if (has_bottom_) bottom_ = make_edge(target);
    phase_ = top_.straddles || bottom_.straddles ? Phase::kTies : Phase::kDone;
    return;
  }
  for (Edge* edge : {&top_, &bottom_}) {
    i64 before = 0;
    for (i64& ties : edge->ties) {
      const i64 here = ties;
      ties = before;
      before += here;
    }
  }
  phase_ = Phase::kDone;
}

template <class A>
void RankWindow<A>::apply(std::span<A> values, i64 chunk) const {
  if (first_ == last_) {
    std::fill(values.begin(), values.end(), A{0});
    return;
  }
  if (!top_.straddles && !bottom_.straddles) {
    using Key = KeyOf<A>;
    // A top edge that does not straddle lies in the window, unless it is zero and does not matter.
    const Key highest = has_top_ ? top_.key : static_cast<Key>(~Key{0} >> 1);
    const Key lowest = has_bottom_ ? bottom_.key : 0;
    A* const at = values.data();
    const i64 count = isize(values);
    return vectorised([&]() LM_INLINE {
      for (i64 i = 0; i < count; ++i) {
        const Key key = magnitude_key(at[i]);
        at[i] = key <= highest && key >= lowest ? at[i] : A{0};
      }
    });
  }
  i64 top_ties = top_.straddles ? top_.ties[usize(chunk)] : 0;
  i64 bottom_ties = bottom_.straddles ? bottom_.ties[usize(chunk)] : 0;
  for (A& value : values) {
    const KeyOf<A> key = magnitude_key(value);
    bool keep = true;
    if (has_top_ && key >= top_.key) keep = key == top_.key && top_.greater + top_ties++ >= first_;
    if (has_bottom_ && key <= bottom_.key) {
      const bool within = key == bottom_.key && bottom_.greater + bottom_ties++ < last_;
      keep = keep && within;
    }
    if (!keep) value = 0;
  }
}

template class RadixSelect<f32>;
template class RadixSelect<f64>;
template class RankWindow<f32>;
template class RankWindow<f64>;

}  // namespace lm::merge
