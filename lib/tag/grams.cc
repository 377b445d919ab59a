#include "tag/grams.h"

#include <algorithm>
#include <bit>

#include "core/hash.h"

namespace lm::tag {

namespace {
constexpr u32 kOnce = ~u32{0};
constexpr std::size_t kFewPairs = 16;  // pairs that are not worth a look at their hashes
constexpr u64 kMostCells = u64{1} << 26;
}  // namespace

void GramCounter::count(std::span<const Word> words, std::span<const u32> ids,
                        std::span<const u32> counts, GramSums sums) {
  const std::size_t n = words.size();
  prefix_.resize(n + 1);
  gram_.resize(n + 1);
  repeated_.resize(n);
  prefix_[0] = 0;
  std::size_t kept = 0;
  // Which words repeat is not to be foreseen: what may be kept is written, and what is not is
  // written over.
  for (std::size_t i = 0; i < n; ++i) {
    prefix_[i + 1] = prefix_[i] + words[i].chars;  // texts are shorter than 4 GiB
    const bool once = counts[ids[i]] == 1;
    gram_[i] = once ? kOnce : ids[i];
    repeated_[kept] = static_cast<u32>(i);
    kept += !once;
  }
  gram_[n] = kOnce;
  repeated_.resize(kept);
  mostly_lone_ = true;
  for (int k = 2; k <= kMaxGram; ++k)
    count_level(k, sums);
}

void GramCounter::find_candidates() {
  pairs_.resize(repeated_.size());
  std::size_t kept = 0;
  for (const u32 at : repeated_) {
    const u32 next = gram_[at + 1];  // kOnce behind the last
    pairs_[kept] = {u64{gram_[at]} << 32 | next, at, 0};
    kept += next != kOnce;
    gram_[at] = kOnce;
  }
  pairs_.resize(kept);
}

// Most pairs occur once, and so does the hash of most of them.
void GramCounter::drop_lone_hashes() {
  const u64 cells = std::min(std::bit_ceil(4 * u64{pairs_.size()}), kMostCells);
  const int shift = 64 - std::countr_zero(cells);
  cells_.assign(cells, 0);
  for (Pair& pair : pairs_) {
    pair.cell = static_cast<u32>(mix64(pair.value) >> shift);
    u8& times = cells_[pair.cell];
    times = static_cast<u8>(times + (times < 2));
  }
  std::size_t kept = 0;
  for (const Pair& pair : pairs_) {
    pairs_[kept] = pair;
    kept += cells_[pair.cell] > 1;
  }
  pairs_.resize(kept);
}

/// Where a pair is, or the empty slot where it would be.
u64 GramCounter::slot_of(const std::vector<Slot>& slots, u64 pair, u64 hash) {
  const u64 mask = slots.size() - 1;
  u64 slot = hash & mask;
  while (slots[slot].pair != pair && slots[slot].pair != kEmpty)
    slot = (slot + 1) & mask;
  return slot;
}

void GramCounter::double_slots(std::vector<Slot>& slots) {
  std::vector<Slot> old(2 * slots.size());
  old.swap(slots);
  for (const Slot& own : old) {
    if (own.pair != kEmpty) slots[slot_of(slots, own.pair, mix64(own.pair))] = own;
  }
}

void GramCounter::number_pairs() {
  repeated_.clear();
  if (pairs_.empty()) return;
  const u64 slots = std::bit_ceil(std::max<u64>(2 * pairs_.size(), 16));
  slots_.assign(slots, Slot{});
  for (const Pair& pair : pairs_) {
    const u64 slot = slot_of(slots_, pair.value, mix64(pair.value));
    slots_[slot].pair = pair.value;
    ++slots_[slot].count;
    gram_[pair.at] = static_cast<u32>(slot);
    repeated_.push_back(pair.at);
  }
}

// Parts are of distinct pairs: however often one of them stands, each part has its share.
void GramCounter::number_in_parts() {
  const u64 parts = std::bit_ceil(u64{repeated_.size()} / static_cast<u64>(part_pairs_) + 1);
  next_gram_.assign(gram_.size(), kOnce);
  slots_.clear();
  for (u64 part = 0; part < parts; ++part)
    count_part(part, parts);
  gram_.swap(next_gram_);
  std::size_t kept = 0;
  for (const u32 at : repeated_) {
    repeated_[kept] = at;
    kept += gram_[at] != kOnce;
  }
  repeated_.resize(kept);
}

void GramCounter::count_part(u64 part, u64 parts) {
  const int shift = 64 - std::countr_zero(parts);
  part_slots_.assign(2 * usize(part_pairs_), Slot{});
  u64 taken = 0;
  const auto each_pair = [&](const auto& visit) {
    for (const u32 at : repeated_) {
      const u32 next = gram_[at + 1];
      if (next == kOnce) continue;
      const u64 pair = u64{gram_[at]} << 32 | next;
      const u64 hash = mix64(pair);
      if (hash >> shift == part) visit(at, pair, part_slots_[slot_of(part_slots_, pair, hash)]);
    }
  };
  each_pair([&](u32, u64 pair, Slot& own) {
    taken += own.pair == kEmpty;
    own.pair = pair;
    ++own.count;
    if (2 * taken > part_slots_.size()) double_slots(part_slots_);
  });
  each_pair([&](u32 at, u64, Slot& own) {
    if (!own.seen) {
      if (own.count == 1) return;
      own.seen = true;
      slots_.push_back({kEmpty, own.count, false, false});
      own.count = static_cast<u32>(slots_.size() - 1);  // its number from now on
    }
    next_gram_[at] = own.count;
  });
}

void GramCounter::count_level(int n, GramSums sums) {
  GramLevel level;
  const i64 words = isize(gram_) - 1;
  level.positions = std::max<i64>(words - n + 1, 0);
  if (level.positions > 0) {
    // The sum of prefix[i + n] - prefix[i] over all positions: what is left of both sums.
    for (i64 i = 0; i < n; ++i)
      level.all_chars += i64{prefix_[usize(words - i)]} - prefix_[usize(i)];
    level.top_count = 1;
    level.top_chars = level.longest_top_chars = prefix_[usize(n)];
    std::size_t candidates = repeated_.size();
    if (isize(repeated_) > part_pairs_) {
      number_in_parts();
    } else {
      find_candidates();
      candidates = pairs_.size();
      if (mostly_lone_ && candidates > kFewPairs) drop_lone_hashes();
      number_pairs();
    }
    if (sums == GramSums::kFew) {
      sum_few(n, level);
    } else {
      sum_all(n, level);
    }
    mostly_lone_ = 2 * repeated_.size() < candidates;
  } else {
    repeated_.clear();
  }
  levels_[static_cast<std::size_t>(n)] = level;
}

// Both leave in repeated_ the positions of grams that repeat, and kOnce in gram_ at the others.
void GramCounter::sum_few(int n, GramLevel& level) {
  const u32* const prefix = prefix_.data();
  i64 duplicate_chars = 0;
  std::size_t kept = 0;
  for (const u32 at : repeated_) {
    const i64 times = slots_[gram_[at]].count;
    const i64 chars = prefix[at + usize(n)] - prefix[at];
    duplicate_chars += times > 1 ? chars : 0;
    gram_[at] = times > 1 ? gram_[at] : kOnce;
    repeated_[kept] = at;
    kept += times > 1;
    if (times > level.top_count) {  // at the first copy of the most frequent
      level.top_count = times;
      level.top_chars = chars;
    }
  }
  repeated_.resize(kept);
  level.duplicate_chars = duplicate_chars;
}

void GramCounter::sum_all(int n, GramLevel& level) {
  std::size_t kept = 0;
  i64 behind = 0;   // where the search for n-grams that stood before goes on
  i64 stood = 0;    // behind the words of stood_chars
  i64 covered = 0;  // where the words that are not covered yet begin
  for (const u32 at : repeated_) {
    Slot& slot = slots_[gram_[at]];
    const i64 times = slot.count;
    if (times == 1) {
      gram_[at] = kOnce;
      continue;
    }
    const i64 chars = prefix_[at + usize(n)] - prefix_[at];
    level.duplicate_chars += chars;
    if (at >= behind) {
      if (slot.seen) {
        level.again_chars += chars;
        behind = i64{at} + n;
      }
      slot.seen = true;
    }
    level.covered_chars += prefix_[at + usize(n)] - prefix_[usize(std::max<i64>(at, covered))];
    covered = i64{at} + n;
    if (slot.stood) {
      const i64 overlap = std::max<i64>(stood - at, 0);
      level.stood_chars +=
          prefix_[at + usize(n)] - prefix_[at + usize(overlap)] + std::min<i64>(n - overlap, n - 1);
      stood = i64{at} + n;
    }
    slot.stood = true;
    if (times > level.top_count) {  // at the first copy of the most frequent
      level.top_count = times;
      level.top_at = at;
      level.top_chars = level.longest_top_chars = chars;
    } else if (times == level.top_count) {
      level.longest_top_chars = std::max(level.longest_top_chars, chars);
    }
    repeated_[kept++] = at;
  }
  repeated_.resize(kept);
}

}  // namespace lm::tag
