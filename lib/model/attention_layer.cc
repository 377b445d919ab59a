#include "model/attention_layer.h"

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

[[noreturn]] void inconsistent(std::string_view name, std::string_view what) {
  throw Error(ErrorKind::kData, cat(name, ": ", what));
}

/// Of a row of a causal sequence, on average.
f64 visible_keys(const AttentionCfg& a, i64 seq_len) {
  if (a.sparse.on() && seq_len > 0)
    return (static_cast<f64>(a.sparse.pairs(seq_len)) - static_cast<f64>(seq_len) / 2) /
           static_cast<f64>(seq_len);
  const i64 window = a.window;
  const f64 all = static_cast<f64>(seq_len);
  const f64 hidden = window > 0 ? static_cast<f64>(std::max<i64>(0, seq_len - window)) : 0.0;
  return (all * all - hidden * hidden) / (2 * all);
}

Value normalised(const AttentionCfg& a, const LayerGraph& at, Value qkv) {
  QkNormAttr attr;
  attr.heads = narrow(a.heads);
  attr.kv_heads = narrow(a.kv_heads);
  attr.head_dim = narrow(a.head_dim);
  attr.eps = static_cast<f32>(at.config().norm_eps);
  attr.full = a.qk_norm_whole;
  return qk_norm(at.graph(), qkv, at.param("attn.q_norm.weight"), at.param("attn.k_norm.weight"),
                 attr);
}

Value rotated(const AttentionCfg& a, const LayerGraph& at, Value qkv) {
  RopeAttr attr;
  attr.heads = narrow(a.heads + a.kv_heads);
  attr.head_dim = narrow(a.head_dim);
  attr.rotary_dim = narrow(a.rope.rotary_dim);
  return rope(at.graph(), qkv, at.positions(), at.rope_table(), attr);
}

}  // namespace

bool same_rope(const RopeConfig& x, const RopeConfig& y) {
  return x.kind == y.kind && x.rotary_dim == y.rotary_dim && x.base == y.base &&
         x.factor == y.factor && x.low_freq_factor == y.low_freq_factor &&
         x.high_freq_factor == y.high_freq_factor && x.original_context == y.original_context &&
         x.beta_fast == y.beta_fast && x.beta_slow == y.beta_slow &&
         x.attention_factor == y.attention_factor;
}

bool same(const AttentionCfg& x, const AttentionCfg& y) {
  return x.heads == y.heads && x.kv_heads == y.kv_heads && x.head_dim == y.head_dim &&
         x.window == y.window && x.sparse == y.sparse && x.qkv_bias == y.qkv_bias &&
         x.out_bias == y.out_bias && x.qk_norm == y.qk_norm && x.qk_norm_whole == y.qk_norm_whole &&
         same_rope(x.rope, y.rope);
}

void check(const AttentionCfg& a, const ModelCfg& cfg, std::string_view name) {
  if (a.heads <= 0 || a.kv_heads <= 0 || a.head_dim <= 0)
    inconsistent(name, cat("head counts and head size must be positive, seen ", a.heads, " heads, ",
                           a.kv_heads, " key-value heads of size ", a.head_dim));
  if (a.heads % a.kv_heads != 0)
    inconsistent(name, cat("key \"num_key_value_heads\" is ", a.kv_heads,
                           ", expected a divisor of the ", a.heads, " attention heads"));
  if (a.window < 0)
    inconsistent(name, cat("key \"sliding_window\" is ", a.window, ", expected a positive number"));
  if (a.sparse.on() && (a.window > 0 || cfg.kind == ModelKind::kEncoder))
    inconsistent(name, cat("key \"lm_sparse\": layers that attend to ",
                           a.window > 0 ? "a window" : "what is behind them", " cannot be sparse"));
  if (cfg.position == PositionKind::kRope && a.head_dim % 2 != 0)
    inconsistent(name, cat("key \"head_dim\" is ", a.head_dim,
                           ", expected an even number for rotary positions"));
}

std::string describe(const AttentionCfg& a) {
  std::string out = cat(a.heads);
  if (a.kv_heads != a.heads) append(out, "/", a.kv_heads);
  append(out, " heads of ", a.head_dim);
  if (a.window > 0) append(out, ", window ", a.window);
  if (a.sparse.on()) append(out, ", sparse ", a.sparse.block, "x", a.sparse.local);
  return out;
}

void add_params(const AttentionCfg& a, LayerParams& to) {
  to.norm("attn_norm");
  to.linear("attn.qkv", a.qkv_size(), to.width(), a.qkv_bias);
  if (a.qk_norm) {
    to.gain("attn.q_norm", a.qk_norm_whole ? a.q_size() : a.head_dim);
    to.gain("attn.k_norm", a.qk_norm_whole ? a.kv_size() : a.head_dim);
  }
  to.residual("attn.out", a.q_size(), a.out_bias);
}

Value build(const AttentionCfg& a, LayerGraph& at, Value x) {
  const Graph::Scope scope = at.graph().scope("attn");
  Value qkv = at.linear("attn.qkv", at.norm_at(NormPlace::kBefore, "attn_norm", x));
  if (a.qk_norm) qkv = normalised(a, at, qkv);
  if (at.config().position == PositionKind::kRope) qkv = rotated(a, at, qkv);
  AttentionAttr attr;
  attr.heads = narrow(a.heads);
  attr.kv_heads = narrow(a.kv_heads);
  attr.head_dim = narrow(a.head_dim);
  attr.window = narrow(a.window);
  attr.sparse = a.sparse;
  const Value y = at.project_add("attn.out", at.mix().attend(qkv, attr, at.layer()), x);
  return at.norm_at(NormPlace::kBehind, "attn_norm", y);
}

f64 useful_flops(const AttentionCfg& a, i64 width, i64 seq_len) {
  const f64 matrices = static_cast<f64>(width * (a.qkv_size() + a.q_size()));
  return 6 * matrices + 12 * static_cast<f64>(a.q_size()) * visible_keys(a, seq_len);
}

i64 cached_numbers(const AttentionCfg& a) {
  return 2 * a.kv_size();
}

}  // namespace lm::model
