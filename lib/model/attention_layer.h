#pragma once
// Softmax attention as a layer's mixer: its description, and what every mixer answers (layer.h).
// Parameters of layer i: blocks.i.attn_norm, blocks.i.attn.{qkv,out}, blocks.i.attn.{q,k}_norm.
// q, k, v are stacked by rows. Sources: Vaswani et al. 2017; Ainslie et al. 2023 (grouped queries);
// Beltagy et al. 2020 (windows); Child et al. 2019 (sparse patterns); Henry et al. 2020 (normalised
// queries and keys).

#include <string>
#include <string_view>

#include "core/types.h"
#include "graph/value.h"
#include "ops/rope_table.h"
#include "ops/rows.h"

namespace lm::model {

struct ModelCfg;
class LayerGraph;
class LayerParams;

struct AttentionCfg {
  i64 heads = 0;        // query heads
  i64 kv_heads = 0;     // divides heads
  i64 head_dim = 0;     // independent of width / heads
  i64 window = 0;       // a row sees the last `window` of its keys (windowed()); 0: all
  SparseMask sparse{};  // what each head sees of what is before a row; without a window
  bool qkv_bias = false;
  bool out_bias = false;
  bool qk_norm = false;        // RMS norm of every query and key head, before the rotation
  bool qk_norm_whole = false;  // ... of all query heads at once, and of all key heads
  RopeConfig rope;             // used when ModelCfg::position is kRope; rotary_dim set
  i64 q_size() const { return heads * head_dim; }
  i64 kv_size() const { return kv_heads * head_dim; }
  i64 qkv_size() const { return q_size() + 2 * kv_size(); }
};

bool same_rope(const RopeConfig& x, const RopeConfig& y);
bool same(const AttentionCfg& x, const AttentionCfg& y);
/// Throws Error{kData} with the first inconsistency as "name: key ...".
void check(const AttentionCfg& attention, const ModelCfg& cfg, std::string_view name);
/// "8/4 heads of 16", with ", window 64" or ", sparse 16x8" where it is.
std::string describe(const AttentionCfg& attention);
void add_params(const AttentionCfg& attention, LayerParams& to);
/// x [N, C] plus what attention adds to it.
Value build(const AttentionCfg& attention, LayerGraph& at, Value x);
/// Of a token in a causal sequence of seq_len, forward and backward: 6 per matrix element, 12 per
/// query component and visible key.
f64 useful_flops(const AttentionCfg& attention, i64 width, i64 seq_len);
/// What a token leaves behind for later ones: numbers in the key-value cache.
i64 cached_numbers(const AttentionCfg& attention);
/// What a text leaves behind, whatever its length.
inline i64 state_numbers(const AttentionCfg&) {
  return 0;
}

}  // namespace lm::model
