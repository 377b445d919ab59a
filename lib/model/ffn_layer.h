#pragma once
// The feed-forward part of a layer: its description, and what every alternative answers (layer.h).
// Parameters of layer i: blocks.i.mlp_norm, blocks.i.mlp.{gate_up|up,down}; gate and up are stacked
// by rows. Sources: Vaswani et al. 2017; Shazeer 2020 (gated).

#include <string>
#include <string_view>

#include "core/types.h"
#include "graph/value.h"
#include "ops/op.h"

namespace lm::model {

struct ModelCfg;
class LayerGraph;
class LayerParams;

enum class FfnKind : u8 { kPlain, kGated };  // down(act(up x))   |   down(act(gate x) * up x)

struct FfnCfg {
  FfnKind kind = FfnKind::kPlain;
  Unary act = Unary::kGeluTanh;
  i64 width = 0;
  bool bias = false;
};

/// The gated form of an activation. LM_CHECK: it has one.
GluKind glu_kind(Unary act);

bool same(const FfnCfg& x, const FfnCfg& y);
/// Throws Error{kData} with the first inconsistency as "name: ...".
void check(const FfnCfg& ffn, const ModelCfg& cfg, std::string_view name);
/// "ffn 172".
std::string describe(const FfnCfg& ffn);
void add_params(const FfnCfg& ffn, LayerParams& to);
/// x [N, C] plus what this part adds to it.
Value build(const FfnCfg& ffn, LayerGraph& at, Value x);
/// Of a token, forward and backward: 6 per matrix element.
f64 useful_flops(const FfnCfg& ffn, i64 width);

}  // namespace lm::model
