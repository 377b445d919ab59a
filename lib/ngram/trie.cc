#include "ngram/trie.h"

#include <algorithm>

#include "core/error.h"
#include "core/parallel.h"
#include "core/str.h"

namespace lm::ngram {

namespace {

constexpr i64 kMaxLevel = (i64{1} << 32) - 2;
constexpr i64 kGrain = i64{1} << 14;

}  // namespace

CountTrie::CountTrie(const Context& ctx, const TrieOptions& options, GramStream& grams,
                     i64 vocab_size, i64 max_grams)
    : ctx_(&ctx), options_(options) {
  LM_CHECK(isize(options.prune) == options.order, "one pruning threshold per order");
  for (int n = 1; n <= options.order; ++n) {
    const i64 most = std::min(n == 1 ? vocab_size : max_grams, kMaxLevel);
    levels_.emplace_back(ctx, most, n == options.order);
  }
  Path path;
  Gram gram;
  while (grams.next(gram)) {
    while (path.depth > gram.common)
      close(path, path.depth, false);
    while (path.depth < gram.length)
      open(path, gram, path.depth + 1);
    path.raw[usize(path.depth - 1)] += gram.count;
  }
  while (path.depth > 0)
    close(path, path.depth, true);
  for (int n = 1; n < options.order; ++n)
    levels_[usize(n - 1)].child.push_back(static_cast<u32>(size(n + 1)));
}

void CountTrie::open(Path& path, const Gram& gram, int depth) {
  Level& level = levels_[usize(depth - 1)];
  const std::size_t d = usize(depth - 1);
  const u32 word = gram.words[d];
  if (depth == 1) {
    // <unk> and <s> are never last words; every other id occurs.
    for (u32 id = static_cast<u32>(level.word.size()); id < word; ++id) {
      if (options_.order > 1) level.child.push_back(static_cast<u32>(size(2)));
      level.word.push_back(id);
      level.count.push_back(0);
      tally(1, id, 0, 0, false);
    }
  }
  if (level.word.size() >= kMaxLevel) {
    throw Error(ErrorKind::kData, cat("more than ", kMaxLevel, " distinct ", depth, "-grams"),
                "train on less text or with a lower order");
  }
  path.node[d] = level.word.size();
  path.raw[d] = 0;
  path.outside[d] = (depth > 1 && path.outside[d - 1]) ||
                    (!options_.excluded.empty() && options_.excluded[word] != 0);
  if (depth < options_.order) {
    level.child.push_back(static_cast<u32>(levels_[d + 1].word.size()));
  }
  level.word.push_back(word);
  level.count.push_back(0);
  path.depth = depth;
}

void CountTrie::close(Path& path, int depth, bool at_end) {
  const std::size_t d = usize(depth - 1);
  const i64 node = path.node[d];
  const u64 raw = path.raw[d];
  const u32 word = this->word(depth, node);
  const bool counted_raw = depth == options_.order || (depth > 1 && word == kBos);
  const u64 adjusted =
      counted_raw ? raw : static_cast<u64>(size(depth + 1) - levels_[d].child[node]);
  const bool special = depth == 1 && word <= kEos;
  const bool pruned = !special && (static_cast<i64>(raw) <= options_.prune[d] || path.outside[d]);
  // lmplz takes raw counts for the lower-order n-grams still open at the end of its stream.
  const u64 counted = at_end && options_.compat_kenlm ? raw : adjusted;
  tally(depth, node, counted, adjusted, pruned);
  if (depth > 1) path.raw[d - 1] += raw;
  path.depth = depth - 1;
}

void CountTrie::tally(int depth, i64 node, u64 counted, u64 adjusted, bool pruned) {
  Level& level = levels_[usize(depth - 1)];
  if (adjusted < kWide) {
    level.count[node] = static_cast<u32>(adjusted);
  } else {
    level.count[node] = kWide;
    level.wide[node] = adjusted;
  }
  if (pruned) level.word[node] |= kPruned;
  ++level.stats.grams;
  if (!pruned) ++level.stats.kept;
  if (counted <= 4) ++level.stats.with_count[counted];
}

i64 CountTrie::parent_of(int n, i64 i) const {
  const Column<u32>& child = levels_[usize(n - 1)].child;
  // The last n-gram whose children start at or before i; the entry after the last one is the end.
  const u32* const found =
      std::upper_bound(child.data(), child.data() + child.size(), static_cast<u32>(i));
  return found - child.data() - 1;
}

Column<u32> CountTrie::contexts(int n, const Column<u32>* shorter) const {
  LM_CHECK(n >= 2 && n <= order(), "contexts exist from order 2");
  Column<u32> out(*ctx_, size(n));
  out.resize(size(n));
  const Level& level = levels_[usize(n - 1)];
  if (n == 2) {
    parallel_for(size(2), kGrain, [&](i64 begin, i64 end) {
      for (i64 i = begin; i < end; ++i)
        out[i] = level.word[i] & ~kPruned;
    });
    return out;
  }
  const Level& above = levels_[usize(n - 2)];   // the contexts' own level
  const Level& higher = levels_[usize(n - 3)];  // their suffixes
  parallel_for(above.word.size(), kGrain, [&](i64 begin, i64 end) {
    constexpr i64 kAhead = 12;
    for (i64 s = begin; s < end; ++s) {
      if (s + kAhead < end) {
        __builtin_prefetch(&higher.child[(*shorter)[s + kAhead]]);
      }
      if (s + kAhead / 2 < end) {
        __builtin_prefetch(&above.word[higher.child[(*shorter)[s + kAhead / 2]]]);
      }
      const i64 first = above.child[s];
      const i64 last = above.child[s + 1];
      if (first == last) continue;
      const u32 context = (*shorter)[s];
      i64 at = higher.child[context];
      const i64 stop = higher.child[context + 1];
      for (i64 i = first; i < last; ++i) {
        const u32 word = level.word[i] & ~kPruned;
        // Both lists ascend: gallop from the last hit, then halve.
        i64 step = 1;
        while (at + step < stop && (above.word[at + step] & ~kPruned) <= word) {
          at += step;
          step *= 2;
        }
        i64 end_at = std::min(at + step, stop);
        while (end_at - at > 1) {
          const i64 middle = at + (end_at - at) / 2;
          if ((above.word[middle] & ~kPruned) <= word) {
            at = middle;
          } else {
            end_at = middle;
          }
        }
        LM_DCHECK((above.word[at] & ~kPruned) == word, "every n-gram's context is an n-gram");
        out[i] = static_cast<u32>(at);
      }
    }
  });
  return out;
}

i64 CountTrie::spilled_bytes() const {
  i64 total = 0;
  for (const Level& level : levels_) {
    total += level.word.spilled_bytes() + level.count.spilled_bytes() + level.child.spilled_bytes();
  }
  return total;
}

}  // namespace lm::ngram
