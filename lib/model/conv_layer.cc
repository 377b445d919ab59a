#include "model/conv_layer.h"

#include "core/error.h"
#include "core/str.h"
#include "model/layer.h"
#include "ops/ops.h"

namespace lm::model {

bool same(const ConvCfg& x, const ConvCfg& y) {
  return x.inner == y.inner && x.taps == y.taps && x.bias == y.bias;
}

void check(const ConvCfg& conv, const ModelCfg& cfg, std::string_view name) {
  if (conv.inner <= 0 || conv.taps <= 0)
    throw Error(ErrorKind::kData, cat(name,
                                      ": width and rows of a convolution must be positive, "
                                      "seen ",
                                      conv.inner, " and ", conv.taps));
  if (cfg.kind == ModelKind::kEncoder)
    throw Error(ErrorKind::kData, cat(name, ": an encoder has no recurrent layers"));
}

std::string describe(const ConvCfg& conv) {
  return cat("convolution of ", conv.taps, " rows, ", conv.inner, " wide");
}

void add_params(const ConvCfg& conv, LayerParams& to) {
  to.norm("conv_norm");
  to.linear("conv.in", 2 * conv.inner, to.width(), conv.bias);
  to.taps("conv.taps", conv.taps, conv.inner);
  to.residual("conv.out", conv.inner, conv.bias);
}

Value build(const ConvCfg& conv, LayerGraph& at, Value x) {
  Graph& g = at.graph();
  const Graph::Scope scope = g.scope("conv");
  const Value in = at.linear("conv.in", at.norm_at(NormPlace::kBefore, "conv_norm", x));
  const Value u =
      at.mix().conv(slice_columns(g, in, 0, conv.inner), at.param("conv.taps.weight"), at.layer());
  const Value gated =
      mul(g, unary(g, u, Unary::kSilu), slice_columns(g, in, conv.inner, conv.inner));
  return at.norm_at(NormPlace::kBehind, "conv_norm", at.project_add("conv.out", gated, x));
}

f64 useful_flops(const ConvCfg& conv, i64 width, i64 /*seq_len*/) {
  return 6 * static_cast<f64>(conv.inner * (3 * width + conv.taps));
}

i64 state_numbers(const ConvCfg& conv) {
  return (conv.taps - 1) * conv.inner;
}

}  // namespace lm::model
