#pragma once
// Which adapters the sequences of an engine use, and what its passes need of that.

#include <map>
#include <span>
#include <vector>

#include "model/adapter_bank.h"
#include "model/eval_row.h"

namespace lm::model {

class AdapterRows {
 public:
  /// bank: null for a model without adapters; standard: weights of a sequence that is told nothing.
  /// Both outlive this.
  AdapterRows(const AdapterBank* bank, std::span<const f32> standard, DType dtype)
      : bank_(bank), standard_(standard), dtype_(dtype) {}

  /// One weight for each adapter of the bank (LM_CHECK).
  void choose(i32 seq, std::span<const f32> weights);
  void release(i32 seq) { chosen_.erase(seq); }
  void fork(i32 seq, i32 child);

  /// Of a row's weights over the bank's columns; 0 without a bank.
  i64 row_bytes() const { return bank_ == nullptr ? 0 : bank_->columns() * item_bytes(dtype_); }
  /// The rows' weights one below the other, then zeros for the rows that pad a pass to `padded`.
  void fill(std::span<const EvalRow> rows, i64 padded, u8* to) const;

 private:
  std::span<const f32> weights(i32 seq) const;

  const AdapterBank* bank_;
  std::span<const f32> standard_;
  DType dtype_;
  std::map<i32, std::vector<f32>> chosen_;
};

}  // namespace lm::model
