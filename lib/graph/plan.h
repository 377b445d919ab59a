#pragma once
// Where every activation lies in the step slab. Greedy by size: values sorted by bytes
// (descending), then first write; each at the lowest offset free over its lifetime. Deterministic,
// needs no device.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace lm {

inline constexpr i64 kPlanAlign = 256;

/// Which nodes have an effect: a kept or gradient output, a side effect, or a live reader. The
/// executor skips the others.
std::vector<bool> live_nodes(const Graph& g);

/// Bytes of scratch a node's kernel wants, live for that node only.
using WorkspaceFn = std::function<i64(const Node&, const Graph&)>;

struct Plan {
  /// Per value: byte offset in the slab, -1 for bound values, views and values nobody reads.
  std::vector<i64> value_offset;
  /// Per node: byte offset of its workspace, -1 without.
  std::vector<i64> workspace_offset;
  i64 slab_bytes = 0;
  /// max over nodes of the bytes live at it: no plan can be smaller.
  i64 lower_bound_bytes = 0;
};

struct PlanOptions {
  /// Let an output take over its input's buffer where OpDef::in_place allows. Off for debugging.
  bool in_place = true;
};

/// O(values^2) in the worst case, milliseconds for a thousand nodes.
Plan make_plan(const Graph& g, const WorkspaceFn& workspace, PlanOptions options = {});

/// One line of the plan table, largest first.
struct PlanEntry {
  std::string name;
  i64 bytes = 0;
  i64 first_node = 0;
  i64 last_node = 0;
};
/// The `limit` largest buffers of a plan.
std::vector<PlanEntry> largest_values(const Graph& g, i64 limit);

/// Operator totals by name: nodes, FLOPs and bytes from the cost functions.
struct OpTotal {
  std::string op;
  i64 nodes = 0;
  i64 flops = 0;
  i64 bytes_read = 0;
  i64 bytes_written = 0;
};
std::vector<OpTotal> op_totals(const Graph& g);
/// FLOPs of the whole list.
i64 total_flops(const Graph& g);

/// A text table of memory and work (`--plan`).
std::string plan_table(const Graph& g, const Plan& plan);

}  // namespace lm
