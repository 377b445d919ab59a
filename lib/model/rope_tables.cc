#include "model/rope_tables.h"

namespace lm::model {

RopeTables::RopeTables(const ModelCfg& cfg, i64 positions) {
  if (cfg.position != PositionKind::kRope) return;
  const i64 rows = positions > 0 ? positions : cfg.context;
  for (const LayerCfg& layer : cfg.layers) {
    const RopeConfig& rope = std::get<AttentionCfg>(layer.mixer).rope;
    i64 at = 0;
    while (at < size() && !same_rope(tables_[usize(at)].config, rope))
      ++at;
    layers_.push_back(at);
    if (at < size()) continue;
    Table one;
    one.config = rope;
    one.numbers = make_rope_table(rope, rows, cfg.context);
    one.shape = {2, rows, rope.rotary_dim / 2};
    tables_.push_back(std::move(one));
  }
}

void RopeTables::place(const Backend& backend) {
  if (backend.device == Device{}) return;
  for (Table& one : tables_) {
    const i64 bytes = isize(one.numbers) * static_cast<i64>(sizeof(f32));
    one.placed = backend.allocate(bytes);
    backend.to_device(one.placed.data(), one.numbers.data(), bytes);
    one.numbers = {};
  }
}

Tensor RopeTables::tensor(i64 table) const {
  const Table& one = tables_[usize(table)];
  if (one.placed) return make_tensor(one.placed, 0, one.shape);
  return make_tensor(const_cast<f32*>(one.numbers.data()), one.shape);
}

i64 RopeTables::bytes() const {
  i64 sum = 0;
  for (const Table& one : tables_)
    sum += one.shape.count() * static_cast<i64>(sizeof(f32));
  return sum;
}

}  // namespace lm::model
