#pragma once
// The flat node list. Model code appends nodes; each append checks shapes and returns value
// handles. The list is a topological order by construction, gradients are nodes in the same list,
// and nothing runs here: a planner places the buffers (plan.h) and an executor walks the list
// (exec.h).
//
// Which operators exist is not known to this room: a Graph is made over a table of OpDef
// (op_def.h). A value usually has one writer. Gradient values may have several: the first stores,
// the later ones add (Node::accumulate), in list order, which makes sums deterministic.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/value.h"

namespace lm {

/// What checkpointing may do with the values of a region (checkpoint.h).
enum class Recompute : u8 { kNone, kCheap, kBlock };

struct Node {
  Op op{};
  ValueList in;   // absent optional inputs are Value{-1}
  ValueList out;  // outputs nobody reads get no memory (tensor with null data)
  Attr attr;
  u32 accumulate = 0;  // bit j: add to out[j] instead of storing
  i32 region = -1;     // forward region, -1 outside
  u32 rng_id = 0;      // counter of random draws; a recomputed clone keeps its original's
  bool backward = false;
  std::string name;  // module path and operator: "blocks.7.attn.linear"
};

enum class ValueKind : u8 {
  kActivation,  // lives in the step slab
  kParameter,   // bound by the caller, read-only in a run
  kGradient,    // gradient of a parameter, bound by the caller, only ever accumulated into
  kInput,       // bound by the caller: tokens, targets, spans
};

struct ValueInfo {
  Shape shape;
  DType dtype = DType::kF32;
  ValueKind kind = ValueKind::kActivation;
  bool needs_grad = false;
  bool keep = false;         // readable after run()
  i32 producer = -1;         // node of the first writer, -1 for bound values
  i32 base = -1;             // not -1: a view into that value (never itself a view)
  i64 view_offset = 0;       // elements from the base's first element
  i64 ld = 0;                // row stride in elements
  i32 param = -1;            // kParameter, kGradient: index given by the caller
  Value grad;                // set by backward(); parameters: their kGradient value
  bool shared_grad = false;  // grad is also the gradient of something else: copy before adding
  std::string name;
};

struct OpDef;
struct Region {
  std::string name;
  Recompute policy = Recompute::kNone;
};

class Graph {
 public:
  /// ops outlives the graph; ops[i] defines Op(i). activation: type of the values between layers
  /// and of their gradients, f32 or bf16. Losses, statistics and gradients of parameters are f32
  /// always.
  explicit Graph(std::span<const OpDef> ops, DType activation = DType::kF32);
  DType activation() const { return activation_; }

  /// A trainable or frozen weight. index: the caller's number (ParamSet), used for binding.
  Value parameter(std::string_view name, const Shape& shape, i32 index, DType dtype = DType::kF32,
                  bool trainable = true);
  /// A value bound before each run. needs_grad asks backward() for its gradient.
  Value input(std::string_view name, const Shape& shape, DType dtype = DType::kF32,
              bool needs_grad = false);

  /// Appends a node: infers outputs (throws ShapeError naming operator, node path and shapes) and
  /// returns its index. Builders in ops/ops.h wrap this.
  i64 append(Op op, const Attr& attr, std::initializer_list<Value> in);
  i64 append(Op op, const Attr& attr, const ValueList& in);
  /// Appends a node that writes the given existing values (gradient slots); no inference.
  i64 append_into(Op op, const Attr& attr, const ValueList& in, const ValueList& out,
                  u32 accumulate);
  /// append() and its only or j-th output.
  Value apply(Op op, const Attr& attr, std::initializer_list<Value> in, i64 j = 0);

  /// A fresh activation value without a writer yet (used by infer and gradients).
  Value new_value(const Shape& shape, DType dtype, std::string_view name);
  /// A view value; base may be a view (offsets add up). Used by the view operator's infer.
  Value new_view(Value base, const Shape& shape, i64 offset, i64 ld);

  /// For costs: the rows that a row of attention may see, its own sequence; 0: all of them. Masks
  /// are data, which no cost function sees.
  void set_span_rows(i64 rows) { span_rows_ = rows; }
  i64 span_rows() const { return span_rows_; }

  /// Values readable after run(): they live to the end of the list.
  void keep(Value v);

  /// Appends the gradient nodes of a scalar loss: seed 1, list walked backward, contributions
  /// accumulated in list order. Parameter gradients accumulate into kGradient values; other values
  /// that need a gradient get one in ValueInfo::grad. One call per graph; throws ShapeError unless
  /// loss has one element, Error{kInternal} when an operator on the path has no gradient.
  void backward(Value loss);
  /// As above for a value of any shape with a supplied gradient of the same shape.
  void backward(Value output, Value seed);
  /// The gradient of v after backward(), absent if nothing depends on it.
  Value grad(Value v) const { return info(v).grad; }
  /// The gradient value of a trainable parameter, created on first use.
  Value param_grad(Value parameter);

  const ValueInfo& info(Value v) const;
  ValueInfo& info(Value v);
  const Shape& shape(Value v) const { return info(v).shape; }
  const std::vector<Node>& nodes() const { return nodes_; }
  /// For operators' gradients that rewrite their own forward node.
  Node& mutable_node(i64 index) { return nodes_[usize(index)]; }
  /// Replaces the list (checkpointing); forward nodes must keep their places. Producers are redone.
  void replace_nodes(std::vector<Node> nodes);
  const std::vector<ValueInfo>& values() const { return values_; }
  std::span<const OpDef> ops() const { return ops_; }
  const OpDef& def(Op op) const;
  const std::vector<Region>& regions() const { return regions_; }
  /// The constant-1 value that backward(loss) starts from; absent before.
  Value seed() const { return seed_; }
  /// True while backward() appends.
  bool in_backward() const { return in_backward_; }
  /// Number of nodes before the first gradient node (all nodes before backward()).
  i64 forward_nodes() const { return forward_nodes_ < 0 ? isize(nodes_) : forward_nodes_; }

  /// Extends node and value names with "part." until the scope ends.
  class Scope {
   public:
    Scope(Graph& g, std::string_view part);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Graph& g_;
    std::size_t length_;
    i32 region_;
    friend class Graph;
  };
  [[nodiscard]] Scope scope(std::string_view part) { return Scope(*this, part); }
  /// A scope whose nodes form a checkpointing region. Regions do not nest.
  [[nodiscard]] Scope region(std::string_view part, Recompute policy);

 private:
  Node make_node(Op op, const Attr& attr, const ValueList& in);
  std::span<const OpDef> ops_;
  DType activation_;
  std::vector<Node> nodes_;
  std::vector<ValueInfo> values_;
  std::vector<Region> regions_;
  std::string path_;
  i32 region_ = -1;
  i64 forward_nodes_ = -1;
  i64 span_rows_ = 0;
  bool in_backward_ = false;
  Value seed_;
};

}  // namespace lm
