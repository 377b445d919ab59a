#pragma once
// Texts of which a program knows several times as much as they are large take turns, so that what a
// run holds does not grow with its threads times the longest of them.

#include <mutex>
#include <string>

#include "core/context.h"
#include "core/str.h"

namespace lm {

/// Long texts take turns; what is known of one is charged and given back before the next one's
/// turn. Thread-safe.
class LongTexts {
 public:
  /// From here on a text is long.
  static constexpr i64 kBytes = i64{4} << 20;
  /// times: how many times as large as a text what is known of it may be. who: "the taggers".
  LongTexts(MemoryBudget& budget, i64 times, std::string who)
      : budget_(budget), times_(times), who_(std::move(who)) {}
  MemoryBudget& budget() const { return budget_; }
  /// Calls work(): of a long text when it is its turn. Throws Error{kOs} beyond the budget.
  template <typename Work>
  auto with(i64 bytes, const Work& work) {
    if (bytes < kBytes) return work();
    const std::lock_guard<std::mutex> lock(mutex_);
    const MemoryCharge charge(budget_, times_ * bytes,
                              cat(who_, " of a text of ", format_bytes(bytes)));
    return work();
  }

 private:
  MemoryBudget& budget_;
  const i64 times_;
  const std::string who_;
  std::mutex mutex_;
};

}  // namespace lm
