#include "model/cell_layer.h"

#include "core/error.h"
#include "core/str.h"
#include "model/layer.h"
#include "ops/ops.h"

namespace lm::model {

bool same(const CellCfg& x, const CellCfg& y) {
  return x.heads == y.heads && x.head_dim == y.head_dim && x.bias == y.bias &&
         x.recurrent == y.recurrent;
}

void check(const CellCfg& cell, const ModelCfg& cfg, std::string_view name) {
  if (cell.heads <= 0 || cell.head_dim <= 0)
    throw Error(ErrorKind::kData, cat(name, ": head count and head size must be positive, seen ",
                                      cell.heads, " heads of ", cell.head_dim));
  if (cfg.kind == ModelKind::kEncoder)
    throw Error(ErrorKind::kData, cat(name, ": an encoder has no recurrent layers"));
}

std::string describe(const CellCfg& cell) {
  return cat(cell.recurrent ? "LSTM of " : "quasi-LSTM of ", cell.heads, " x ", cell.head_dim);
}

void add_params(const CellCfg& cell, LayerParams& to) {
  to.norm("cell_norm");
  to.linear("cell.gates", 4 * cell.size(), to.width(), cell.bias);
  if (cell.recurrent) to.linear("cell.recurrent", 4 * cell.size(), cell.size(), false);
  to.residual("cell.out", cell.size(), cell.bias);
}

namespace {

Value quasi_lstm(const CellCfg& cell, LayerGraph& at, Value gates) {
  Graph& g = at.graph();
  const i64 size = cell.size();
  const auto part = [&](i64 i) { return slice_columns(g, gates, i * size, size); };
  const Value ahead = add(g, part(0), fill(g, {1}, 1), 1, 1, Along::kScalar);
  const Value input = mul(g, unary(g, part(1), Unary::kSigmoid), unary(g, part(2), Unary::kTanh));
  const Value state = at.mix().scan(unary(g, ahead, Unary::kSigmoid), input, at.layer());
  return mul(g, unary(g, part(3), Unary::kSigmoid), unary(g, state, Unary::kTanh));
}

}  // namespace

Value build(const CellCfg& cell, LayerGraph& at, Value x) {
  const Graph::Scope scope = at.graph().scope("cell");
  const Value gates = at.linear("cell.gates", at.norm_at(NormPlace::kBefore, "cell_norm", x));
  const Value h = cell.recurrent
                      ? at.mix().lstm(gates, at.param("cell.recurrent.weight"), at.layer())
                      : quasi_lstm(cell, at, gates);
  return at.norm_at(NormPlace::kBehind, "cell_norm", at.project_add("cell.out", h, x));
}

f64 useful_flops(const CellCfg& cell, i64 width, i64 /*seq_len*/) {
  return 6 * static_cast<f64>(cell.size() * (5 * width + (cell.recurrent ? 4 * cell.size() : 0)));
}

i64 state_numbers(const CellCfg& cell) {
  return cell.recurrent ? 2 * cell.size() : cell.size();
}

}  // namespace lm::model
