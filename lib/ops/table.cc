// The operator table. Order is that of enum Op; a static_assert and a test keep them together.

#include <array>

#include "ops/defs.h"

namespace lm {

namespace {

using namespace op;

constexpr OpDef def(std::string_view name, void (*infer)(InferCtx&), void (*grad)(GradCtx&),
                    Cost (*cost)(const Node&, const Graph&)) {
  OpDef d;
  d.name = name;
  d.infer = infer;
  d.grad = grad;
  d.cost = cost;
  return d;
}
constexpr OpDef cheap(OpDef d) {
  d.cheap = true;
  return d;
}
constexpr OpDef in_place(OpDef d, i8 input) {
  d.in_place = input;
  return d;
}
constexpr OpDef adds(OpDef d, u32 outputs) {
  d.accumulates = outputs;
  return d;
}
constexpr OpDef view(OpDef d) {
  d.is_view = true;
  return d;
}
constexpr OpDef random(OpDef d) {
  d.draws = true;
  return d;
}
constexpr OpDef effect(OpDef d) {
  d.side_effect = true;
  return d;
}

constexpr OpDef gradient(std::string_view name, Cost (*cost)(const Node&, const Graph&)) {
  return def(name, infer_never, nullptr, cost);
}

constexpr std::array<OpDef, usize(kOpCount)> kOps = {
    view(cheap(def("view", infer_view, grad_view, nullptr))),
    adds(cheap(in_place(def("copy", infer_copy, grad_copy, cost_elementwise), 0)), 1),
    cheap(def("fill", infer_fill, nullptr, cost_elementwise)),
    adds(cheap(def("pad", infer_pad, nullptr, cost_elementwise)), 1),
    cheap(def("concat", infer_concat, grad_concat, cost_elementwise)),
    cheap(def("gather_rows", infer_gather, grad_gather, cost_elementwise)),
    cheap(def("scatter_add_rows", infer_scatter, grad_scatter, cost_elementwise)),
    cheap(def("broadcast", infer_broadcast, grad_broadcast, cost_elementwise)),
    cheap(in_place(def("add", infer_add, grad_add, cost_elementwise), 0)),
    cheap(in_place(def("mul", infer_mul, grad_mul, cost_elementwise), 0)),
    cheap(in_place(def("unary", infer_same, grad_unary, cost_heavy), 0)),
    in_place(gradient("unary_grad", cost_heavy), 1),
    random(cheap(in_place(def("dropout", infer_dropout, grad_dropout, cost_heavy), 0))),
    adds(cheap(def("reduce", infer_reduce, grad_reduce, cost_elementwise)), 1),
    cheap(in_place(def("softmax", infer_same, grad_softmax, cost_heavy), 0)),
    in_place(gradient("softmax_grad", cost_heavy), 1),
    cheap(def("logsumexp", infer_logsumexp, grad_logsumexp, cost_heavy)),
    cheap(def("pick", infer_pick, grad_pick, cost_elementwise)),
    gradient("pick_grad", cost_elementwise),
    def("linear", infer_linear, grad_linear, cost_linear),
    adds(gradient("linear_grad_x", cost_linear_grad), 1),
    adds(gradient("linear_grad_w", cost_linear_grad), 1),
    adds(def("matmul", infer_matmul, grad_matmul, cost_matmul), 1),
    cheap(def("norm", infer_norm, grad_norm, cost_heavy)),
    adds(in_place(gradient("norm_grad", cost_heavy), 5), 7),
    cheap(in_place(def("qk_norm", infer_qk_norm, grad_qk_norm, cost_heavy), 0)),
    adds(gradient("qk_norm_grad", cost_heavy), 6),
    cheap(in_place(def("rope", infer_rope, grad_rope, cost_heavy), 0)),
    def("attention", infer_attention, grad_attention, cost_attention),
    gradient("attention_grad", cost_attention_grad),
    effect(def("paged_attention", infer_paged, nullptr, cost_paged)),
    cheap(def("glu", infer_glu, grad_glu, cost_heavy)),
    in_place(gradient("glu_grad", cost_heavy), 0),
    cheap(def("embedding", infer_embedding, grad_embedding, cost_elementwise)),
    adds(gradient("embedding_grad", cost_elementwise), 1),
    def("linear_ce", infer_linear_ce, grad_linear_ce, cost_linear_ce),
    adds(gradient("linear_ce_grad", cost_linear_ce), 3),
    def("linear_logprob", infer_linear_logprob, nullptr, cost_linear_ce),
};
static_assert(kOps.back().name == "linear_logprob", "one entry per operator");

}  // namespace

std::span<const OpDef> ops() {
  return kOps;
}

namespace op {

Cost traffic(const Node& n, const Graph& g, i64 flops) {
  Cost cost;
  cost.flops = flops;
  for (const Value v : n.in) {
    if (v) cost.bytes_read += g.shape(v).count() * item_bytes(g.info(v).dtype);
  }
  for (const Value v : n.out) {
    if (v) cost.bytes_written += g.shape(v).count() * item_bytes(g.info(v).dtype);
  }
  return cost;
}

namespace {
i64 output_elements(const Node& n, const Graph& g) {
  i64 count = 0;
  for (const Value v : n.out)
    count += v ? g.shape(v).count() : 0;
  return count;
}
}  // namespace

Cost cost_elementwise(const Node& n, const Graph& g) {
  return traffic(n, g, output_elements(n, g));
}
Cost cost_heavy(const Node& n, const Graph& g) {
  return traffic(n, g, 8 * output_elements(n, g));
}

void infer_never(InferCtx& c) {
  c.require(false, "gradient operators are made by backward() only");
}

}  // namespace op

}  // namespace lm
