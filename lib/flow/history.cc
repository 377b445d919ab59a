#include "flow/history.h"

#include <algorithm>

#include "core/str.h"
#include "io/json.h"

namespace lm::flow {

using text::Value;

i64 History::add_step(std::vector<i64> order, const std::vector<i64>& after,
                      const std::string& node) {
  // What vectors of steps and their places among all take, growth and allocations included.
  constexpr i64 kStepBytes = static_cast<i64>(2 * sizeof(StepRecord)) + 64;
  ledger_.add(kStepBytes + 8 * (isize(order) + isize(after)), node, "a step");
  StepRecord& record = steps_.emplace_back();
  record.order = std::move(order);
  for (const i64 one : after)
    if (one >= 0) record.step.after.push_back(one);
  return isize(steps_) - 1;
}

i64 History::add_call(std::vector<i64> order, i64 before, CallRecord call) {
  const i64 number = add_step(std::move(order), {before}, call.name);
  StepRecord& record = steps_.back();
  record.step.call = true;
  record.step.seconds = call.seconds.value_or(0);
  record.step.held_tokens = call.tokens.prefill + call.tokens.decode;
  record.call = isize(calls_);
  ledger_.hold(call.value, call.name);
  ledger_.add(static_cast<i64>(2 * sizeof(CallRecord)) + isize(call.name) + isize(call.role) + 64,
              call.name, "a call");
  calls_.push_back(std::move(call));
  return number;
}

void History::add_trace(std::vector<i64> order, std::string json, const std::string& node) {
  // Here, and in what finish() joins.
  ledger_.add(2 * isize(json) + static_cast<i64>(2 * sizeof(TraceLine)) + 64, node, "a trace");
  traces_.push_back({std::move(order), std::move(json)});
}

void History::finish(Outcome& out, bool trace) {
  std::vector<i64> by_order(steps_.size());
  for (std::size_t i = 0; i < by_order.size(); ++i)
    by_order[i] = static_cast<i64>(i);
  std::sort(by_order.begin(), by_order.end(), [&](i64 a, i64 b) {
    const std::vector<i64>& x = steps_[usize(a)].order;
    const std::vector<i64>& y = steps_[usize(b)].order;
    return x != y ? x < y : a < b;
  });
  std::vector<i64> place(steps_.size());
  for (std::size_t i = 0; i < by_order.size(); ++i)
    place[usize(by_order[i])] = static_cast<i64>(i);
  for (const i64 i : by_order) {
    StepRecord& record = steps_[usize(i)];
    for (i64& after : record.step.after)
      after = place[usize(after)];
    if (record.call >= 0) out.calls.push_back(std::move(calls_[usize(record.call)]));
    out.steps.push_back(std::move(record.step));
  }
  if (!trace) return;
  std::sort(traces_.begin(), traces_.end(),
            [](const TraceLine& a, const TraceLine& b) { return a.order < b.order; });
  out.trace = "[";
  for (const TraceLine& line : traces_)
    append(out.trace, out.trace.size() > 1 ? "," : "", line.json);
  out.trace += "]";
}

std::string trace_json(const Task& task, const Value& value, std::size_t params,
                       const answer::Response* replies) {
  const Node& node = *task.node;
  const text::JsonStyle style{.spaced = false};
  std::string in;
  const auto add = [&](const std::string& name, const Value& what) {
    append(in, in.empty() ? "{" : ",", io::json_string(name), ":", text::to_json(what, style));
  };
  // The node of `do` has its item and what is around it; others have what their inputs are.
  if (node.in.empty()) {
    for (std::size_t i = params; i < task.vars.size(); ++i)
      add(task.vars[i].first.str(), task.vars[i].second);
  } else {
    for (std::size_t i = 0; i < node.in.size(); ++i)
      add(node.in[i].name, task.args[i]);
  }
  std::string out = cat("{\"node\":", io::json_string(task.name), ",\"op\":\"", op_name(node.op),
                        "\",\"in\":", in.empty() ? "{" : in, "}");
  if (replies != nullptr) {
    out += ",\"replies\":[";
    for (std::size_t i = 0; i < replies->replies.size(); ++i)
      append(out, i > 0 ? "," : "", io::json_string(replies->replies[i].text));
    append(out, "],\"prompt_tokens\":", replies->prompt_tokens);
  }
  append(out, ",\"out\":", text::to_json(value, style), "}");
  return out;
}

}  // namespace lm::flow
