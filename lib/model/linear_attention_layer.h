#pragma once
// Linear attention as a layer's mixer: a row's weights of those before it are 1 + s + s^2/2 with s
// = q k / sqrt(dim), so that sums over them are carried from row to row. Parameters of layer i:
// blocks.i.linear_norm, blocks.i.linear.{qkv,out}; q, k [heads dim], v [heads head_dim] are stacked
// by rows. Prefix linear attention has keys and values of its own for a text's prefix, of
// blocks.i.linear.prefix (k, v by rows): every row, those of the prefix too, sees them all beside
// those before it. What is carried behind the prefix holds both sums, so a text goes on as any
// other does; one without a prefix never had them. Sources: Katharopoulos et al. 2020; Arora et
// al. 2024 (Based), 2024b (Just read twice).

#include <string>
#include <string_view>

#include "core/types.h"
#include "graph/value.h"

namespace lm::model {

struct ModelCfg;
class LayerGraph;
class LayerParams;

struct LinearAttentionCfg {
  i64 heads = 0;
  i64 dim = 0;       // of a query and a key
  i64 head_dim = 0;  // of a value
  bool prefix = false;
};

bool same(const LinearAttentionCfg& x, const LinearAttentionCfg& y);
/// Throws Error{kData} with the first inconsistency as "name: key ...".
void check(const LinearAttentionCfg& attention, const ModelCfg& cfg, std::string_view name);
/// "linear attention of 4 x 8 to 16", "prefix linear attention of ...".
std::string describe(const LinearAttentionCfg& attention);
void add_params(const LinearAttentionCfg& attention, LayerParams& to);
/// x [N, C] plus what attention adds to it.
Value build(const LinearAttentionCfg& attention, LayerGraph& at, Value x);
/// Of a token, forward and backward: 6 per matrix element, 12 per number of the state; of a prefix,
/// 6 more of either, as if all of the text were one: what is computed.
f64 useful_flops(const LinearAttentionCfg& attention, i64 width, i64 seq_len);
/// A token leaves nothing behind beside the text's state, the sums.
inline i64 cached_numbers(const LinearAttentionCfg&) {
  return 0;
}
i64 state_numbers(const LinearAttentionCfg& attention);

}  // namespace lm::model
