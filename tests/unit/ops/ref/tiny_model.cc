#include "tiny_model.h"

#include <algorithm>

#include "cases.h"
#include "core/random.h"
#include "core/str.h"
#include "ops/ops.h"
#include "ops/rope_table.h"

namespace lm::test {

Value TinyModel::param(const std::string& name, const Shape& shape) {
  const i32 index = params.add(name, shape, shape.rank > 1);
  return g.parameter(name, shape, index);
}

Value TinyModel::block(Value x, i64 layer) {
  const Graph::Scope scope = g.region(cat("blocks.", layer), cfg.policy);
  const std::string at = cat("blocks.", layer, ".");
  const i64 c = cfg.width;
  const i32 d = static_cast<i32>(c / cfg.heads);
  const i64 kv = i64{cfg.kv_heads} * d;
  const Value h = rmsnorm(g, x, param(at + "attn_norm", {c}));
  Value qkv =
      linear(g, h, param(at + "qkv", {c + 2 * kv, c}), param(at + "qkv_bias", {c + 2 * kv}));
  const RopeAttr rotary{cfg.heads + cfg.kv_heads, d, d, false, false};
  qkv = rope(g, qkv, positions, table, rotary);
  const AttentionAttr attr{cfg.heads, cfg.kv_heads, d, 0.0f, 0.0f, true};
  Value a = attention(g, qkv, spans, attr);
  if (cfg.dropout > 0) a = dropout(g, a, cfg.dropout);
  x = linear_add(g, a, param(at + "o", {c, c}), {}, x);
  const Value m = layernorm(g, x, param(at + "mlp_norm", {c}), param(at + "mlp_norm_bias", {c}));
  Value u = linear(g, m, param(at + "gate_up", {2 * cfg.hidden, c}));
  u = glu(g, u, GluKind::kSilu);
  return linear_add(g, u, param(at + "down", {c, cfg.hidden}), {}, x);
}

TinyModel::TinyModel(const TinyConfig& config) : cfg(config), g(ops()) {
  const i64 n = cfg.rows;
  const i64 half = cfg.width / cfg.heads / 2;
  tokens = g.input("tokens", {n}, DType::kI32);
  targets = g.input("targets", {n}, DType::kI32);
  spans = g.input("spans", {n, kSpanInts}, DType::kI32);
  positions = g.input("positions", {n}, DType::kI32);
  table = g.input("rope", {2, cfg.sequence, half});
  const Value embed = param("embed", {cfg.vocab, cfg.width});
  Value x = embedding(g, tokens, embed);
  for (i64 layer = 0; layer < cfg.layers; ++layer)
    x = block(x, layer);
  const Value y = rmsnorm(g, x, param("final_norm", {cfg.width}));
  const CeAttr ce{cfg.vocab, 0, 0, 0, false};
  loss = linear_ce(g, y, embed, targets, {}, ce).sum;
  if (cfg.loss_scale != 1) loss = scale(g, loss, cfg.loss_scale);
  g.keep(loss);
  g.backward(loss);
  apply_checkpointing(g);
}

void TinyModel::init() {
  weights = ParamSlab(params);
  grads = ParamSlab(params);
  for (i32 p = 0; p < params.size(); ++p) {
    const Tensor t = weights[p];
    const RandomStream draw(7, RandomPurpose::kInit, fnv1a64(params[p].name));
    const bool gain = params[p].name.find("norm") != std::string::npos &&
                      params[p].name.find("bias") == std::string::npos;
    for (i64 i = 0; i < t.count(); ++i) {
      const f64 x = 0.3 * draw.normal(static_cast<u64>(i));
      t.f32_data()[i] = static_cast<f32>(gain ? 1 + 0.1 * x : x);
    }
  }
}

void TinyModel::fill_data() {
  const i64 n = cfg.rows;
  token_data = OwnedTensor({n}, DType::kI32);
  target_data = OwnedTensor({n}, DType::kI32);
  position_data = OwnedTensor({n}, DType::kI32);
  span_data = OwnedTensor({n, kSpanInts}, DType::kI32);
  for (i64 i = 0; i < n; ++i) {
    const i64 t = i % cfg.sequence;
    const i64 s = i / cfg.sequence;
    const auto text = [&](i64 k) { return static_cast<i32>((3 * s + k * k) % cfg.vocab); };
    token_data.view.i32_data()[i] = text(t);
    target_data.view.i32_data()[i] = t + 1 < cfg.sequence ? text(t + 1) : kIgnoreTarget;
    position_data.view.i32_data()[i] = static_cast<i32>(t);
  }
  const std::vector<i64> lengths(usize(n / cfg.sequence), cfg.sequence);
  const std::vector<i32> all = causal_spans(lengths);
  std::copy(all.begin(), all.end(), span_data.view.i32_data());
  RopeConfig rope_cfg;
  rope_cfg.rotary_dim = cfg.width / cfg.heads;
  const std::vector<f32> numbers = make_rope_table(rope_cfg, cfg.sequence);
  table_data = OwnedTensor(g.shape(table));
  std::copy(numbers.begin(), numbers.end(), table_data.view.f32_data());
}

void TinyModel::bind(Executor& exec) {
  exec.bind(tokens, token_data.view);
  exec.bind(targets, target_data.view);
  exec.bind(spans, span_data.view);
  exec.bind(positions, position_data.view);
  exec.bind(table, table_data.view);
  exec.bind_params([this](i32 p) { return weights[p]; });
  exec.bind_grads([this](i32 p) { return grads[p]; });
}

}  // namespace lm::test
