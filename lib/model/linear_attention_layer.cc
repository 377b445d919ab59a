#include "model/linear_attention_layer.h"

#include "core/error.h"
#include "core/str.h"
#include "model/layer.h"
#include "ops/ops.h"

namespace lm::model {

bool same(const LinearAttentionCfg& x, const LinearAttentionCfg& y) {
  return x.heads == y.heads && x.dim == y.dim && x.head_dim == y.head_dim && x.prefix == y.prefix;
}

void check(const LinearAttentionCfg& a, const ModelCfg& cfg, std::string_view name) {
  if (a.heads <= 0 || a.dim <= 0 || a.head_dim <= 0)
    throw Error(ErrorKind::kData, cat(name,
                                      ": heads of linear attention and their sizes must be "
                                      "positive, seen ",
                                      a.heads, " of ", a.dim, " to ", a.head_dim));
  if (cfg.kind == ModelKind::kEncoder)
    throw Error(ErrorKind::kData, cat(name, ": an encoder has no recurrent layers"));
}

std::string describe(const LinearAttentionCfg& a) {
  return cat(a.prefix ? "prefix " : "", "linear attention of ", a.heads, " x ", a.dim, " to ",
             a.head_dim);
}

void add_params(const LinearAttentionCfg& a, LayerParams& to) {
  to.norm("linear_norm");
  to.linear("linear.qkv", a.heads * (2 * a.dim + a.head_dim), to.width(), false);
  if (a.prefix) to.linear("linear.prefix", a.heads * (a.dim + a.head_dim), to.width(), false);
  to.residual("linear.out", a.heads * a.head_dim, false);
}

Value build(const LinearAttentionCfg& a, LayerGraph& at, Value x) {
  Graph& g = at.graph();
  const Graph::Scope scope = g.scope("linear");
  const Value from = at.norm_at(NormPlace::kBefore, "linear_norm", x);
  const Value qkv = at.linear("linear.qkv", from);
  const i64 keys = a.heads * a.dim;
  LinearAttentionInputs in;
  in.q = slice_columns(g, qkv, 0, keys);
  in.k = slice_columns(g, qkv, keys, keys);
  in.v = slice_columns(g, qkv, 2 * keys, a.heads * a.head_dim);
  if (a.prefix && at.mix().has_prefixes()) {
    const Value further = at.linear("linear.prefix", from);
    in.prefix_k = slice_columns(g, further, 0, keys);
    in.prefix_v = slice_columns(g, further, keys, a.heads * a.head_dim);
  }
  const LinearAttentionAttr attr{static_cast<i32>(a.heads), static_cast<i32>(a.dim),
                                 static_cast<i32>(a.head_dim)};
  const Value y = at.mix().linear_attend(in, attr, at.layer());
  return at.norm_at(NormPlace::kBehind, "linear_norm", at.project_add("linear.out", y, x));
}

f64 useful_flops(const LinearAttentionCfg& a, i64 width, i64 /*seq_len*/) {
  const i64 further = a.prefix ? a.dim + a.head_dim : 0;
  const i64 matrices = width * a.heads * (2 * a.dim + 2 * a.head_dim + further);
  return static_cast<f64>(6 * matrices + (a.prefix ? 18 : 12) * state_numbers(a));
}

i64 state_numbers(const LinearAttentionCfg& a) {
  return a.heads * taylor_features(a.dim) * (a.head_dim + 1);
}

}  // namespace lm::model
