// Reverse-mode differentiation by appending nodes. The walk is a plain loop over the list from last
// to first: no recursion, and contributions meet in list order.

#include "core/str.h"
#include "graph/graph.h"
#include "graph/op_def.h"

namespace lm {

Value GradCtx::in(i64 i) const {
  return has(i) ? node().in[i] : Value{};
}

bool GradCtx::need(i64 i) const {
  return has(i) && g.info(node().in[i]).needs_grad;
}

GradCtx::Slot GradCtx::into(i64 i) {
  const Value v = in(i);
  if (g.info(v).kind == ValueKind::kParameter) return {g.param_grad(v), true};
  const Value old = g.info(v).grad;
  if (old && !g.info(v).shared_grad) return {old, true};
  const Value fresh = g.new_value(g.shape(v), g.info(v).dtype, cat(g.info(v).name, ".grad"));
  g.info(v).grad = fresh;
  g.info(v).shared_grad = false;
  if (!old) return {fresh, false};
  // Someone else still owns `old`: copy it (the planner makes this free when its last reader is the
  // copy), then add.
  g.append_into(kOpCopy, Attr{}, ValueList{old}, ValueList{fresh}, 0);
  return {fresh, true};
}

i64 GradCtx::emit(Op op, const Attr& attr, const ValueList& ins,
                  std::initializer_list<Slot> slots) {
  const u32 can_add = g.def(op).accumulates;
  ValueList outs;
  ValueList add_from;
  ValueList add_to;
  u32 accumulate = 0;
  for (const Slot& slot : slots) {
    const u32 bit = u32{1} << outs.size();
    bool twice = false;
    for (const Value earlier : outs)
      twice = twice || (slot.value && earlier == slot.value);
    for (const Value earlier : add_to)
      twice = twice || (slot.value && earlier == slot.value);
    if (slot.value && slot.accumulate && (twice || (can_add & bit) == 0)) {
      const ValueInfo& target = g.info(slot.value);
      const Value part = g.new_value(target.shape, target.dtype, cat(target.name, ".part"));
      add_from.push_back(part);
      add_to.push_back(slot.value);
      outs.push_back(part);
      continue;
    }
    if (slot.value && slot.accumulate) accumulate |= bit;
    outs.push_back(slot.value);
  }
  const i64 index_of_node = g.append_into(op, attr, ins, outs, accumulate);
  for (i64 i = 0; i < add_from.size(); ++i) {
    g.append_into(kOpCopy, Attr{}, ValueList{add_from[i]}, ValueList{add_to[i]}, 1);
  }
  return index_of_node;
}

void GradCtx::pass(i64 i, Value contribution) {
  if (!need(i)) return;
  const Value v = in(i);
  LM_CHECK(g.shape(v) == g.shape(contribution), "a passed gradient has its input's shape");
  if (g.info(v).kind != ValueKind::kParameter && !g.info(v).grad) {
    g.info(v).grad = contribution;
    g.info(v).shared_grad = true;
    return;
  }
  const Slot slot = into(i);
  g.append_into(kOpCopy, Attr{}, ValueList{contribution}, ValueList{slot.value},
                slot.accumulate ? 1 : 0);
}

Value Graph::param_grad(Value parameter) {
  const ValueInfo param = info(parameter);
  LM_CHECK(param.kind == ValueKind::kParameter, "param_grad takes a parameter");
  if (param.grad) return param.grad;
  const Value v = new_value(param.shape, DType::kF32, cat(param.name, ".grad"));
  info(v).kind = ValueKind::kGradient;
  info(v).param = param.param;
  info(parameter).grad = v;
  return v;
}

void Graph::backward(Value loss) {
  if (shape(loss).count() != 1) {
    throw ShapeError(cat("backward (", info(loss).name, "): the loss has shape ",
                         to_string(shape(loss)), ", expected one element"));
  }
  LM_CHECK(forward_nodes_ < 0, "backward() runs once per graph");
  forward_nodes_ = ssize(nodes_);
  in_backward_ = true;
  const Value one = new_value(shape(loss), DType::kF32, "loss.grad");
  append_into(kOpFill, Attr::of(FillAttr{1.0f, shape(loss)}), {}, ValueList{one}, 0);
  seed_ = one;
  backward(loss, one);
}

void Graph::backward(Value output, Value seed) {
  if (!(shape(output) == shape(seed))) {
    throw ShapeError(cat("backward (", info(output).name, "): seed ", to_string(shape(seed)),
                         " for output ", to_string(shape(output))));
  }
  LM_CHECK(forward_nodes_ < 0 || seed == seed_, "backward() runs once per graph");
  if (forward_nodes_ < 0) forward_nodes_ = ssize(nodes_);
  in_backward_ = true;
  info(output).grad = seed;
  info(output).shared_grad = true;  // never added to in place: it may be the caller's
  const std::string outer_path = path_;
  for (i64 i = forward_nodes_ - 1; i >= 0; --i) {
    bool reached = false;
    bool needed = false;
    const Node& node = nodes_[usize(i)];
    for (const Value v : node.out)
      reached = reached || (v && info(v).grad);
    for (const Value v : node.in)
      needed = needed || (v && info(v).needs_grad);
    if (!reached || !needed) continue;
    const OpDef& op = def(node.op);
    if (op.grad == nullptr) {
      throw Error(ErrorKind::kInternal,
                  cat("operator ", op.name, " (", node.name, ") has no gradient"));
    }
    const std::size_t dot = node.name.rfind('.');
    path_ = dot == std::string::npos ? std::string() : node.name.substr(0, dot + 1);
    GradCtx ctx(*this, i);
    op.grad(ctx);
  }
  path_ = outer_path;
  in_backward_ = false;
}

}  // namespace lm
