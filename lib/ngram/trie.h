#pragma once
// All n-grams of a text as a suffix trie in arrays: level n lists the n-grams in suffix order, so
// the children of w2..wn (the n-grams w1 w2..wn, w1 ascending) are neighbours. The index of an
// n-gram on its level names it. From this shape follow the adjusted counts (a number of children)
// and, without hashing or sorting, the context of every n-gram: the context of w1..wn is the child
// w1 of the context of w2..wn. Levels live in columns (column.h), so they may exceed memory.
// Stored indexes are u32: at most 2^32-2 n-grams of one order, more is Error{kData}.

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/context.h"
#include "ngram/column.h"
#include "ngram/gram_stream.h"

namespace lm::ngram {

struct TrieOptions {
  int order = 5;
  std::vector<i64> prune;     // threshold per order, from 1; size is order
  std::vector<u8> excluded;   // by word id, 1 = outside the vocabulary limit; empty = no limit
  bool compat_kenlm = false;  // statistics of the last open n-grams as lmplz takes them (D-27)
};

/// t_{n,k} of one order, and its sizes.
struct LevelStats {
  std::array<i64, 5> with_count{};  // [k] n-grams whose adjusted count is k, pruned ones included
  i64 grams = 0;
  i64 kept = 0;
};

class CountTrie {
 public:
  /// Consumes the stream. max_grams bounds the n-grams of one order; vocab_size ids are level 1.
  /// O(total n-grams), serial.
  CountTrie(const Context& ctx, const TrieOptions& options, GramStream& grams, i64 vocab_size,
            i64 max_grams);

  int order() const { return options_.order; }
  const LevelStats& stats(int n) const { return levels_[usize(n - 1)].stats; }
  /// Number of n-grams of order n, pruned ones included.
  i64 size(int n) const { return levels_[usize(n - 1)].word.size(); }
  /// First word of n-gram i of order n.
  u32 word(int n, i64 i) const { return levels_[usize(n - 1)].word[i] & ~kPruned; }
  bool pruned(int n, i64 i) const { return (levels_[usize(n - 1)].word[i] & kPruned) != 0; }
  /// Adjusted count a(g), section 9.1 of the method: see estimate.h.
  u64 adjusted(int n, i64 i) const {
    const u32 count = levels_[usize(n - 1)].count[i];
    return count != kWide ? count : levels_[usize(n - 1)].wide.at(i);
  }
  /// Children of n-gram i of order n < order() are [first_child(n, i), first_child(n, i + 1)).
  i64 first_child(int n, i64 i) const { return levels_[usize(n - 1)].child[i]; }
  /// The n-gram of order n that is the suffix of (n + 1)-gram i. O(log size(n)).
  i64 parent_of(int n, i64 i) const;

  /// contexts[i] = index on level n - 1 of the first n - 1 words of n-gram i of order n >= 2.
  /// shorter: the same for order n - 1, unused for n = 2. O(n-grams of order n), parallel.
  Column<u32> contexts(int n, const Column<u32>* shorter) const;

  i64 spilled_bytes() const;

 private:
  static constexpr u32 kPruned = u32{1} << 31;
  static constexpr u32 kWide = ~u32{0};  // the count is in `wide`
  struct Level {
    Level(const Context& ctx, i64 max_size, bool last)
        : word(ctx, max_size), count(ctx, max_size), child(ctx, last ? 1 : max_size + 1) {}
    Column<u32> word;   // and kPruned
    Column<u32> count;  // adjusted
    Column<u32> child;  // size + 1 entries, none on the last level
    std::map<i64, u64> wide;
    LevelStats stats;
  };
  /// The n-gram that is being read, as one open node per depth.
  struct Path {
    std::array<i64, kMaxOrder> node{};
    std::array<u64, kMaxOrder> raw{};
    std::array<bool, kMaxOrder> outside{};
    int depth = 0;
  };
  void open(Path& path, const Gram& gram, int depth);
  void close(Path& path, int depth, bool at_end);
  void tally(int depth, i64 node, u64 counted, u64 adjusted, bool pruned);

  const Context* ctx_;
  TrieOptions options_;
  std::vector<Level> levels_;
};

}  // namespace lm::ngram
