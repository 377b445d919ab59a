#include "graph/plan.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/str.h"
#include "graph/op_def.h"

namespace lm {

namespace {

i64 round_up(i64 n) {
  return (n + kPlanAlign - 1) / kPlanAlign * kPlanAlign;
}

i32 base_of(const Graph& g, Value v) {
  const i32 base = g.info(v).base;
  return base >= 0 ? base : v.id;
}

bool is_external(const ValueInfo& info) {
  return info.kind != ValueKind::kActivation;
}

// One buffer: a value, or several that take over each other's memory, or a workspace.
struct Buffer {
  i64 bytes = 0;
  i64 first = 0;
  i64 last = 0;
  i64 offset = -1;
};

struct Lifetimes {
  std::vector<i64> first;  // per base value: first live writer, -1 never written
  std::vector<i64> last;   // last live reader or writer
};

Lifetimes lifetimes(const Graph& g, const std::vector<bool>& live) {
  const std::size_t count = g.values().size();
  Lifetimes t{std::vector<i64>(count, -1), std::vector<i64>(count, -1)};
  const std::vector<Node>& nodes = g.nodes();
  for (i64 n = 0; n < ssize(nodes); ++n) {
    if (!live[usize(n)]) continue;
    const Node& node = nodes[usize(n)];
    for (const Value v : node.in) {
      if (v) t.last[usize(base_of(g, v))] = n;
    }
    if (g.def(node.op).is_view) continue;
    for (const Value v : node.out) {
      if (!v) continue;
      const std::size_t base = usize(base_of(g, v));
      if (t.first[base] < 0) t.first[base] = n;
      t.last[base] = n;
    }
  }
  for (std::size_t v = 0; v < count; ++v) {
    if (g.values()[v].keep && t.first[v] >= 0) t.last[v] = ssize(nodes);
  }
  return t;
}

// Whether output 0 of a node may lie where input i lies: the input dies here, has the same size,
// and no other operand shares its buffer.
bool can_take_over(const Graph& g, const Node& node, i64 n, const Lifetimes& t) {
  const i8 i = g.def(node.op).in_place;
  if (i < 0 || i >= node.in.size() || !node.in[i] || !node.out[0]) return false;
  const Value from = node.in[i];
  const Value to = node.out[0];
  const ValueInfo& a = g.info(from);
  const ValueInfo& b = g.info(to);
  if (is_external(a) || is_external(b) || a.base >= 0 || b.base >= 0 || a.keep) return false;
  if ((node.accumulate & 1U) != 0 || t.first[usize(to.id)] != n || t.last[usize(from.id)] != n) {
    return false;
  }
  if (a.shape.count() * item_bytes(a.dtype) != b.shape.count() * item_bytes(b.dtype)) return false;
  for (i64 j = 0; j < node.in.size(); ++j) {
    if (j != i && node.in[j] && base_of(g, node.in[j]) == from.id && !(node.in[j] == from)) {
      return false;
    }
  }
  for (i64 j = 1; j < node.out.size(); ++j) {
    if (node.out[j] && base_of(g, node.out[j]) == from.id) return false;
  }
  return true;
}

// Lowest offset at which the buffer meets no placed buffer that is alive at the same time.
i64 lowest_fit(const std::vector<Buffer>& placed, const Buffer& buffer) {
  i64 at = 0;
  for (const Buffer& other : placed) {  // ascending offset
    if (other.last < buffer.first || buffer.last < other.first) continue;
    if (other.offset >= at + buffer.bytes) break;
    at = std::max(at, other.offset + other.bytes);
  }
  return at;
}

i64 place_all(std::vector<Buffer>& buffers) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (buffers[a].bytes != buffers[b].bytes) return buffers[a].bytes > buffers[b].bytes;
    return buffers[a].first < buffers[b].first;
  });
  std::vector<Buffer> placed;
  i64 end = 0;
  for (const std::size_t i : order) {
    Buffer& buffer = buffers[i];
    buffer.offset = lowest_fit(placed, buffer);
    end = std::max(end, buffer.offset + buffer.bytes);
    const auto where =
        std::upper_bound(placed.begin(), placed.end(), buffer.offset,
                         [](i64 offset, const Buffer& other) { return offset < other.offset; });
    placed.insert(where, buffer);
  }
  return end;
}

i64 lower_bound_of(const std::vector<Buffer>& buffers, i64 nodes) {
  std::vector<i64> change(usize(nodes + 2), 0);
  for (const Buffer& b : buffers) {
    change[usize(b.first)] += b.bytes;
    change[usize(b.last + 1)] -= b.bytes;
  }
  i64 now = 0;
  i64 most = 0;
  for (const i64 c : change)
    most = std::max(most, now += c);
  return most;
}

}  // namespace

std::vector<bool> live_nodes(const Graph& g) {
  const std::vector<Node>& nodes = g.nodes();
  std::vector<bool> live(nodes.size(), false);
  std::vector<bool> wanted(g.values().size(), false);
  for (std::size_t v = 0; v < g.values().size(); ++v)
    wanted[v] = g.values()[v].keep;
  for (i64 n = ssize(nodes) - 1; n >= 0; --n) {
    const Node& node = nodes[usize(n)];
    bool alive = g.def(node.op).side_effect;
    for (const Value v : node.out) {
      alive = alive || (v && (wanted[usize(v.id)] || wanted[usize(base_of(g, v))] ||
                              g.info(v).kind == ValueKind::kGradient));
    }
    if (!alive) continue;
    live[usize(n)] = true;
    for (const Value v : node.in) {
      if (!v) continue;
      wanted[usize(v.id)] = true;
      wanted[usize(base_of(g, v))] = true;
    }
  }
  return live;
}

Plan make_plan(const Graph& g, const WorkspaceFn& workspace, PlanOptions options) {
  const std::vector<Node>& nodes = g.nodes();
  const std::vector<bool> live = live_nodes(g);
  const Lifetimes t = lifetimes(g, live);
  std::vector<bool> read(g.values().size(), false);
  for (std::size_t v = 0; v < read.size(); ++v)
    read[v] = g.values()[v].keep;
  for (i64 n = 0; n < ssize(nodes); ++n) {
    if (!live[usize(n)]) continue;
    for (const Value v : nodes[usize(n)].in) {
      if (v) read[usize(base_of(g, v))] = true;
    }
  }
  Plan plan;
  plan.value_offset.assign(g.values().size(), -1);
  plan.workspace_offset.assign(nodes.size(), -1);
  std::vector<Buffer> buffers;
  std::vector<i64> buffer_of(g.values().size(), -1);
  std::vector<i64> scratch_of(nodes.size(), -1);
  for (i64 n = 0; n < ssize(nodes); ++n) {
    const Node& node = nodes[usize(n)];
    if (!live[usize(n)] || g.def(node.op).is_view) continue;
    const i64 bytes = workspace ? workspace(node, g) : 0;
    if (bytes > 0) {
      scratch_of[usize(n)] = ssize(buffers);
      buffers.push_back({round_up(bytes), n, n, -1});
    }
    for (i64 j = 0; j < node.out.size(); ++j) {
      const Value v = node.out[j];
      if (!v || is_external(g.info(v)) || !read[usize(v.id)] || buffer_of[usize(v.id)] >= 0)
        continue;
      const std::size_t id = usize(v.id);
      if (j == 0 && options.in_place && can_take_over(g, node, n, t)) {
        const i64 taken = buffer_of[usize(node.in[g.def(node.op).in_place].id)];
        buffer_of[id] = taken;
        buffers[usize(taken)].last = std::max(buffers[usize(taken)].last, t.last[id]);
        continue;
      }
      const ValueInfo& info = g.info(v);
      const i64 size = round_up(std::max<i64>(1, info.shape.count() * item_bytes(info.dtype)));
      buffer_of[id] = ssize(buffers);
      buffers.push_back({size, t.first[id], t.last[id], -1});
    }
  }
  plan.slab_bytes = place_all(buffers);
  plan.lower_bound_bytes = lower_bound_of(buffers, ssize(nodes));
  for (std::size_t v = 0; v < buffer_of.size(); ++v) {
    if (buffer_of[v] >= 0) plan.value_offset[v] = buffers[usize(buffer_of[v])].offset;
  }
  for (std::size_t n = 0; n < scratch_of.size(); ++n) {
    if (scratch_of[n] >= 0) plan.workspace_offset[n] = buffers[usize(scratch_of[n])].offset;
  }
  return plan;
}

std::vector<PlanEntry> largest_values(const Graph& g, i64 limit) {
  const Lifetimes t = lifetimes(g, live_nodes(g));
  std::vector<PlanEntry> out;
  for (std::size_t v = 0; v < g.values().size(); ++v) {
    const ValueInfo& info = g.values()[v];
    if (is_external(info) || info.base >= 0 || t.first[v] < 0) continue;
    out.push_back({info.name, info.shape.count() * item_bytes(info.dtype), t.first[v], t.last[v]});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const PlanEntry& a, const PlanEntry& b) { return a.bytes > b.bytes; });
  if (ssize(out) > limit) out.resize(usize(limit));
  return out;
}

std::vector<OpTotal> op_totals(const Graph& g) {
  std::map<std::string, OpTotal> totals;
  const std::vector<bool> live = live_nodes(g);
  for (i64 n = 0; n < ssize(g.nodes()); ++n) {
    const Node& node = g.nodes()[usize(n)];
    const OpDef& def = g.def(node.op);
    if (!live[usize(n)] || def.is_view) continue;
    const Cost cost = def.cost != nullptr ? def.cost(node, g) : Cost{};
    OpTotal& total = totals[std::string(def.name)];
    total.op = std::string(def.name);
    ++total.nodes;
    total.flops += cost.flops;
    total.bytes_read += cost.bytes_read;
    total.bytes_written += cost.bytes_written;
  }
  std::vector<OpTotal> out;
  out.reserve(totals.size());
  for (const auto& [name, total] : totals)
    out.push_back(total);
  std::stable_sort(out.begin(), out.end(),
                   [](const OpTotal& a, const OpTotal& b) { return a.flops > b.flops; });
  return out;
}

i64 total_flops(const Graph& g) {
  i64 flops = 0;
  for (const OpTotal& total : op_totals(g))
    flops += total.flops;
  return flops;
}

std::string plan_table(const Graph& g, const Plan& plan) {
  std::string out = cat("step slab ", format_bytes(plan.slab_bytes), " (lower bound ",
                        format_bytes(plan.lower_bound_bytes), "), ", g.nodes().size(), " nodes\n");
  append(out, "largest values:\n");
  for (const PlanEntry& entry : largest_values(g, 10)) {
    append(out, "  ", format_bytes(entry.bytes), "  ", entry.name, "  nodes ", entry.first_node,
           "..", entry.last_node, "\n");
  }
  append(out, "operators:\n");
  for (const OpTotal& total : op_totals(g)) {
    append(out, "  ", total.op, "  ", total.nodes, " nodes  ",
           format_count(static_cast<f64>(total.flops)), " FLOP  ", format_bytes(total.bytes_read),
           " read  ", format_bytes(total.bytes_written), " written\n");
  }
  return out;
}

}  // namespace lm
