#pragma once
// One record on its way through a graph. It hands out the calls that are ready and takes their
// responses in whatever order they come; program nodes run in between. What comes out depends on
// the responses alone, not on their order. One thread drives it.

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "answer/answer.h"
#include "flow/cost.h"
#include "flow/graph.h"
#include "flow/ledger.h"
#include "flow/schedule.h"

namespace lm::flow {

struct FlowOptions {
  u64 seed = 0;
  i64 most_calls = 100000;  // of a record: what recursion and loops must not exceed
  bool trace = false;
  CountTokens count_tokens = {};  // for split by tokens
  /// Values, work, requests and traces are charged here; null: nowhere. What does not fit ends the
  /// run: Error{kOs} with record and node.
  MemoryBudget* memory = nullptr;
};

/// A call that was answered.
struct CallRecord {
  std::string name;  // "counts[3]": the node, the item, and so on inward
  std::string role;
  CallTokens tokens;
  i64 item = -1;  // of a map
  bool retry = false;
  i64 failures = 0;  // replies without a value
  text::Value value;
  std::optional<f64> seconds;  // measured
};

/// What became of a record.
struct Outcome {
  /// Of what is here; first, so that it goes last.
  std::unique_ptr<Ledger> ledger;
  std::optional<Fault> fault;  // then there is no answer
  text::Value answer;
  std::vector<text::Value> values;  // of the main graph's nodes
  std::vector<CallRecord> calls;    // in the order of the graph
  /// Calls and what waits for them; the k-th call among them is calls[k]. Seconds are those
  /// measured, else 0.
  std::vector<Step> steps;
  std::string trace = "null";  // a JSON list
};

class RecordFlow {
 public:
  /// fields: values of graph.fields; the graph outlives this. ledger: holds the fields already;
  /// null: this makes one.
  RecordFlow(const Graph& graph, std::string id, std::vector<text::Value> fields,
             const FlowOptions& options, std::unique_ptr<Ledger> ledger = nullptr);
  ~RecordFlow();
  RecordFlow(const RecordFlow&) = delete;
  RecordFlow& operator=(const RecordFlow&) = delete;

  bool has_ready() const;
  /// The next call that is ready, and its number. may_wait: where memory does not suffice for the
  /// request, nothing, and the call stays ready; else Error{kOs}.
  std::optional<i64> next(answer::Request& out, bool may_wait = false);
  /// seconds: how long it took, if that was measured.
  void answer(i64 call, answer::Response response, std::optional<f64> seconds = std::nullopt);
  /// The call will never be answered.
  void lose(i64 call);
  /// No more calls to hand out or to wait for.
  bool done() const;
  Outcome take();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Seconds of every call by a model, where they were not measured or `always`.
void set_seconds(Outcome& outcome, const CostModel& model, bool always);

/// What a record cost. Latencies need seconds of every call; else they are NaN.
struct CostFigures {
  i64 calls = 0;
  CallTokens tokens;
  f64 latency = 0;        // one call after the other
  f64 latency_ideal = 0;  // the critical path
  f64 latency_p = 0;      // list scheduling on p workers
  f64 latency_block = 0;  // blocks of p
  i64 peak_tokens = 0;    // held at once by calls that run on p workers
  f64 price = 0;
};
CostFigures cost_of(const Outcome& outcome, i64 workers, const std::optional<CostModel>& prices);

}  // namespace lm::flow
