#pragma once
// Many records at once before one answerer: the ready calls of all of them, the oldest record's
// first, so that calls share the answerer's batches. No outcome depends on how many are in work
// or on who else is. One thread drives it.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "answer/answer.h"
#include "flow/record_flow.h"

namespace lm::flow {

struct SchedulerOptions {
  i64 calls = 64;  // before the answerer at once; 1: one after the other
  /// Seconds of some clock. Set: calls are timed, which means something with calls = 1 alone.
  std::function<f64()> clock;
};

/// What one role of calls used.
struct Usage {
  i64 calls = 0;
  CallTokens tokens;
  i64 retries = 0;
  i64 failures = 0;  // replies without a value
};

class Scheduler {
 public:
  Scheduler(answer::Answerer& answerer, SchedulerOptions options)
      : answerer_(answerer), options_(std::move(options)) {}

  void add(std::unique_ptr<RecordFlow> record) { records_.push_back(std::move(record)); }
  /// Records added and not taken.
  i64 pending() const { return isize(records_); }
  /// A piece of work. False if there is nothing to do. A call that the answerer will never answer
  /// ends its record with the fault "lost".
  bool step();
  /// The oldest record's outcome if it is done. Counts its calls.
  std::optional<Outcome> take();
  /// By role, of records taken; and the same in all.
  const std::map<std::string, Usage>& usage() const { return usage_; }
  Usage total() const;

 private:
  /// True if something was asked, or a record ended by what it cannot ask.
  bool feed();
  bool drain();

  struct Sent {
    RecordFlow* record;
    i64 call;
    f64 at;
  };
  answer::Answerer& answerer_;
  const SchedulerOptions options_;
  std::deque<std::unique_ptr<RecordFlow>> records_;
  std::deque<Sent> sent_;  // as the answerer has them
  std::map<std::string, Usage> usage_;
};

/// {"calls","prompt_tokens","completion_tokens","retries","parse_failures","roles":{ROLE:{...}}}
std::string usage_json(const Scheduler& scheduler);

}  // namespace lm::flow
