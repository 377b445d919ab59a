#pragma once
// Cells of long short-term memory as a layer's mixer. Of a row x, normalised, with p = W x + b, to
// which the LSTM adds R h_{t-1} and the quasi-LSTM nothing: f = sigmoid(p_f + 1), i = sigmoid(p_i),
// z = tanh(p_z), o = sigmoid(p_o); c_t = f c_{t-1} + i z; h_t = o tanh(c_t); h through a projection
// is added to the residual stream. Parameters of layer i: blocks.i.cell_norm, blocks.i.cell.{gates,
// recurrent,out}; the gates are stacked by rows f, i, z, o. A quasi-LSTM is one scan over the rows,
// an LSTM one product after the other. Sources: Hochreiter and Schmidhuber 1997; Gers et al. 2000;
// Stanic et al. 2023 (Languini Kitchen).

#include <string>
#include <string_view>

#include "core/types.h"
#include "graph/value.h"

namespace lm::model {

struct ModelCfg;
class LayerGraph;
class LayerParams;

struct CellCfg {
  i64 heads = 0;
  i64 head_dim = 0;  // independent of width / heads
  bool bias = false;
  bool recurrent = false;  // gates see the row before
  i64 size() const { return heads * head_dim; }
};

bool same(const CellCfg& x, const CellCfg& y);
/// Throws Error{kData} with the first inconsistency as "name: key ...".
void check(const CellCfg& cell, const ModelCfg& cfg, std::string_view name);
/// "quasi-LSTM of 4 x 16".
std::string describe(const CellCfg& cell);
void add_params(const CellCfg& cell, LayerParams& to);
/// x [N, C] plus what the cell adds to it.
Value build(const CellCfg& cell, LayerGraph& at, Value x);
/// Of a token, forward and backward: 6 per matrix element.
f64 useful_flops(const CellCfg& cell, i64 width, i64 seq_len);
/// A token leaves nothing behind beside the text's state.
inline i64 cached_numbers(const CellCfg&) {
  return 0;
}
/// c, and h where gates see it.
i64 state_numbers(const CellCfg& cell);

}  // namespace lm::model
