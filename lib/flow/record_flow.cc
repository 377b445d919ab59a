#include "flow/record_flow.h"

#include <algorithm>
#include <limits>

#include "core/str.h"
#include "flow/task.h"
#include "io/json.h"

namespace lm::flow {

using text::Value;
using text::ValueList;
using text::ValueMap;

namespace {

constexpr i64 kLast = std::numeric_limits<i64>::max();

std::string json_of(const Value& value) {
  return text::to_json(value, {.spaced = false});
}

/// Inner ones hide outer ones.
void set_var(ValueMap& vars, const char* name, Value value) {
  for (auto& [key, known] : vars) {
    if (key.str() != name) continue;
    known = std::move(value);
    return;
  }
  vars.emplace_back(Value(name), std::move(value));
}

/// Nodes whose value is null where their first input is.
bool null_passes(const Node& node, const std::vector<Value>& args) {
  if (node.op == Op::kLlm || node.op == Op::kFormat || node.op == Op::kChoose) return false;
  const bool reduces = node.op == Op::kSum || node.op == Op::kMax || node.op == Op::kMean ||
                       node.op == Op::kMajority || node.op == Op::kMerge || node.op == Op::kConcat;
  return args[0].is_none() && !(reduces && args.size() > 1);
}

}  // namespace

class RecordFlow::Impl {
 public:
  Impl(const Graph& graph, std::string id, std::vector<Value> fields, const FlowOptions& options)
      : graph_(graph), id_(std::move(id)), fields_(std::move(fields)), options_(options) {
    root_.body = &graph.main();
    begin_body(root_);
    settle();
  }

  bool has_ready() const { return !fault_ && !ready_.empty(); }

  std::optional<i64> next(answer::Request& out) {
    while (has_ready()) {
      Task& task = *ready_.front();
      ready_.pop_front();
      if (made_ == options_.most_calls) {
        fail(task,
             {"calls", cat("the record needs more than ", options_.most_calls, " calls"), -1});
        break;
      }
      if (!ask(task, out)) break;
      ++made_;
      ++waiting_;
      calls_.push_back(&task);
      return isize(calls_) - 1;
    }
    return std::nullopt;
  }

  void answer(i64 call, answer::Response response, std::optional<f64> seconds) {
    Task& task = close(call);
    if (fault_) return;
    hear(task, response, seconds);
    settle();
  }

  void lose(i64 call) {
    Task& task = close(call);
    if (!fault_) fail(task, {"lost", "the call was never answered", -1});
  }

  bool done() const { return waiting_ == 0 && (fault_ || ended_); }
  Outcome take();

 private:
  struct Report {  // a child's end, on its way to its parent
    Task* from;
    Value value;
    i64 step;
  };
  struct StepRecord {
    std::vector<i64> order;
    Step step;
    i64 call = -1;  // in heard_
  };
  struct TraceLine {
    std::vector<i64> order;
    std::string json;
  };

  Task& close(i64 call) {
    LM_CHECK(call >= 0 && call < isize(calls_) && calls_[usize(call)] != nullptr,
             "an open call is answered");
    --waiting_;
    return *std::exchange(calls_[usize(call)], nullptr);
  }

  void fail(const Task& task, Fault fault) {
    if (fault_) return;
    fault.detail = cat("node ", task.name.empty() ? "?" : task.name, ": ", fault.detail);
    fault_ = std::move(fault);
  }

  i64 add_step(std::vector<i64> order, std::vector<i64> after) {
    StepRecord& record = steps_.emplace_back();
    record.order = std::move(order);
    for (const i64 one : after)
      if (one >= 0) record.step.after.push_back(one);
    return isize(steps_) - 1;
  }

  void report(Task& task, Value value, i64 step) {
    reports_.push_back({&task, std::move(value), step});
  }

  /// Hands ends of work on until nothing moves without a response.
  void settle() {
    while (!reports_.empty() && !fault_) {
      Report one = std::move(reports_.front());
      reports_.pop_front();
      Task* const parent = one.from->parent;
      if (options_.trace && one.from->node != nullptr) trace(*one.from, one.value);
      if (parent == nullptr) {
        answer_ = std::move(one.value);
        ended_ = true;
        continue;
      }
      parent->values[usize(one.from->slot)] = std::move(one.value);
      parent->steps[usize(one.from->slot)] = one.step;
      release(*one.from);
      try {
        if (parent->body != nullptr) {
          advance_body(*parent);
        } else {
          advance_node(*parent);
        }
      } catch (const NodeFault& e) {
        fail(*parent, e.fault);
      } catch (const Error& e) {
        if (e.kind() != ErrorKind::kData) throw;
        fail(*parent, {"template", e.message(), -1});
      }
    }
  }

  /// What only the task itself needed.
  static void release(Task& task) {
    task.children.clear();
    task.values.clear();
    task.args.clear();
    task.vars.clear();
  }

  Task& child_of(Task& parent, i64 slot) {
    Task& child = *parent.children.emplace_back(std::make_unique<Task>());
    child.parent = &parent;
    child.slot = slot;
    child.depth = parent.depth;
    child.item = parent.item;
    child.order = parent.order;
    child.order.push_back(slot);
    return child;
  }

  // Graphs ----------------------------------------------------------------------------------------

  void begin_body(Task& task) {
    task.values.resize(task.body->nodes.size());
    task.steps.assign(task.body->nodes.size(), -1);
    started_of(task);
    try {
      advance_body(task);
    } catch (const NodeFault& e) {
      fail(task, e.fault);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kData) throw;
      fail(task, {"template", e.message(), -1});
    }
  }

  /// Nodes that were started: those with a child.
  static std::vector<char> started_of(const Task& task) {
    std::vector<char> out(task.body->nodes.size(), 0);
    for (const std::unique_ptr<Task>& child : task.children)
      out[usize(child->slot)] = 1;
    return out;
  }

  void advance_body(Task& task) {
    const Body& body = *task.body;
    if (task.steps[usize(body.answer)] >= 0) {
      report(task, task.values[usize(body.answer)], task.steps[usize(body.answer)]);
      return;
    }
    const std::vector<char> started = started_of(task);
    for (i64 i = 0; i < isize(body.nodes) && !fault_; ++i) {
      const Node& node = body.nodes[usize(i)];
      if (started[usize(i)]) continue;
      const bool open = std::any_of(node.in.begin(), node.in.end(), [&](const Source& s) {
        return s.from == Source::From::kNode && task.steps[usize(s.index)] < 0;
      });
      if (!open) begin_node(task, node, i);
    }
  }

  void begin_node(Task& parent, const Node& node, i64 slot) {
    Task& task = child_of(parent, slot);
    task.node = &node;
    task.name = cat(parent.name, parent.name.empty() ? "" : "/", node.id);
    std::vector<i64> after = {parent.before};
    try {
      task.vars = graph_.params;
      for (const Source& source : node.in) {
        const Value& from = source.from == Source::From::kField ? fields_[usize(source.index)]
                            : source.from == Source::From::kInput
                                ? parent.args[usize(source.index)]
                                : parent.values[usize(source.index)];
        task.args.push_back(value_at(from, source.path, source.spelt));
        task.vars.emplace_back(Value(source.name), task.args.back());
        if (source.from == Source::From::kNode) after.push_back(parent.steps[usize(source.index)]);
      }
      task.before = add_step(task.order, after);
      if (node.when && !holds(*node.when, Value(task.vars))) {
        report(task, Value(), task.before);
        return;
      }
      begin_work(task);
    } catch (const NodeFault& e) {
      fail(task, e.fault);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kData) throw;
      fail(task, {"template", e.message(), -1});
    }
  }

  // Nodes -----------------------------------------------------------------------------------------

  /// The work of task.node with task.args and task.vars; its step before is made.
  void begin_work(Task& task) {
    const Node& node = *task.node;
    if (null_passes(node, task.args)) {
      report(task, Value(), task.before);
      return;
    }
    switch (node.op) {
      case Op::kLlm:
        ready_.push_back(&task);
        return;
      case Op::kMap:
        begin_map(task);
        return;
      case Op::kTree:
        if (!task.args[0].is_list())
          throw NodeFault{
              {"type", cat("tree needs a list, not type ", task.args[0].type_name()), -1}};
        begin_level(task, ValueList(task.args[0].list()));
        return;
      case Op::kExpand:
        if (task.depth >= node.most)
          throw NodeFault{{"depth", cat("expands deeper than ", node.most), -1}};
        begin_expansion(task, task.args, 0, task.before);
        return;
      case Op::kLoop:
        begin_round(task, task.args[0], task.before);
        return;
      default:
        report(task, run_program(node, task.args, Value(task.vars), options_), task.before);
    }
  }

  /// A child that does the inner node's work with an item and the other inputs.
  void begin_inner(Task& task, i64 slot, const char* item_name, Value item, std::string name,
                   i64 before) {
    Task& child = child_of(task, slot);
    child.node = task.node->inner.get();
    child.name = std::move(name);
    child.before = before;
    child.vars = task.vars;
    set_var(child.vars, item_name, item);
    child.args.push_back(std::move(item));
    child.args.insert(child.args.end(), task.args.begin() + 1, task.args.end());
  }

  void open_slots(Task& task, i64 count) {
    task.values.assign(usize(count), Value());
    task.steps.assign(usize(count), -1);
    task.open = count;
  }

  void begin_map(Task& task) {
    if (!task.args[0].is_list())
      throw NodeFault{{"type", cat("map needs a list, not type ", task.args[0].type_name()), -1}};
    const ValueList items = task.args[0].list();
    // The list itself has a name in templates too; its items are what each is about.
    std::erase_if(task.vars, [&](const auto& one) {
      return !task.node->in.empty() && one.first.str() == task.node->in[0].name;
    });
    open_slots(task, isize(items));
    if (items.empty()) {
      report(task, Value(ValueList()), task.before);
      return;
    }
    for (i64 i = 0; i < isize(items); ++i) {
      begin_inner(task, i, "item", items[usize(i)], cat(task.name, "[", i, "]"), task.before);
      Task& child = *task.children.back();
      child.item = i;
      set_var(child.vars, "index", Value(i));
      set_var(child.vars, "count", Value(isize(items)));
    }
    for (const std::unique_ptr<Task>& child : task.children) {
      if (fault_) return;
      begin_work(*child);
    }
  }

  /// A level of a tree: items left, groups of them to reduce.
  void begin_level(Task& task, ValueList items) {
    if (items.size() <= 1) {
      report(task, items.empty() ? Value() : items[0],
             task.steps.empty() ? task.before : task.steps[0]);
      return;
    }
    const i64 arity = task.node->arity;
    const std::vector<i64> before =
        task.round == 0 ? std::vector<i64>(items.size(), task.before) : task.steps;
    const i64 groups = (isize(items) + arity - 1) / arity;
    ++task.round;
    task.children.clear();
    open_slots(task, groups);
    if (task.round == 1)
      std::erase_if(task.vars, [&](const auto& one) {
        return !task.node->in.empty() && one.first.str() == task.node->in[0].name;
      });
    for (i64 g = 0; g < groups; ++g) {
      const i64 from = g * arity;
      const i64 to = std::min(isize(items), from + arity);
      if (to - from == 1) {  // goes up as it is
        task.values[usize(g)] = items[usize(from)];
        task.steps[usize(g)] = before[usize(from)];
        --task.open;
        continue;
      }
      ValueList group(items.begin() + from, items.begin() + to);
      begin_inner(task, g, "items", Value(std::move(group)),
                  cat(task.name, "[", task.round, ".", g, "]"), -1);
      Task& child = *task.children.back();
      child.order.insert(child.order.end() - 1, task.round);
      child.item = g;
      set_var(child.vars, "level", Value(task.round));
      child.before =
          add_step(child.order, std::vector<i64>(before.begin() + from, before.begin() + to));
    }
    for (std::size_t i = 0; i < task.children.size() && !fault_; ++i)
      begin_work(*task.children[i]);
  }

  void begin_expansion(Task& task, std::vector<Value> args, i64 round, i64 before) {
    if (task.values.empty()) open_slots(task, 1);
    task.open = 1;
    Task& child = child_of(task, 0);
    child.body = &graph_.bodies[usize(task.node->body)];
    child.name = task.node->op == Op::kLoop ? cat(task.name, "[", round, "]") : task.name;
    child.order.back() = round;
    child.depth = task.depth + (task.node->op == Op::kExpand ? 1 : 0);
    child.args = std::move(args);
    child.before = before;
    begin_body(child);
  }

  void begin_round(Task& task, Value state, i64 before) {
    const Node& node = *task.node;
    Value vars(task.vars);
    vars.set(Value("state"), state);
    vars.set(Value("round"), Value(task.round));
    if (task.round == node.most || (node.until && holds(*node.until, vars))) {
      report(task, std::move(state), before);
      return;
    }
    std::vector<Value> args = task.args;
    args[0] = std::move(state);
    begin_expansion(task, std::move(args), task.round++, before);
  }

  /// A child of a node has reported.
  void advance_node(Task& task) {
    if (task.node->op == Op::kExpand) {
      report(task, task.values[0], task.steps[0]);
      return;
    }
    if (task.node->op == Op::kLoop) {
      task.children.clear();
      begin_round(task, task.values[0], task.steps[0]);
      return;
    }
    if (--task.open > 0) return;
    if (task.node->op == Op::kTree) {
      begin_level(task, task.values);
      return;
    }
    std::vector<i64> order = task.order;
    order.push_back(kLast);
    const i64 end = add_step(std::move(order), task.steps);
    report(task, Value(task.values), end);
  }

  // Calls -----------------------------------------------------------------------------------------

  bool ask(Task& task, answer::Request& out) {
    const LlmSpec& llm = *task.node->llm;
    out = {};
    out.id = cat(id_, "/", task.name, task.round > 0 ? cat("~", task.round + 1) : "");
    out.seed = options_.seed;
    out.params = llm.params;
    out.form = llm.form;
    const Value vars(task.vars);
    try {
      if (llm.prompt) out.prompt = llm.prompt->render(vars);
      for (const auto& [role, content] : llm.messages)
        out.messages.push_back({role, content.render(vars)});
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kData) throw;
      fail(task, {"template", e.message(), -1});
      return false;
    }
    ValueMap meta = {{Value("role"), Value(llm.role)}, {Value("node"), Value(task.name)}};
    for (std::size_t i = graph_.params.size(); i < task.vars.size(); ++i)
      meta.push_back(task.vars[i]);
    out.meta = json_of(Value(std::move(meta)));
    return true;
  }

  void hear(Task& task, const answer::Response& response, std::optional<f64> seconds) {
    const LlmSpec& llm = *task.node->llm;
    if (response.fault) {
      fail(task, *response.fault);
      return;
    }
    LM_CHECK(isize(response.replies) == llm.params.n, "as many replies as were asked for");
    ++task.round;
    CallRecord call;
    call.name = task.name;
    call.role = llm.role;
    call.item = task.item;
    call.retry = task.round > 1;
    call.seconds = seconds;
    call.tokens.prefill = response.prompt_tokens;
    ValueList values;
    for (const answer::Reply& reply : response.replies) {
      call.tokens.decode += reply.tokens;
      std::optional<Value> value = parse_reply(llm.parse, reply.text);
      if (!value) ++call.failures;
      values.push_back(value ? std::move(*value) : llm.otherwise.value_or(Value()));
    }
    std::vector<i64> order = task.order;
    order.push_back(task.round);
    task.before = add_step(std::move(order), {task.before});
    StepRecord& record = steps_.back();
    record.step.call = true;
    record.step.seconds = seconds.value_or(0);
    record.step.held_tokens = call.tokens.prefill + call.tokens.decode;
    record.call = isize(heard_);
    const bool lacks = call.failures > 0;
    call.value = llm.params.n > 1 ? Value(values) : values[0];
    heard_.push_back(std::move(call));
    if (lacks && task.round < llm.tries) {
      ready_.push_back(&task);
      return;
    }
    if (lacks && !llm.otherwise) {
      fail(task, {"parse", cat("no value in the reply ", quote(response.replies[0].text)), -1});
      return;
    }
    if (options_.trace) texts_.emplace_back(&task, response);
    report(task, heard_.back().value, task.before);
  }

  void trace(const Task& task, const Value& value) {
    std::string in;
    for (std::size_t i = graph_.params.size(); i < task.vars.size(); ++i)
      append(in, in.empty() ? "{" : ",", io::json_string(task.vars[i].first.str()), ":",
             json_of(task.vars[i].second));
    std::string json = cat("{\"node\":", io::json_string(task.name), ",\"op\":\"",
                           op_name(task.node->op), "\",\"in\":", in.empty() ? "{" : in, "}");
    for (const auto& [of, response] : texts_) {
      if (of != &task) continue;
      json += ",\"replies\":[";
      for (std::size_t i = 0; i < response.replies.size(); ++i)
        append(json, i > 0 ? "," : "", io::json_string(response.replies[i].text));
      append(json, "],\"prompt_tokens\":", response.prompt_tokens);
    }
    std::erase_if(texts_, [&](const auto& one) { return one.first == &task; });
    append(json, ",\"out\":", json_of(value), "}");
    traces_.push_back({task.order, std::move(json)});
  }

  const Graph& graph_;
  const std::string id_;
  const std::vector<Value> fields_;
  const FlowOptions options_;
  Task root_;
  std::deque<Task*> ready_;
  std::deque<Report> reports_;
  std::vector<Task*> calls_;  // by number; null once answered
  i64 made_ = 0;
  i64 waiting_ = 0;
  std::optional<Fault> fault_;
  bool ended_ = false;
  Value answer_;
  std::vector<CallRecord> heard_;
  std::vector<StepRecord> steps_;
  std::vector<std::pair<const Task*, answer::Response>> texts_;
  std::vector<TraceLine> traces_;
};

/// Steps and calls in the order of the graph, whatever came first.
Outcome RecordFlow::Impl::take() {
  LM_CHECK(done(), "the record is done");
  Outcome out;
  out.fault = std::move(fault_);
  out.answer = std::move(answer_);
  out.values = std::move(root_.values);
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
    if (record.call >= 0) out.calls.push_back(std::move(heard_[usize(record.call)]));
    out.steps.push_back(std::move(record.step));
  }
  if (options_.trace) {
    std::sort(traces_.begin(), traces_.end(),
              [](const TraceLine& a, const TraceLine& b) { return a.order < b.order; });
    out.trace = "[";
    for (const TraceLine& line : traces_)
      append(out.trace, out.trace.size() > 1 ? "," : "", line.json);
    out.trace += "]";
  }
  return out;
}

RecordFlow::RecordFlow(const Graph& graph, std::string id, std::vector<Value> fields,
                       const FlowOptions& options)
    : impl_(std::make_unique<Impl>(graph, std::move(id), std::move(fields), options)) {}
RecordFlow::~RecordFlow() = default;
bool RecordFlow::has_ready() const {
  return impl_->has_ready();
}
std::optional<i64> RecordFlow::next(answer::Request& out) {
  return impl_->next(out);
}
void RecordFlow::answer(i64 call, answer::Response response, std::optional<f64> seconds) {
  impl_->answer(call, std::move(response), seconds);
}
void RecordFlow::lose(i64 call) {
  impl_->lose(call);
}
bool RecordFlow::done() const {
  return impl_->done();
}
Outcome RecordFlow::take() {
  return impl_->take();
}

}  // namespace lm::flow
