#pragma once
// Rows of a table by index, and their gradient without atomics: rows are sorted by index (stable),
// and the rows of one index are summed in order.

#include "bf16.h"
#include "fault.h"

namespace lm::cuda {

enum class TableType : u8 { kF32, kBf16, kF16 };

/// y[i] = scale * table[ids[i]] (+ plus[plus_ids[i]] where plus is not null), summed in f32. Ids
/// outside their table give zeros; with fault they are reported as `kind`, `plus_kind`.
template <typename T>
struct Gather {
  i64 rows = 0, cols = 0, table_rows = 0;
  const void* table = nullptr;
  TableType type = TableType::kF32;
  i64 ldt = 0;
  const i32* ids = nullptr;
  f32 scale = 1;
  i64 plus_rows = 0;
  const void* plus = nullptr;
  TableType plus_type = TableType::kF32;
  i64 ld_plus = 0;
  const i32* plus_ids = nullptr;
  FaultKind plus_kind = FaultKind::kNone;
  T* y = nullptr;
  i64 ldy = 0;
};
template <typename T>
void gather_rows(const Gather<T>& g, Fault* fault, FaultKind kind, Stream* stream);

/// Bytes of workspace of scatter_add_rows.
i64 scatter_space(i64 rows, i64 cols);
/// table[ids[i]] += scale * x[i], x of T, table f32 or of T; ids outside [0, table_rows) are
/// dropped. Up to 256 rows of an index are added in order of i, in f32; of more, the sums of every
/// 256.
template <typename T, typename O>
void scatter_add_rows(i64 rows, i64 cols, i64 table_rows, const i32* ids, f32 scale, const T* x,
                      i64 ldx, O* table, i64 ldt, void* space, Stream* stream);

}  // namespace lm::cuda
