#pragma once
// What a record has done so far: steps and what they wait for, calls, lines of a trace. At the end
// they are put into the order of the graph, whatever came first. Private to record_flow.cc.

#include <optional>
#include <string>
#include <vector>

#include "flow/ledger.h"
#include "flow/record_flow.h"
#include "flow/task.h"

namespace lm::flow {

class History {
 public:
  /// ledger: outlives this; what is kept is charged there.
  explicit History(Ledger& ledger) : ledger_(ledger) {}

  /// A step that takes no time, at `order` among all. after: steps it waits for, those of -1 left
  /// out. Returns its number.
  i64 add_step(std::vector<i64> order, const std::vector<i64>& after, const std::string& node);
  /// The step of a call that was answered.
  i64 add_call(std::vector<i64> order, i64 before, CallRecord call);
  void add_trace(std::vector<i64> order, std::string json, const std::string& node);

  /// Moves all of it into out. trace: the lines too.
  void finish(Outcome& out, bool trace);

 private:
  struct StepRecord {
    std::vector<i64> order;
    Step step;
    i64 call = -1;  // in calls_
  };
  struct TraceLine {
    std::vector<i64> order;
    std::string json;
  };

  Ledger& ledger_;
  std::vector<CallRecord> calls_;
  std::vector<StepRecord> steps_;
  std::vector<TraceLine> traces_;
};

/// A line of a trace. params: how many of the task's names are parameters. replies: of a call.
std::string trace_json(const Task& task, const text::Value& value, std::size_t params,
                       const answer::Response* replies);

}  // namespace lm::flow
