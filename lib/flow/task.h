#pragma once
// The pieces that a record on its way is made of; private to record_flow.cc, history.cc and
// node_work.cc.

#include <memory>
#include <string>
#include <vector>

#include "flow/record_flow.h"

namespace lm::flow {

/// A graph being evaluated (body), or a node's work. Its children report to it by slot.
struct Task {
  Task* parent = nullptr;
  i64 slot = 0;
  const Body* body = nullptr;  // of a graph
  const Node* node = nullptr;  // of a node
  std::string name;            // for ids and traces
  std::vector<i64> order;      // place among all work of the record, whatever came first
  i64 before = -1;             // the step that it waits for
  i64 depth = 0;               // expansions around it
  i64 item = -1;

  std::vector<text::Value> values;  // a graph: by node; else: the children's
  std::vector<i64> steps;           // their last steps, -1 while open
  std::vector<text::Value> args;    // a graph's inputs; a node's inputs
  text::ValueMap vars;              // a node's, for templates
  i64 open = 0;                     // children that have not reported
  i64 round = 0;                    // of a loop, the level of a tree, the try of a call
  std::vector<std::unique_ptr<Task>> children;
  i64 charged = 0;  // for the task itself
};

/// Why a node cannot go on; caught where nodes are run.
struct NodeFault {
  Fault fault;
};

/// What program nodes that are done at once make of their inputs. Throws NodeFault.
text::Value run_program(const Node& node, const std::vector<text::Value>& args,
                        const text::Value& vars, const FlowOptions& options);

/// The value at a path inside another; null inside null. Throws NodeFault "missing".
text::Value value_at(const text::Value& value, const std::vector<std::string>& path,
                     const std::string& spelt);

}  // namespace lm::flow
