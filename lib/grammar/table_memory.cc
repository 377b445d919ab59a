#include "grammar/table_memory.h"

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "core/str.h"

namespace lm::grammar {

namespace {

constexpr i64 kLeastStep = i64{64} << 10;

[[noreturn]] void refuse(const MemoryBudget& budget, i64 bytes) {
  throw Error(ErrorKind::kOs,
              cat("not enough memory for the states of grammars: ", format_bytes(bytes), " asked, ",
                  format_bytes(std::max<i64>(0, budget.available())), " left of the budget of ",
                  format_bytes(budget.limit())),
              cat("--memory ", ((budget.used() + bytes) >> 20) + 1,
                  "M would do for this one; with a smaller --batch fewer are in work at once"));
}

}  // namespace

void TableMemory::on_shortage(std::function<bool()> drop) {
  const std::lock_guard<std::mutex> lock(mutex_);
  drop_ = std::move(drop);
}

void TableMemory::take(i64 bytes) {
  while (!budget_.try_charge(bytes)) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (drop_ && drop_()) continue;
    refuse(budget_, bytes);
  }
}

bool TableMemory::try_keep(i64 bytes) {
  if (kept_.fetch_add(bytes) + bytes <= most_kept_ && budget_.try_charge(bytes)) return true;
  kept_.fetch_sub(bytes);
  return false;
}

void TableMemory::give_kept(i64 bytes) {
  kept_.fetch_sub(bytes);
  budget_.release(bytes);
}

i64 TableHold::cover(i64 bytes) {
  if (!memory_) return std::numeric_limits<i64>::max();
  const i64 covered = held_ / kHeapOfTables;
  if (bytes <= covered) return covered;
  const i64 more = kHeapOfTables * std::max({bytes - covered, kLeastStep, covered / 4});
  memory_->take(more);
  held_ += more;
  return held_ / kHeapOfTables;
}

}  // namespace lm::grammar
