#pragma once
// The contents of an open-addressing table, piece by piece in slot order, from records scattered
// over parts: what inserting them one after the other into the whole table would give, with memory
// for one piece. In linear probing an entry only ever moves on to later slots; so a piece is final
// once the entries that the piece before it could not hold are known, and these few are carried.
// The table is a ring, so a lap starts with a guess of what is carried into its last piece (almost
// always nothing) and is repeated while that guess is wrong.

#include <functional>
#include <span>
#include <vector>

#include "ngram/image.h"
#include "ngram/parts.h"

namespace lm::ngram {

/// One n-gram or word on its way into a table. Its rank is the number of insertions before it.
struct TableEntry {
  u64 hash;
  u64 rank;
  u64 payload;  // Weights, or a word's id
  bool operator==(const TableEntry&) const = default;
};

/// What one n-gram says about a shorter one: that it starts or ends in it (image.h).
struct GramMark {
  enum Kind : u64 { kContext = 0, kSuffix = 1 };
  u64 hash;  // of the shorter one
  u64 by;    // rank of the longer one * 2 + kind; ascends as the n-grams come
  Kind kind() const { return static_cast<Kind>(by & 1); }
};
void apply_mark(GramMark::Kind kind, Weights& weights);

struct TableCell {
  u64 hash;  // 0 = empty
  u64 payload;
};
static_assert(sizeof(TableCell) == sizeof(WordSlot) && sizeof(TableCell) == sizeof(MiddleSlot));

class SlotLayout {
 public:
  struct Hooks {
    /// A lap begins: what an earlier one gave is to be replaced.
    std::function<void()> begin;
    /// Cells from slot `first` on.
    std::function<void(i64 first, std::span<const TableCell> cells)> visit;
    std::function<void(u64 rank)> repeated;        // an entry whose hash is in the table: left out
    std::function<void(const GramMark&)> missing;  // a mark of an absent hash; may repeat
  };
  /// The table of `slots` > entries slots after the entries of rank < end_rank. marks, when not
  /// null, has as many parts as entries and is applied to payloads, which are Weights then.
  SlotLayout(const Parts<TableEntry>& entries, i64 slots, u64 end_rank,
             const Parts<GramMark>* marks, Hooks hooks);
  /// Returns the number of entries placed. O(entries + slots).
  i64 run();

 private:
  using Carry = std::vector<TableEntry>;  // by rank
  i64 first_slot(i64 part) const;
  void fill(i64 part, const Carry& in);
  void place(i64 at, const TableEntry& entry);
  void mark(const GramMark& mark);

  const Parts<TableEntry>& entries_;
  i64 slots_;
  u64 end_rank_;
  const Parts<GramMark>* marks_;
  Hooks hooks_;
  std::vector<TableCell> cells_;  // of the piece at hand, from slot first_ on
  i64 first_ = 0;
  i64 placed_ = 0;
  Carry out_;
};

}  // namespace lm::ngram
