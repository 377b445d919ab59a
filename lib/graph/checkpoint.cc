#include "graph/checkpoint.h"

#include <algorithm>
#include <map>

#include "core/str.h"
#include "graph/op_def.h"

namespace lm {

namespace {

i32 base_of(const Graph& g, Value v) {
  const i32 base = g.info(v).base;
  return base >= 0 ? base : v.id;
}

// Forward values that another region, or code outside any region, reads stay in memory: they are
// that reader's inputs.
std::vector<bool> crossing_values(const Graph& g) {
  std::vector<bool> crossing(g.values().size(), false);
  std::vector<i32> region(g.values().size(), -1);
  for (i64 n = 0; n < g.forward_nodes(); ++n) {
    const Node& node = g.nodes()[usize(n)];
    for (const Value v : node.in) {
      if (!v) continue;
      const std::size_t base = usize(base_of(g, v));
      if (region[base] != node.region) crossing[base] = true;
    }
    for (const Value v : node.out) {
      if (v && g.info(v).base < 0) region[usize(v.id)] = node.region;
    }
  }
  return crossing;
}

// For every value its forward node if the policy drops it, else -1.
std::vector<i32> dropped_by(const Graph& g) {
  const std::vector<bool> crossing = crossing_values(g);
  std::vector<i32> node_of(g.values().size(), -1);
  for (i64 n = 0; n < g.forward_nodes(); ++n) {
    const Node& node = g.nodes()[usize(n)];
    if (node.region < 0 || node.accumulate != 0) continue;
    const Recompute policy = g.regions()[usize(node.region)].policy;
    const OpDef& def = g.def(node.op);
    if (policy == Recompute::kNone || def.side_effect) continue;
    if (def.is_view) {  // a view of a dropped value must follow its base
      const i32 base = base_of(g, node.out[0]);
      if (node_of[usize(base)] >= 0) node_of[usize(node.out[0].id)] = static_cast<i32>(n);
      continue;
    }
    if (policy == Recompute::kCheap && !def.cheap) continue;
    for (const Value v : node.out) {
      if (v && !crossing[usize(v.id)] && !g.info(v).keep) {
        node_of[usize(v.id)] = static_cast<i32>(n);
      }
    }
  }
  return node_of;
}

// Appends to `out` the clone of one forward node; `copy` maps originals to clones.
void clone_node(Graph& g, i64 index, std::map<i32, Value>& copy, std::vector<Node>& out) {
  Node node = g.nodes()[usize(index)];
  node.name += ".again";
  node.backward = true;
  node.region = -1;
  for (i64 i = 0; i < node.in.size(); ++i) {
    const auto found = node.in[i] ? copy.find(node.in[i].id) : copy.end();
    if (found != copy.end()) node.in[i] = found->second;
  }
  for (i64 j = 0; j < node.out.size(); ++j) {
    const Value old = node.out[j];
    if (!old) continue;
    const ValueInfo info = g.info(old);
    Value fresh;
    if (g.def(node.op).is_view) {
      // The view attribute's offset is relative to the node's input, as at first building.
      const ValueInfo in_info = g.info(g.nodes()[usize(index)].in[0]);
      fresh = g.new_view(node.in[0], info.shape, info.view_offset - in_info.view_offset, info.ld);
    } else {
      fresh = g.new_value(info.shape, info.dtype, cat(info.name, ".again"));
    }
    copy[old.id] = fresh;
    node.out[j] = fresh;
  }
  out.push_back(std::move(node));
}

struct Regrowth {
  std::vector<bool> needed;  // per forward node: must be cloned
  i64 before = -1;           // first gradient node that reads a clone
};

// Nodes of each region to clone, transitively.
std::vector<Regrowth> plan_clones(const Graph& g, const std::vector<i32>& node_of) {
  const std::vector<Node>& nodes = g.nodes();
  std::vector<Regrowth> plans(g.regions().size());
  for (Regrowth& plan : plans)
    plan.needed.assign(usize(g.forward_nodes()), false);
  for (i64 n = g.forward_nodes(); n < ssize(nodes); ++n) {
    for (const Value v : nodes[usize(n)].in) {
      if (!v || node_of[usize(v.id)] < 0) continue;
      const i32 maker = node_of[usize(v.id)];
      Regrowth& plan = plans[usize(nodes[usize(maker)].region)];
      if (plan.before < 0) plan.before = n;
      plan.needed[usize(maker)] = true;
    }
  }
  for (Regrowth& plan : plans) {
    for (i64 n = g.forward_nodes() - 1; n >= 0; --n) {  // inputs come from earlier nodes
      if (!plan.needed[usize(n)]) continue;
      for (const Value v : nodes[usize(n)].in) {
        if (v && node_of[usize(v.id)] >= 0) plan.needed[usize(node_of[usize(v.id)])] = true;
      }
    }
  }
  return plans;
}

}  // namespace

void apply_checkpointing(Graph& g) {
  const std::vector<i32> node_of = dropped_by(g);
  const std::vector<Regrowth> plans = plan_clones(g, node_of);
  std::map<i64, std::vector<std::size_t>> regions_at;
  for (std::size_t r = 0; r < plans.size(); ++r) {
    if (plans[r].before >= 0) regions_at[plans[r].before].push_back(r);
  }
  if (regions_at.empty()) return;
  std::vector<Node> list;
  std::map<i32, Value> copy;
  const i64 count = ssize(g.nodes());
  for (i64 n = 0; n < count; ++n) {
    const auto here = regions_at.find(n);
    if (here != regions_at.end()) {
      for (const std::size_t r : here->second) {
        for (i64 f = 0; f < g.forward_nodes(); ++f) {
          if (plans[r].needed[usize(f)]) clone_node(g, f, copy, list);
        }
      }
    }
    Node node = g.nodes()[usize(n)];
    if (n >= g.forward_nodes()) {
      for (i64 i = 0; i < node.in.size(); ++i) {
        const auto found = node.in[i] ? copy.find(node.in[i].id) : copy.end();
        if (found != copy.end()) node.in[i] = found->second;
      }
    }
    list.push_back(std::move(node));
  }
  g.replace_nodes(std::move(list));
}

CheckpointPolicy parse_checkpoint_policy(std::string_view text) {
  if (text == "none") return {Recompute::kNone, 1};
  if (text == "cheap") return {Recompute::kCheap, 1};
  if (text == "block") return {Recompute::kBlock, 1};
  if (text.substr(0, 6) == "block:") {
    const std::optional<i64> every = parse_int(text.substr(6));
    if (every && *every >= 1) return {Recompute::kBlock, *every};
  }
  throw Error(ErrorKind::kUsage, cat("checkpoint policy ", quote(text),
                                     ", expected none, cheap, block or block:k with k >= 1"));
}

}  // namespace lm
