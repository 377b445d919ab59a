#include "model/adapter_rows.h"

#include <algorithm>

#include "core/error.h"
#include "tensor/convert.h"

namespace lm::model {

void AdapterRows::choose(i32 seq, std::span<const f32> weights) {
  LM_CHECK(bank_ != nullptr && isize(weights) == bank_->count(),
           "one weight for each adapter of the model");
  chosen_[seq].assign(weights.begin(), weights.end());
}

void AdapterRows::fork(i32 seq, i32 child) {
  const auto own = chosen_.find(seq);
  if (own != chosen_.end()) chosen_[child] = own->second;
}

std::span<const f32> AdapterRows::weights(i32 seq) const {
  const auto own = chosen_.find(seq);
  return own == chosen_.end() ? standard_ : std::span<const f32>(own->second);
}

void AdapterRows::fill(std::span<const EvalRow> rows, i64 padded, u8* to) const {
  const i64 columns = bank_->columns();
  std::vector<f32> row(usize(columns), 0);
  i32 seq = -1;
  for (i64 i = 0; i < padded; ++i) {
    if (i == isize(rows)) std::fill(row.begin(), row.end(), 0.0f);
    if (i < isize(rows) && rows[usize(i)].seq != seq) {
      seq = rows[usize(i)].seq;
      bank_->fill(weights(seq), row);
    }
    for (i64 j = 0; j < columns; ++j) {
      if (dtype_ == DType::kF32)
        reinterpret_cast<f32*>(to)[i * columns + j] = row[usize(j)];
      else
        reinterpret_cast<u16*>(to)[i * columns + j] = f32_to_bf16(row[usize(j)]);
    }
  }
}

}  // namespace lm::model
