#pragma once
// What the tables of all languages of a run may take of --memory. Languages that nobody uses give
// way to what is needed; masks, which are kept only because they may be asked for again, have a
// share of their own. Nothing here changes a mask: where memory does not suffice the run ends.
// Thread-safe.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "core/context.h"

namespace lm::grammar {

/// Tables are vectors and hash tables that grow by doubling: what they take of the heap is at most
/// so many times what they count (tests/unit/decode/languages_test.cc measures it).
inline constexpr i64 kHeapOfTables = 2;

class TableMemory {
 public:
  /// Masks get a quarter at most of what the budget has left now.
  explicit TableMemory(MemoryBudget& budget)
      : budget_(budget), most_kept_(budget.available() / 4) {}
  TableMemory(const TableMemory&) = delete;
  TableMemory& operator=(const TableMemory&) = delete;

  /// drop: gives something back that nobody uses; false when there is nothing of the kind. Called
  /// from any thread, while what is used holds its locks. Null: nothing can be dropped any more.
  void on_shortage(std::function<bool()> drop);

  /// Throws Error{kOs} naming the --memory that would do.
  void take(i64 bytes);
  void give(i64 bytes) { budget_.release(bytes); }
  /// For what is kept. False: there is no room.
  bool try_keep(i64 bytes);
  void give_kept(i64 bytes);

 private:
  MemoryBudget& budget_;
  const i64 most_kept_;
  std::atomic<i64> kept_{0};
  std::mutex mutex_;  // guards drop_
  std::function<bool()> drop_;
};

/// What one language's tables, which grow, have taken.
class TableHold {
 public:
  /// memory: null for none. beside: bytes that are there from the start. Throws what take() throws.
  explicit TableHold(std::shared_ptr<TableMemory> memory, i64 beside = 0)
      : memory_(std::move(memory)), beside_(beside) {
    if (memory_) memory_->take(beside_);
  }
  ~TableHold() {
    if (memory_) memory_->give(held_ + beside_);
  }
  TableHold(const TableHold&) = delete;
  TableHold& operator=(const TableHold&) = delete;

  /// Holds at least `bytes` of tables from here on; returns how many are covered by then. Throws
  /// what take() throws.
  i64 cover(i64 bytes);

 private:
  std::shared_ptr<TableMemory> memory_;  // shared with the other languages of the run
  i64 beside_;
  i64 held_ = 0;
};

}  // namespace lm::grammar
