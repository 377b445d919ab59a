#include "flow/record_flow.h"

#include <algorithm>
#include <limits>

#include "core/str.h"
#include "flow/call.h"
#include "flow/history.h"
#include "flow/task.h"

namespace lm::flow {

using text::Value;
using text::ValueList;
using text::ValueMap;

namespace {

constexpr i64 kLast = std::numeric_limits<i64>::max();
constexpr i64 kDeepest = 1024;  // levels of a value: writing it and giving it up recurse

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
  Impl(const Graph& graph, std::string id, std::vector<Value> fields, const FlowOptions& options,
       std::unique_ptr<Ledger> ledger)
      : graph_(graph),
        id_(std::move(id)),
        fields_(std::move(fields)),
        options_(options),
        ledger_(ledger ? std::move(ledger) : ledger_of(fields_, options, id_)),
        history_(*ledger_) {
    root_.body = &graph.main();
    begin_body(root_);
    settle();
  }

  bool has_ready() const { return !fault_ && !ready_.empty(); }

  std::optional<i64> next(answer::Request& out, bool may_wait) {
    if (!has_ready()) return std::nullopt;
    Task& task = *ready_.front();
    if (made_ == options_.most_calls) {
      fail(task, {"calls", cat("the record needs more than ", options_.most_calls, " calls"), -1});
      return std::nullopt;
    }
    if (!ask(task, out)) return std::nullopt;
    const i64 bytes = request_bytes(out);
    // Whoever answers needs room to work on it, which those that are asked will leave.
    constexpr i64 kRoom = 8;
    if (may_wait) {
      if (!ledger_->try_add(kRoom * bytes)) return std::nullopt;
      ledger_->give((kRoom - 1) * bytes);
    } else {
      ledger_->add(bytes, task.name, "a request");
    }
    ready_.pop_front();
    ++made_;
    ++waiting_;
    calls_.push_back({&task, bytes});
    return isize(calls_) - 1;
  }

  void answer(i64 call, answer::Response response, std::optional<f64> seconds) {
    Task& task = close(call);
    if (fault_) return;
    hear(task, std::move(response), seconds);
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
  struct Call {
    Task* task;  // null once answered
    i64 bytes;   // of the request
  };

  static std::unique_ptr<Ledger> ledger_of(const std::vector<Value>& fields,
                                           const FlowOptions& options, const std::string& id) {
    std::unique_ptr<Ledger> out =
        std::make_unique<Ledger>(options.memory, cat("record ", quote(id)));
    for (const Value& field : fields)
      out->hold(field, {});
    return out;
  }

  Task& close(i64 call) {
    LM_CHECK(call >= 0 && call < isize(calls_) && calls_[usize(call)].task != nullptr,
             "an open call is answered");
    --waiting_;
    ledger_->give(calls_[usize(call)].bytes);
    return *std::exchange(calls_[usize(call)].task, nullptr);
  }

  void fail(const Task& task, Fault fault) {
    if (fault_) return;
    fault.detail = cat("node ", task.name.empty() ? "?" : task.name, ": ", fault.detail);
    fault_ = std::move(fault);
  }

  i64 add_step(const Task& task, std::vector<i64> order, const std::vector<i64>& after) {
    return history_.add_step(std::move(order), after, task.name);
  }

  /// The task's value, which is held from now on.
  void report(Task& task, Value value, i64 step) {
    if (ledger_->hold(value, task.name) > kDeepest) {
      fail(task, {"depth", cat("a value of more than ", kDeepest, " levels"), -1});
      return;
    }
    reports_.push_back({&task, std::move(value), step});
  }

  /// Hands ends of work on until nothing moves without a response.
  void settle() {
    while (!reports_.empty() && !fault_) {
      Report one = std::move(reports_.front());
      reports_.pop_front();
      Task* const parent = one.from->parent;
      if (options_.trace && one.from->node != nullptr) trace(*one.from, one.value);
      said_.reset();
      if (parent == nullptr) {
        answer_ = std::move(one.value);
        ended_ = true;
        continue;
      }
      // What a round of a loop before has left there is no longer held.
      ledger_->drop(std::exchange(parent->values[usize(one.from->slot)], std::move(one.value)));
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
  void release(Task& task) {
    drop_children(task);
    drop_values(task);
    for (const Value& value : task.args)
      ledger_->drop(value);
    task.args = {};
    task.vars = {};
  }
  void drop_children(Task& task) {
    for (const std::unique_ptr<Task>& child : task.children) {
      release(*child);
      ledger_->give(child->charged);
    }
    task.children.clear();
  }
  void drop_values(Task& task) {
    for (const Value& value : task.values)
      ledger_->drop(value);
    task.values = {};
  }
  void add_arg(Task& task, Value value) {
    ledger_->hold(value, task.name);
    task.args.push_back(std::move(value));
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
  /// Once its names and inputs are there.
  void charge(Task& child) {
    constexpr i64 kBeside = 128;  // allocations, and its place among the parent's
    const i64 bytes = kBeside + static_cast<i64>(sizeof(Task)) + isize(child.name) +
                      8 * (isize(child.order) + 2) +
                      isize(child.vars) * static_cast<i64>(sizeof(ValueMap::value_type)) +
                      isize(child.args) * static_cast<i64>(sizeof(Value));
    ledger_->add(bytes - child.charged, child.name, "its work");
    child.charged = bytes;
  }

  // Graphs ----------------------------------------------------------------------------------------

  void begin_body(Task& task) {
    task.values.resize(task.body->nodes.size());
    task.steps.assign(task.body->nodes.size(), -1);
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
        add_arg(task, value_at(from, source.path, source.spelt));
        task.vars.emplace_back(Value(source.name), task.args.back());
        if (source.from == Source::From::kNode) after.push_back(parent.steps[usize(source.index)]);
      }
      charge(task);
      task.before = add_step(task, task.order, after);
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
        report(task,
               ledger_->about(
                   task.name,
                   [&] { return run_program(node, task.args, Value(task.vars), options_); }),
               task.before);
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
    add_arg(child, std::move(item));
    for (std::size_t i = 1; i < task.args.size(); ++i)
      add_arg(child, task.args[i]);
  }

  void open_slots(Task& task, i64 count) {
    drop_values(task);
    task.values.assign(usize(count), Value());
    task.steps.assign(usize(count), -1);
    task.open = count;
  }

  void begin_map(Task& task) {
    if (!task.args[0].is_list())
      throw NodeFault{{"type", cat("map needs a list, not type ", task.args[0].type_name()), -1}};
    const Value list = task.args[0];
    const ValueList& items = list.list();
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
      charge(child);
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
    const i64 arity = std::min(task.node->arity, isize(items));
    const std::vector<i64> before =
        task.round == 0 ? std::vector<i64>(items.size(), task.before) : task.steps;
    const i64 groups = (isize(items) + arity - 1) / arity;
    ++task.round;
    drop_children(task);
    open_slots(task, groups);
    if (task.round == 1)
      std::erase_if(task.vars, [&](const auto& one) {
        return !task.node->in.empty() && one.first.str() == task.node->in[0].name;
      });
    for (i64 g = 0; g < groups; ++g) {
      const i64 from = g * arity;
      const i64 to = std::min(isize(items), from + arity);
      if (to - from == 1) {  // goes up as it is
        ledger_->hold(items[usize(from)], task.name);
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
      charge(child);
      child.before = add_step(child, child.order,
                              std::vector<i64>(before.begin() + from, before.begin() + to));
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
    for (Value& arg : args)
      add_arg(child, std::move(arg));
    child.before = before;
    charge(child);
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
      drop_children(task);
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
    const i64 end = add_step(task, std::move(order), task.steps);
    report(task, Value(task.values), end);
  }

  // Calls -----------------------------------------------------------------------------------------

  bool ask(const Task& task, answer::Request& out) {
    try {
      out = request_of(task, id_, options_.seed, graph_.params.size());
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kData) throw;
      fail(task, {"template", e.message(), -1});
      return false;
    }
    return true;
  }

  void hear(Task& task, answer::Response response, std::optional<f64> seconds) {
    const LlmSpec& llm = *task.node->llm;
    if (response.fault) {
      fail(task, *response.fault);
      return;
    }
    CallRecord call = call_of(task, response, seconds);
    const bool lacks = call.failures > 0;
    Value value = call.value;
    std::vector<i64> order = task.order;
    order.push_back(++task.round);
    task.before = history_.add_call(std::move(order), task.before, std::move(call));
    if (lacks && task.round < llm.tries) {
      ready_.push_back(&task);
      return;
    }
    if (lacks && !llm.otherwise) {
      fail(task, {"parse", cat("no value in the reply ", quote(response.replies[0].text)), -1});
      return;
    }
    if (options_.trace) said_ = std::move(response);
    report(task, std::move(value), task.before);
  }

  void trace(const Task& task, const Value& value) {
    const bool call = said_ && task.node->op == Op::kLlm;
    history_.add_trace(task.order,
                       trace_json(task, value, graph_.params.size(), call ? &*said_ : nullptr),
                       task.name);
  }

  const Graph& graph_;
  const std::string id_;
  const std::vector<Value> fields_;
  const FlowOptions options_;
  std::unique_ptr<Ledger> ledger_;
  History history_;
  Task root_;
  std::deque<Task*> ready_;
  std::deque<Report> reports_;
  std::vector<Call> calls_;  // by number
  i64 made_ = 0;
  i64 waiting_ = 0;
  std::optional<Fault> fault_;
  bool ended_ = false;
  Value answer_;
  std::optional<answer::Response> said_;  // what the next report is made of, for the trace
};

Outcome RecordFlow::Impl::take() {
  LM_CHECK(done(), "the record is done");
  Outcome out;
  out.fault = std::move(fault_);
  out.answer = std::move(answer_);
  out.values = std::move(root_.values);
  history_.finish(out, options_.trace);
  out.ledger = std::move(ledger_);
  return out;
}

RecordFlow::RecordFlow(const Graph& graph, std::string id, std::vector<Value> fields,
                       const FlowOptions& options, std::unique_ptr<Ledger> ledger)
    : impl_(std::make_unique<Impl>(graph, std::move(id), std::move(fields), options,
                                   std::move(ledger))) {}
RecordFlow::~RecordFlow() = default;
bool RecordFlow::has_ready() const {
  return impl_->has_ready();
}
std::optional<i64> RecordFlow::next(answer::Request& out, bool may_wait) {
  return impl_->next(out, may_wait);
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
