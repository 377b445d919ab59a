#include "model/ffn_layer.h"

#include "core/error.h"
#include "core/str.h"
#include "model/layer.h"
#include "ops/ops.h"

namespace lm::model {

GluKind glu_kind(Unary act) {
  switch (act) {
    case Unary::kSilu:
      return GluKind::kSilu;
    case Unary::kGeluTanh:
      return GluKind::kGeluTanh;
    case Unary::kGeluErf:
      return GluKind::kGeluErf;
    case Unary::kRelu2:
      return GluKind::kRelu2;
    default:
      throw Error(ErrorKind::kInternal, "activation without a gated form");
  }
}

bool same(const FfnCfg& x, const FfnCfg& y) {
  return x.kind == y.kind && x.act == y.act && x.width == y.width && x.bias == y.bias;
}

void check(const FfnCfg& ffn, const ModelCfg& /*cfg*/, std::string_view name) {
  if (ffn.width <= 0)
    throw Error(ErrorKind::kData,
                cat(name, ": feed-forward width is ", ffn.width, ", expected a positive number"));
}

std::string describe(const FfnCfg& ffn) {
  return cat("ffn ", ffn.width);
}

void add_params(const FfnCfg& ffn, LayerParams& to) {
  to.norm("mlp_norm");
  if (ffn.kind == FfnKind::kGated)
    to.linear("mlp.gate_up", 2 * ffn.width, to.width(), ffn.bias);
  else
    to.linear("mlp.up", ffn.width, to.width(), ffn.bias);
  to.residual("mlp.down", ffn.width, ffn.bias);
}

Value build(const FfnCfg& ffn, LayerGraph& at, Value x) {
  const Graph::Scope scope = at.graph().scope("mlp");
  const Value h = at.norm_at(NormPlace::kBefore, "mlp_norm", x);
  const Value u = ffn.kind == FfnKind::kGated
                      ? glu(at.graph(), at.linear("mlp.gate_up", h), glu_kind(ffn.act))
                      : at.linear("mlp.up", h, ffn.act);
  return at.norm_at(NormPlace::kBehind, "mlp_norm", at.project_add("mlp.down", u, x));
}

f64 useful_flops(const FfnCfg& ffn, i64 width) {
  const i64 matrices = ffn.kind == FfnKind::kGated ? 3 : 2;
  return 6 * static_cast<f64>(matrices * width * ffn.width);
}

}  // namespace lm::model
