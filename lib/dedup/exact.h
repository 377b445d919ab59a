#pragma once
// Which of many 128-bit digests came before. ExactSet answers at once while everything fits the
// memory budget; ExactDedup goes on after that by external sorting and answers at the end.
// No false positives beyond digest collisions (2^-128 per pair).
// Thread rule: one caller; the work inside is parallel over 256 parts of the key space, and answers
// equal a sequential run for every thread count and budget.

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/context.h"
#include "core/hash.h"
#include "dedup/external_sort.h"
#include "dedup/key_partition.h"

namespace lm::dedup {

/// A hash set of digests in 256 open-addressing tables (16 bytes a slot, at most 5/8 full).
class ExactSet {
 public:
  /// Grows to at most max_bytes, charged to budget.
  ExactSet(MemoryBudget& budget, i64 max_bytes)
      : budget_(&budget), max_bytes_(max_bytes), tables_(kKeyParts) {}
  ~ExactSet() { clear(); }
  ExactSet(const ExactSet&) = delete;
  ExactSet& operator=(const ExactSet&) = delete;

  i64 size() const { return size_; }
  /// keys [n] in ordinal order -> seen [n], 1 if present before its turn; absent keys are inserted.
  /// False, with nothing inserted and seen untouched, when the tables cannot grow in the budget.
  bool test_and_insert(std::span<const Hash128> keys, std::span<u8> seen);
  /// Calls each(digest) for every element, in no meaningful order.
  template <typename F>
  void for_each(F&& each) const {
    for (const Table& table : tables_) {
      for (const Hash128& slot : table.slots) {
        if (slot != Hash128{}) each(slot);
      }
    }
    if (has_zero_) each(Hash128{});
  }
  /// Empties the set and gives its memory back.
  void clear();

 private:
  struct Table {
    std::vector<Hash128> slots;  // size a power of two; {0,0} is free
    i64 used = 0;
  };
  bool make_room();

  MemoryBudget* budget_;
  i64 max_bytes_;
  KeyPartition partition_;
  std::vector<Table> tables_;
  bool has_zero_ = false;  // the digest {0,0} cannot live in a slot
  i64 size_ = 0;
  i64 charged_ = 0;
};

/// Finds the keys that are not the first of their value, in the order (priority, ordinal).
///
/// Streaming: try_add() answers at once until the budget is used up (or not at all after
/// start_deferred(), which a caller with priorities calls first). From the first false on, the
/// caller hands keys to add_deferred() and after finish() reads the duplicates' ordinals in
/// ascending order.
class ExactDedup {
 public:
  /// Uses at most max_bytes of ctx.memory.
  ExactDedup(const Context& ctx, i64 max_bytes);

  /// As ExactSet::test_and_insert. False: nothing was taken, go on with add_deferred.
  bool try_add(std::span<const Hash128> keys, std::span<u8> seen);
  /// Moves what is known to the sorter: those digests precede all deferred ones.
  void start_deferred();
  bool deferred() const { return sorter_ != nullptr; }
  /// Lower priority wins, then lower ordinal. Throws Error{kIo, kCannotCreate} from the spill file.
  void add_deferred(const Hash128& key, u64 priority, i64 ordinal);
  void finish();
  /// The next duplicate's ordinal, ascending; nullopt at the end.
  std::optional<i64> next_duplicate();

 private:
  struct Entry {
    Hash128 key;
    u64 priority;
    u64 order;                                       // 0: seen before deferral, else ordinal + 1
    auto operator<=>(const Entry&) const = default;  // NOLINT: no pointer, clang-tidy 14
  };

  const Context* ctx_;
  i64 max_bytes_;
  ExactSet set_;
  std::unique_ptr<ExternalSorter<Entry>> sorter_;
  std::unique_ptr<ExternalSorter<u64>> duplicates_;
};

}  // namespace lm::dedup
