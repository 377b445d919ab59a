#pragma once
// How the room gives up inside: a text that is no grammar, a schema that cannot be honoured, a
// budget that is spent. Thrown below the room's public functions only, which turn it into a Fault.

#include <optional>
#include <string>
#include <utility>

#include "core/result.h"
#include "core/types.h"
#include "grammar/table_memory.h"

namespace lm::grammar {

/// Code "grammar": what the user wrote cannot be compiled; "budget": it needs more bytes than
/// given.
struct Refusal {
  Fault fault;
};

[[noreturn]] inline void refuse(std::string detail, i64 offset = -1) {
  throw Refusal{Fault{"grammar", std::move(detail), offset}};
}

/// Bytes that the tables of one grammar or matcher may take.
class Budget {
 public:
  /// hold: covers what is charged, outlives this; null: nothing does.
  Budget(const char* name, i64 limit, TableHold* hold = nullptr)
      : name_(name), limit_(limit), sure_(hold == nullptr ? limit : 0), hold_(hold) {}
  /// Throws Refusal "budget" when the sum passes the limit, and what TableHold::cover throws.
  void charge(i64 bytes) {
    used_ += bytes;
    if (used_ > sure_) [[unlikely]]
      cover();
  }
  i64 used() const { return used_; }
  i64 limit() const { return limit_; }
  /// What is charged from here on is covered elsewhere.
  void detach() {
    hold_ = nullptr;
    sure_ = limit_;
  }

 private:
  void cover();

  const char* name_;  // of the option a user would raise
  i64 limit_;
  i64 used_ = 0;
  i64 sure_;  // at most limit_: so much is covered
  TableHold* hold_;
};

/// Runs work and turns a Refusal into a Fault.
template <typename Work>
auto faulted(Work work) -> Result<decltype(work())> {
  try {
    return work();
  } catch (Refusal& refusal) {
    return std::move(refusal.fault);
  }
}

}  // namespace lm::grammar
