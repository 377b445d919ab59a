#pragma once
// What an operator table entry holds, and the contexts its functions receive.

#include <string_view>

#include "graph/graph.h"

namespace lm {

/// Arithmetic and traffic of one node, for plans and profiles.
struct Cost {
  i64 flops = 0;
  i64 bytes_read = 0;
  i64 bytes_written = 0;
};

/// Shape inference of one node: reads inputs, adds outputs in order.
class InferCtx {
 public:
  InferCtx(Graph& graph, Node& node) : g(graph), n(node) {}
  Graph& g;
  Node& n;

  bool has(i64 i) const { return i < n.in.size() && n.in[i]; }
  const Shape& shape(i64 i) const { return g.info(n.in[i]).shape; }
  template <typename T>
  T attr() const {
    return n.attr.as<T>();
  }
  DType dtype(i64 i) const { return g.info(n.in[i]).dtype; }
  /// Appends an output of the given shape.
  Value output(const Shape& shape, DType dtype, std::string_view suffix = {});
  /// Throws ShapeError "op (node): what: shapes" unless cond holds.
  void require(bool cond, std::string_view what) const;
  /// Requires input i to be present with that dtype.
  void require_dtype(i64 i, DType dtype) const;
  /// Requires input i to be present with f32 or the graph's activation type.
  void require_real(i64 i) const;
};

/// Gradient construction of one node. Contributions go to inputs through into() or pass().
class GradCtx {
 public:
  GradCtx(Graph& graph, i64 node) : g(graph), index(node) {}
  Graph& g;
  i64 index;

  /// The forward node; references die when nodes are appended, so this copies handles only.
  Value in(i64 i) const;
  Value out(i64 j) const { return node().out[j]; }
  bool has(i64 i) const { return i < node().in.size() && node().in[i]; }
  template <typename T>
  T attr() const {
    return node().attr.as<T>();
  }
  /// Gradient of output j, absent if nothing depends on it.
  Value dout(i64 j) const { return g.info(out(j)).grad; }
  /// Input i is present and needs a gradient.
  bool need(i64 i) const;

  /// Where a gradient node stores or adds the contribution to an input.
  struct Slot {
    Value value;
    bool accumulate = false;
  };
  /// The slot of input i: a fresh value for the first contribution, the existing one otherwise.
  Slot into(i64 i);
  /// An output position not wanted by anyone.
  static Slot skip() { return {}; }
  /// into(i) if need(i), else an absent slot.
  Slot into_if_needed(i64 i) { return need(i) ? into(i) : skip(); }
  /// Appends a gradient node writing the slots; returns its index.
  i64 emit(Op op, const Attr& attr, const ValueList& ins, std::initializer_list<Slot> slots);
  /// Contributes an existing value unchanged (the gradient of a sum); no copy unless a second
  /// contribution comes.
  void pass(i64 i, Value contribution);

 private:
  const Node& node() const { return g.nodes()[usize(index)]; }
};

/// One operator. Functions are plain and stateless; grad null = not differentiable.
struct OpDef {
  Op op{};
  std::string_view name;
  void (*infer)(InferCtx&) = nullptr;
  void (*grad)(GradCtx&) = nullptr;
  Cost (*cost)(const Node&, const Graph&) = nullptr;
  /// Input whose buffer output 0 may take over when nothing reads it later; -1 none.
  i8 in_place = -1;
  /// Bit j: the kernel can add to output j. Other gradient contributions go through a copy node.
  u32 accumulates = 0;
  /// Never a GEMM or attention: recomputed by the `cheap` policy.
  bool cheap = false;
  /// Views: out[0] aliases in[0] and no kernel runs.
  bool is_view = false;
  /// Changes something outside its outputs (a KV cache): always runs, never recomputed.
  bool side_effect = false;
  /// Draws random numbers: a recorded run would repeat them.
  bool draws = false;
};

}  // namespace lm
