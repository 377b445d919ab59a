#include "model/rope_tables.h"

#include <algorithm>

namespace lm::model {
namespace {

constexpr i64 kRowStep = 1024;  // positions made at a time

}  // namespace

RopeTables::RopeTables(const ModelCfg& cfg, i64 positions, bool later)
    : context_(cfg.context), rows_(positions > 0 ? positions : cfg.context) {
  if (cfg.position != PositionKind::kRope) return;
  for (const LayerCfg& layer : cfg.layers) {
    const AttentionCfg* const attention = std::get_if<AttentionCfg>(&layer.mixer);
    if (attention == nullptr) {
      layers_.push_back(-1);
      continue;
    }
    const RopeConfig& rope = attention->rope;
    i64 at = 0;
    while (at < size() && !same_rope(tables_[usize(at)].config, rope))
      ++at;
    layers_.push_back(at);
    if (at < size()) continue;
    Table one;
    one.config = rope;
    static_cast<void>(rope_frequencies(rope, context_));  // refuses a wrong configuration now
    one.shape = {2, rows_, rope.rotary_dim / 2};
    one.numbers = Storage::cpu(one.shape.count() * item_bytes(DType::kF32));
    tables_.push_back(std::move(one));
  }
  if (!later) fill(rows_);
}

void RopeTables::fill(i64 positions) {
  if (positions <= filled_) return;
  const i64 end = std::min(rows_, (positions + kRowStep - 1) / kRowStep * kRowStep);
  for (const Table& one : tables_)
    fill_rope_table(one.config, rows_, context_, filled_, end,
                    reinterpret_cast<f32*>(one.numbers.data()));
  filled_ = end;
}

void RopeTables::place(const Backend& backend) {
  if (backend.device == Device{}) return;
  fill(rows_);
  for (Table& one : tables_) {
    const i64 bytes = one.shape.count() * item_bytes(DType::kF32);
    Storage placed = backend.allocate(bytes);
    backend.to_device(placed.data(), one.numbers.data(), bytes);
    one.numbers = std::move(placed);
  }
}

Tensor RopeTables::tensor(i64 table) const {
  const Table& one = tables_[usize(table)];
  return make_tensor(one.numbers, 0, one.shape);
}

i64 RopeTables::bytes() const {
  i64 sum = 0;
  for (const Table& one : tables_)
    sum += one.shape.count() * static_cast<i64>(sizeof(f32));
  return sum;
}

}  // namespace lm::model
