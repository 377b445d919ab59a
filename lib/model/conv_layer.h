#pragma once
// A gated short convolution as a layer's mixer. Of a row x, normalised: (u | v) = W x + b; each
// component of u is summed over the last rows with weights of its own; what is added to the
// residual stream is a projection of silu(u') v. Parameters of layer i: blocks.i.conv_norm,
// blocks.i.conv.{in,taps,out}; taps [taps, inner], the row's own first. Sources: Arora et al. 2023
// (Zoology), 2024 (Based, JRT).

#include <string>
#include <string_view>

#include "core/types.h"
#include "graph/value.h"

namespace lm::model {

struct ModelCfg;
class LayerGraph;
class LayerParams;

struct ConvCfg {
  i64 inner = 0;
  i64 taps = 0;  // rows that are summed, the own one among them
  bool bias = false;
};

bool same(const ConvCfg& x, const ConvCfg& y);
/// Throws Error{kData} with the first inconsistency as "name: key ...".
void check(const ConvCfg& conv, const ModelCfg& cfg, std::string_view name);
/// "convolution of 3 rows, 128 wide".
std::string describe(const ConvCfg& conv);
void add_params(const ConvCfg& conv, LayerParams& to);
/// x [N, C] plus what the convolution adds to it.
Value build(const ConvCfg& conv, LayerGraph& at, Value x);
/// Of a token, forward and backward: 6 per matrix element.
f64 useful_flops(const ConvCfg& conv, i64 width, i64 seq_len);
/// A token leaves nothing behind beside the text's state, the last rows.
inline i64 cached_numbers(const ConvCfg&) {
  return 0;
}
i64 state_numbers(const ConvCfg& conv);

}  // namespace lm::model
