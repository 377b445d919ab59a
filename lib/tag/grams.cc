#include "tag/grams.h"

#include <algorithm>
#include <bit>

#include "core/hash.h"

namespace lm::tag {

namespace {
constexpr u32 kOnce = ~u32{0};
constexpr u64 kEmpty = ~u64{0};
}  // namespace

void GramCounter::count(std::span<const Word> words, std::span<const u32> ids,
                        const std::vector<u32>& counts) {
  const std::size_t n = words.size();
  prefix_.resize(n + 1);
  gram_.resize(n);
  repeated_.clear();
  prefix_[0] = 0;
  for (std::size_t i = 0; i < n; ++i) {
    prefix_[i + 1] = prefix_[i] + words[i].chars;
    const bool once = counts[ids[i]] == 1;
    gram_[i] = once ? kOnce : ids[i];
    if (!once) repeated_.push_back(static_cast<u32>(i));
  }
  for (int k = 2; k <= kMaxGram; ++k)
    count_level(k);
}

void GramCounter::count_level(int n) {
  GramLevel& level = levels_[static_cast<std::size_t>(n)];
  level = {};
  const i64 words = isize(gram_);
  level.positions = std::max<i64>(words - n + 1, 0);
  if (level.positions == 0) {
    repeated_.clear();
    return;
  }
  // The sum of prefix[i + n] - prefix[i] over all positions: what is left of both sums.
  for (i64 i = 0; i < n; ++i)
    level.all_chars += prefix_[usize(words - i)] - prefix_[usize(i)];
  const auto is_candidate = [&](u32 at) {
    return at < level.positions && gram_[at + 1] != kOnce;  // both halves repeat
  };
  const u64 candidates =
      static_cast<u64>(std::count_if(repeated_.begin(), repeated_.end(), is_candidate));
  const u64 mask = std::bit_ceil(std::max<u64>(2 * candidates, 16)) - 1;
  slots_.assign(mask + 1, Slot{kEmpty, 0, false, false});
  // The number of a gram is its slot. Numbers of this level replace those of the last in place,
  // from left to right: a position is read for the last time just before it is written.
  std::size_t kept = 0;
  for (const u32 at : repeated_) {
    if (!is_candidate(at)) {
      gram_[at] = kOnce;
      continue;
    }
    const u64 pair = u64{gram_[at]} << 32 | gram_[at + 1];
    u64 slot = mix64(pair) & mask;
    while (slots_[slot].pair != pair && slots_[slot].pair != kEmpty)
      slot = (slot + 1) & mask;
    slots_[slot].pair = pair;
    ++slots_[slot].count;
    gram_[at] = static_cast<u32>(slot);
    repeated_[kept++] = at;
  }
  repeated_.resize(kept);
  kept = 0;
  i64 behind = 0;  // where the search for n-grams that stood before goes on
  i64 stood = 0;   // behind the words of stood_chars
  level.top_count = 1;
  level.top_chars = level.longest_top_chars = prefix_[usize(n)];
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
