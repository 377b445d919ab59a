// The operator table: one row per operator, in the order of enum Op.

#include <array>

#include "ops/defs.h"

namespace lm {

namespace {

using namespace op;

constexpr OpDef def(Op op, std::string_view name, void (*infer)(InferCtx&), void (*grad)(GradCtx&),
                    Cost (*cost)(const Node&, const Graph&)) {
  OpDef d;
  d.op = op;
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

constexpr OpDef gradient(Op op, std::string_view name, Cost (*cost)(const Node&, const Graph&)) {
  return def(op, name, infer_never, nullptr, cost);
}

constexpr std::array<OpDef, usize(kOpCount)> kOps = {
    view(cheap(def(Op::kView, "view", infer_view, grad_view, nullptr))),
    adds(cheap(in_place(def(Op::kCopy, "copy", infer_copy, grad_copy, cost_elementwise), 0)), 1),
    cheap(def(Op::kFill, "fill", infer_fill, nullptr, cost_elementwise)),
    adds(cheap(def(Op::kPad, "pad", infer_pad, nullptr, cost_elementwise)), 1),
    cheap(def(Op::kConcat, "concat", infer_concat, grad_concat, cost_elementwise)),
    cheap(def(Op::kGatherRows, "gather_rows", infer_gather, grad_gather, cost_elementwise)),
    cheap(def(Op::kScatterAddRows, "scatter_add_rows", infer_scatter, grad_scatter,
              cost_elementwise)),
    cheap(def(Op::kBroadcast, "broadcast", infer_broadcast, grad_broadcast, cost_elementwise)),
    cheap(in_place(def(Op::kAdd, "add", infer_add, grad_add, cost_elementwise), 0)),
    cheap(in_place(def(Op::kMul, "mul", infer_mul, grad_mul, cost_elementwise), 0)),
    cheap(in_place(def(Op::kUnary, "unary", infer_same, grad_unary, cost_heavy), 0)),
    in_place(gradient(Op::kUnaryGrad, "unary_grad", cost_heavy), 1),
    random(
        cheap(in_place(def(Op::kDropout, "dropout", infer_dropout, grad_dropout, cost_heavy), 0))),
    adds(cheap(def(Op::kReduce, "reduce", infer_reduce, grad_reduce, cost_elementwise)), 1),
    cheap(in_place(def(Op::kSoftmax, "softmax", infer_same, grad_softmax, cost_heavy), 0)),
    in_place(gradient(Op::kSoftmaxGrad, "softmax_grad", cost_heavy), 1),
    cheap(def(Op::kLogsumexp, "logsumexp", infer_logsumexp, grad_logsumexp, cost_heavy)),
    cheap(def(Op::kPick, "pick", infer_pick, grad_pick, cost_elementwise)),
    gradient(Op::kPickGrad, "pick_grad", cost_elementwise),
    def(Op::kLinear, "linear", infer_linear, grad_linear, cost_linear),
    adds(gradient(Op::kLinearGradX, "linear_grad_x", cost_linear_grad), 1),
    adds(gradient(Op::kLinearGradW, "linear_grad_w", cost_linear_grad), 1),
    adds(def(Op::kMatmul, "matmul", infer_matmul, grad_matmul, cost_matmul), 1),
    cheap(def(Op::kNorm, "norm", infer_norm, grad_norm, cost_heavy)),
    adds(in_place(gradient(Op::kNormGrad, "norm_grad", cost_heavy), 5), 7),
    cheap(in_place(def(Op::kQkNorm, "qk_norm", infer_qk_norm, grad_qk_norm, cost_heavy), 0)),
    adds(gradient(Op::kQkNormGrad, "qk_norm_grad", cost_heavy), 6),
    cheap(in_place(def(Op::kRope, "rope", infer_rope, grad_rope, cost_heavy), 0)),
    def(Op::kAttention, "attention", infer_attention, grad_attention, cost_attention),
    gradient(Op::kAttentionGrad, "attention_grad", cost_attention_grad),
    effect(def(Op::kPagedAttention, "paged_attention", infer_paged, nullptr, cost_paged)),
    cheap(def(Op::kGlu, "glu", infer_glu, grad_glu, cost_heavy)),
    in_place(gradient(Op::kGluGrad, "glu_grad", cost_heavy), 0),
    cheap(def(Op::kEmbedding, "embedding", infer_embedding, grad_embedding, cost_elementwise)),
    adds(gradient(Op::kEmbeddingGrad, "embedding_grad", cost_elementwise), 1),
    cheap(def(Op::kScan, "scan", infer_scan, grad_scan, cost_elementwise)),
    gradient(Op::kScanGrad, "scan_grad", cost_elementwise),
    effect(def(Op::kCachedScan, "cached_scan", infer_cached_scan, nullptr, cost_elementwise)),
    def(Op::kLstm, "lstm", infer_lstm, grad_lstm, cost_lstm),
    gradient(Op::kLstmGrad, "lstm_grad", cost_lstm_grad),
    effect(def(Op::kCachedLstm, "cached_lstm", infer_cached_lstm, nullptr, cost_lstm)),
    cheap(def(Op::kConv, "conv", infer_conv, grad_conv, cost_conv)),
    gradient(Op::kConvGrad, "conv_grad", cost_conv),
    effect(def(Op::kCachedConv, "cached_conv", infer_cached_conv, nullptr, cost_conv)),
    def(Op::kLinearAttention, "linear_attention", infer_linear_attention, grad_linear_attention,
        cost_linear_attention),
    gradient(Op::kLinearAttentionGrad, "linear_attention_grad", cost_linear_attention_grad),
    effect(def(Op::kCachedLinearAttention, "cached_linear_attention", infer_cached_linear_attention,
               nullptr, cost_linear_attention)),
    cheap(def(Op::kRoute, "route", infer_route, grad_route, cost_heavy)),
    gradient(Op::kRouteGrad, "route_grad", cost_heavy),
    cheap(def(Op::kDispatch, "dispatch", infer_dispatch, nullptr, cost_elementwise)),
    def(Op::kGroupedLinear, "grouped_linear", infer_grouped, grad_grouped, cost_grouped),
    gradient(Op::kGroupedLinearGradX, "grouped_linear_grad_x", cost_grouped),
    adds(gradient(Op::kGroupedLinearGradW, "grouped_linear_grad_w", cost_grouped), 1),
    cheap(def(Op::kCombine, "combine", infer_combine, grad_combine, cost_combine)),
    gradient(Op::kCombineGrad, "combine_grad", cost_combine),
    random(def(Op::kDraws, "draws", infer_draws, nullptr, cost_heavy)),
    def(Op::kLinearCe, "linear_ce", infer_linear_ce, grad_linear_ce, cost_linear_ce),
    adds(gradient(Op::kLinearCeGrad, "linear_ce_grad", cost_linear_ce), 3),
    def(Op::kLinearLogprob, "linear_logprob", infer_linear_logprob, nullptr, cost_linear_ce),
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kOps.size(); ++i)
    if (kOps[i].op != static_cast<Op>(i)) return false;
  return true;
}
static_assert(in_order(), "ops()[i] is the row of Op(i)");

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
