#pragma once
// A mixture of experts in the place of a feed-forward part: a router sends each row to some of
// them, and their answers are summed by its weights. Rows are never dropped unless training says so
// (MoeTraining). Parameters of layer i: blocks.i.mlp_norm; blocks.i.mlp.router, rows are experts;
// mlp.noise; mlp.selection.bias; mlp.experts.{gate_up,down}, the experts' matrices one below the
// other; mlp.shared.{gate_up,down}; mlp.shared_gate. Sources: ops/experts.h; Jiang et al. 2024
// (Mixtral); Muennighoff et al. 2024 (OLMoE); Yang et al. 2024, 2025 (Qwen); Dai et al. 2024
// (shared and fine-grained experts).

#include <string>
#include <string_view>

#include "core/types.h"
#include "graph/value.h"
#include "model/ffn_layer.h"
#include "ops/experts.h"

namespace lm::model {

struct LayerCfg;

enum class RouterKind : u8 {
  kTopK,
  kNoisyTopK,   // while it is trained, logits have noise of a learnt size
  kTop2Random,  // while it is trained, the second expert is taken with twice its weight, at most 1
  kHash,        // one expert, by the token alone
};

struct MoeCfg {
  FfnCfg expert;  // of each
  i64 experts = 0;
  i64 active = 0;  // experts of a row
  RouterKind router = RouterKind::kTopK;
  GateKind gate = GateKind::kSoftmax;
  bool renormalise = true;   // a row's weights sum to 1
  bool selection = false;    // biases of experts that count where they are chosen, not in weights
  i64 shared = 0;            // width of a part that all rows pass too; 0: none
  bool shared_gate = false;  // ... times a sigmoid of the row
};

/// What training does that inference does not.
struct MoeTraining {
  f32 capacity = 0;        // pairs that an expert takes, in shares of an even load; 0: all
  bool by_weight = false;  // which: those of largest weight, not the first ones
  f32 jitter = 0;          // the router's input is multiplied by 1 +- at most this
};

/// How the rows of a graph were routed: what losses and statistics are made of.
struct RouterValues {
  i64 layer = 0;
  i64 experts = 0;
  i64 active = 0;
  Value logits;         // [N, experts]; absent: tokens say
  Value probabilities;  // [N, experts], zeros of padding
  Value lse;            // [N], zeros of padding
  Value weights;        // [N, active], zeros of pairs that go nowhere
  Value index;          // i32 [N, active]: their experts, or negative
  Value load;           // [experts]: pairs that asked for each
  Value share;          // [experts]: of all such pairs
  Value offsets;        // i32 [experts + 1]: where each one's pairs begin; the last: how many
};

bool same(const MoeCfg& x, const MoeCfg& y);
/// Throws Error{kData} with the first inconsistency as "name: ...".
void check(const MoeCfg& moe, const ModelCfg& cfg, std::string_view name);
/// "2 of 8 experts of 192", with "+ 64" for what all rows pass.
std::string describe(const MoeCfg& moe);
void add_params(const MoeCfg& moe, LayerParams& to);
/// x [N, C] plus what this part adds to it. Throws Error{kUnavailable} for activations other than
/// f32.
Value build(const MoeCfg& moe, LayerGraph& at, Value x);
/// Of a token, forward and backward: 6 per matrix element that it meets.
f64 useful_flops(const MoeCfg& moe, i64 width);

/// Of a layer; 0 where it has none.
i64 expert_count(const LayerCfg& layer);
/// Whether a layer is a mixture.
bool has_experts(const ModelCfg& cfg);
/// Of a parameter, the share that a row meets: less than 1 of experts' matrices.
f64 active_share(const ModelCfg& cfg, std::string_view param);

}  // namespace lm::model
