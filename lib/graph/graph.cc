#include "graph/graph.h"

#include <limits>

#include "core/str.h"
#include "graph/op_def.h"

namespace lm {

Graph::Graph(std::span<const OpDef> ops, DType activation) : ops_(ops), activation_(activation) {
  LM_CHECK(is_real(activation), "activations are f32 or bf16");
}

Value Graph::new_value(const Shape& shape, DType dtype, std::string_view name) {
  LM_CHECK(values_.size() < usize(std::numeric_limits<i32>::max()), "too many values");
  ValueInfo info;
  info.shape = shape;
  info.dtype = dtype;
  info.ld = shape.cols();
  info.name = std::string(name);
  values_.push_back(std::move(info));
  return Value{static_cast<i32>(values_.size() - 1)};
}

Value Graph::new_view(Value base, const Shape& shape, i64 offset, i64 ld) {
  const ValueInfo from = info(base);
  const Value v = new_value(shape, from.dtype, from.name);
  ValueInfo& view = info(v);
  view.base = from.base >= 0 ? from.base : base.id;
  view.view_offset = from.view_offset + offset;
  view.ld = ld;
  return v;
}

Value Graph::parameter(std::string_view name, const Shape& shape, i32 index, DType dtype,
                       bool trainable) {
  const Value v = new_value(shape, dtype, name);
  ValueInfo& param = info(v);
  param.kind = ValueKind::kParameter;
  param.param = index;
  param.needs_grad = trainable;
  return v;
}

Value Graph::input(std::string_view name, const Shape& shape, DType dtype, bool needs_grad) {
  const Value v = new_value(shape, dtype, name);
  info(v).kind = ValueKind::kInput;
  info(v).needs_grad = needs_grad;
  return v;
}

Node Graph::make_node(Op op, const Attr& attr, const ValueList& in) {
  Node node;
  node.op = op;
  node.attr = attr;
  node.in = in;
  node.region = in_backward_ ? -1 : region_;
  node.rng_id = static_cast<u32>(nodes_.size());
  node.backward = in_backward_;
  node.name = path_ + std::string(def(op).name);
  for (const Value v : in) {
    LM_CHECK(v.id >= -1 && v.id < ssize(values_), "node input is not a value of this graph");
  }
  return node;
}

i64 Graph::append(Op op, const Attr& attr, const ValueList& in) {
  Node node = make_node(op, attr, in);
  bool needs_grad = false;
  for (const Value v : in)
    needs_grad = needs_grad || (v && info(v).needs_grad);
  InferCtx ctx(*this, node);
  def(op).infer(ctx);
  for (const Value v : node.out) {
    if (!v) continue;
    info(v).producer = static_cast<i32>(nodes_.size());
    info(v).needs_grad = needs_grad && !in_backward_ && is_real(info(v).dtype);
  }
  nodes_.push_back(std::move(node));
  return ssize(nodes_) - 1;
}

i64 Graph::append(Op op, const Attr& attr, std::initializer_list<Value> in) {
  return append(op, attr, ValueList(in));
}

i64 Graph::append_into(Op op, const Attr& attr, const ValueList& in, const ValueList& out,
                       u32 accumulate) {
  Node node = make_node(op, attr, in);
  node.out = out;
  node.accumulate = accumulate;
  for (const Value v : out) {
    if (v && info(v).producer < 0 && info(v).kind == ValueKind::kActivation) {
      info(v).producer = static_cast<i32>(nodes_.size());
    }
  }
  nodes_.push_back(std::move(node));
  return ssize(nodes_) - 1;
}

Value Graph::apply(Op op, const Attr& attr, std::initializer_list<Value> in, i64 j) {
  const i64 index = append(op, attr, in);
  return nodes_[usize(index)].out[j];
}

void Graph::keep(Value v) {
  ValueInfo& value = info(v);
  value.keep = true;
  if (value.base >= 0) values_[usize(value.base)].keep = true;
}

void Graph::replace_nodes(std::vector<Node> nodes) {
  nodes_ = std::move(nodes);
  for (ValueInfo& value : values_)
    value.producer = -1;
  for (i64 n = 0; n < ssize(nodes_); ++n) {
    for (const Value v : nodes_[usize(n)].out) {
      if (v && info(v).kind == ValueKind::kActivation && info(v).producer < 0) {
        info(v).producer = static_cast<i32>(n);
      }
    }
  }
}

const ValueInfo& Graph::info(Value v) const {
  LM_CHECK(v.id >= 0 && v.id < ssize(values_), "not a value of this graph");
  return values_[usize(v.id)];
}

ValueInfo& Graph::info(Value v) {
  LM_CHECK(v.id >= 0 && v.id < ssize(values_), "not a value of this graph");
  return values_[usize(v.id)];
}

const OpDef& Graph::def(Op op) const {
  LM_CHECK(static_cast<std::size_t>(op) < ops_.size(), "operator is not in the table");
  return ops_[static_cast<std::size_t>(op)];
}

Graph::Scope::Scope(Graph& g, std::string_view part)
    : g_(g), length_(g.path_.size()), region_(g.region_) {
  lm::append(g_.path_, part, ".");
}

Graph::Scope::~Scope() {
  g_.path_.resize(length_);
  g_.region_ = region_;
}

Graph::Scope Graph::region(std::string_view part, Recompute policy) {
  LM_CHECK(region_ < 0, "checkpointing regions do not nest");
  regions_.push_back({path_ + std::string(part), policy});
  // Constructed in place (guaranteed elision); the region starts after the scope saved the old one.
  struct Enter {
    Graph& g;
    i32 next;
    ~Enter() { g.region_ = next; }
  } enter{*this, static_cast<i32>(regions_.size()) - 1};
  return Scope(*this, part);
}

// Inference
// ----------------------------------------------------------------------------------------

Value InferCtx::output(const Shape& shape, DType dtype, std::string_view suffix) {
  const Value v = g.new_value(shape, dtype, suffix.empty() ? n.name : cat(n.name, ".", suffix));
  n.out.push_back(v);
  return v;
}

void InferCtx::require(bool cond, std::string_view what) const {
  if (cond) return;
  std::string shapes;
  for (const Value v : n.in) {
    append(shapes, shapes.empty() ? "" : ", ",
           v ? cat(dtype_name(g.info(v).dtype), to_string(g.info(v).shape)) : std::string("none"));
  }
  throw ShapeError(cat(g.def(n.op).name, " (", n.name, "): ", what, "; inputs ", shapes));
}

void InferCtx::require_dtype(i64 i, DType dtype) const {
  require(has(i), cat("input ", i, " is missing"));
  require(g.info(n.in[i]).dtype == dtype, cat("input ", i, " must be ", dtype_name(dtype)));
}

void InferCtx::require_real(i64 i) const {
  require(has(i), cat("input ", i, " is missing"));
  const DType dtype = g.info(n.in[i]).dtype;
  require(dtype == DType::kF32 || dtype == g.activation(),
          cat("input ", i, " must be ",
              g.activation() == DType::kF32 ? "f32" : cat("f32 or ", dtype_name(g.activation()))));
}

}  // namespace lm
