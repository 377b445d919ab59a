#include "model/moe_layer.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "model/layer.h"
#include "ops/ops.h"

namespace lm::model {
namespace {

i32 narrow(i64 value) {
  return static_cast<i32>(value);
}

bool has_router(const MoeCfg& moe) {
  return moe.router != RouterKind::kHash;
}

/// h [N, C] -> [N, experts].
Value router_logits(const MoeCfg& moe, const LayerGraph& at, Value h) {
  Graph& g = at.graph();
  if (const f32 jitter = at.moe_training().jitter; jitter > 0)
    h = add(g, h, mul(g, h, draws(g, g.shape(h), DrawKind::kSymmetric)), 1, jitter);
  const Value logits = at.linear("mlp.router", h);
  if (moe.router != RouterKind::kNoisyTopK) return logits;
  // softplus(x) = -log_sigmoid(-x)
  const Value size = unary(g, scale(g, at.linear("mlp.noise", h), -1), Unary::kLogSigmoid);
  return add(g, logits, mul(g, size, draws(g, g.shape(logits), DrawKind::kNormal)), 1, -1);
}

Routing routed(const MoeCfg& moe, const LayerGraph& at, Value h, Value logits) {
  Graph& g = at.graph();
  RouteInputs in;
  in.logits = logits;
  in.bias = at.param("mlp.selection.bias");
  in.spans = at.mix().spans();
  if (moe.router == RouterKind::kTop2Random)
    in.draws = draws(g, {g.shape(h).rows()}, DrawKind::kUniform);
  if (!has_router(moe)) in.tokens = at.tokens();
  return route(g, in, {narrow(moe.experts), narrow(moe.active), moe.gate, moe.renormalise});
}

/// x plus the part that all rows pass.
Value add_shared(const MoeCfg& moe, const LayerGraph& at, Value h, Value x) {
  if (moe.shared == 0) return x;
  Graph& g = at.graph();
  const Value u = glu(g, at.linear("mlp.shared.gate_up", h), glu_kind(moe.expert.act));
  if (!moe.shared_gate) return at.project_add("mlp.shared.down", u, x);
  const Value gate = unary(g, at.linear("mlp.shared_gate", h), Unary::kSigmoid);
  Value y = mul(g, at.linear("mlp.shared.down", u), gate, Along::kCol);
  if (at.dropout_share() > 0) y = dropout(g, y, at.dropout_share());
  return add(g, y, x);
}

/// h [N, C] through the experts: their answers, where dispatch() placed the rows.
Value answers(const MoeCfg& moe, const LayerGraph& at, Value h, const Dispatch& sorted) {
  Graph& g = at.graph();
  const Value rows = gather_rows(g, h, sorted.rows);
  const Value both =
      grouped_linear(g, rows, at.param("mlp.experts.gate_up.weight"), sorted.offsets, moe.experts);
  return grouped_linear(g, glu(g, both, glu_kind(moe.expert.act)),
                        at.param("mlp.experts.down.weight"), sorted.offsets, moe.experts);
}

[[noreturn]] void inconsistent(std::string_view name, std::string_view what) {
  throw Error(ErrorKind::kData, cat(name, ": ", what));
}

}  // namespace

bool same(const MoeCfg& x, const MoeCfg& y) {
  return same(x.expert, y.expert) && x.experts == y.experts && x.active == y.active &&
         x.router == y.router && x.gate == y.gate && x.renormalise == y.renormalise &&
         x.selection == y.selection && x.shared == y.shared && x.shared_gate == y.shared_gate;
}

void check(const MoeCfg& moe, const ModelCfg& cfg, std::string_view name) {
  check(moe.expert, cfg, name);
  if (moe.experts <= 0)
    inconsistent(name, cat("experts are ", moe.experts, ", expected a positive number"));
  if (moe.active <= 0 || moe.active > moe.experts)
    inconsistent(name, cat("key \"num_experts_per_tok\" is ", moe.active, ", expected 1 to ",
                           moe.experts, ", the number of experts"));
  if (moe.expert.kind != FfnKind::kGated || moe.expert.bias)
    inconsistent(name, "experts are gated and without biases");
  if (moe.router == RouterKind::kTop2Random && moe.active != 2)
    inconsistent(name, cat("router top2-random has 2 experts for a token, seen ", moe.active));
  if (moe.router == RouterKind::kHash &&
      (moe.active != 1 || moe.selection || moe.gate != GateKind::kSoftmax))
    inconsistent(name, "router hash has one expert for a token, no gate and no bias");
  if (moe.shared < 0 || (moe.shared_gate && moe.shared == 0))
    inconsistent(name, "a gate of shared experts needs some");
}

std::string describe(const MoeCfg& moe) {
  std::string out = cat(moe.active, " of ", moe.experts, " experts of ", moe.expert.width);
  if (moe.shared > 0) append(out, " + ", moe.shared);
  return out;
}

void add_params(const MoeCfg& moe, LayerParams& to) {
  to.norm("mlp_norm");
  if (has_router(moe)) to.linear("mlp.router", moe.experts, to.width(), false);
  if (moe.router == RouterKind::kNoisyTopK) to.linear("mlp.noise", moe.experts, to.width(), false);
  if (moe.selection) to.shift("mlp.selection", moe.experts);
  to.linear("mlp.experts.gate_up", moe.experts * 2 * moe.expert.width, to.width(), false);
  to.residual("mlp.experts.down", moe.expert.width, false, moe.experts);
  if (moe.shared == 0) return;
  to.linear("mlp.shared.gate_up", 2 * moe.shared, to.width(), false);
  to.residual("mlp.shared.down", moe.shared, false);
  if (moe.shared_gate) to.linear("mlp.shared_gate", 1, to.width(), false);
}

Value build(const MoeCfg& moe, LayerGraph& at, Value x) {
  Graph& g = at.graph();
  if (g.activation() != DType::kF32)
    throw Error(ErrorKind::kUnavailable, "mixtures of experts are computed in f32, on the CPU",
                "--device cpu");
  const Graph::Scope scope = g.scope("mlp");
  const MoeTraining& training = at.moe_training();
  const Value h = at.norm_at(NormPlace::kBefore, "mlp_norm", x);
  const Value logits = has_router(moe) ? router_logits(moe, at, h) : Value{};
  const Routing routing = routed(moe, at, h, logits);
  const Dispatch sorted =
      dispatch(g, routing, {narrow(moe.experts), training.capacity, training.by_weight});
  at.add_router({0, moe.experts, moe.active, logits, routing.probabilities, routing.lse,
                 routing.weights, routing.index, sorted.load, sorted.share, sorted.offsets});
  const Value y = answers(moe, at, h, sorted);
  x = add_shared(moe, at, h, x);
  const f32 dropped = at.dropout_share();
  x = dropped > 0 ? add(g, dropout(g, combine(g, y, routing.weights, sorted.place), dropped), x)
                  : combine(g, y, routing.weights, sorted.place, x);
  return at.norm_at(NormPlace::kBehind, "mlp_norm", x);
}

f64 useful_flops(const MoeCfg& moe, i64 width) {
  i64 numbers = 3 * width * (moe.active * moe.expert.width + moe.shared);
  if (has_router(moe)) numbers += width * moe.experts;
  if (moe.shared_gate) numbers += width;
  return 6 * static_cast<f64>(numbers);
}

i64 expert_count(const LayerCfg& layer) {
  const MoeCfg* const moe = std::get_if<MoeCfg>(&layer.ffn);
  return moe == nullptr ? 0 : moe->experts;
}

bool has_experts(const ModelCfg& cfg) {
  return std::any_of(cfg.layers.begin(), cfg.layers.end(),
                     [](const LayerCfg& layer) { return expert_count(layer) > 0; });
}

f64 active_share(const ModelCfg& cfg, std::string_view param) {
  if (param.find(".mlp.experts.") == std::string_view::npos) return 1;
  const std::string_view number = split(param, '.')[1];  // blocks.I.mlp.experts....
  const MoeCfg& moe = std::get<MoeCfg>(cfg.layers[usize(parse_count(number).value_or(0))].ffn);
  return static_cast<f64>(moe.active) / static_cast<f64>(moe.experts);
}

}  // namespace lm::model
