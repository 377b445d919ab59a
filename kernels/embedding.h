#pragma once
// Rows of a table by index, and their gradient without atomics: the (index, row) pairs are sorted,
// each run of one index is summed by one block in row order.

#include "fault.h"

namespace lm::cuda {

enum class TableType : u8 { kF32, kBf16, kF16 };

/// y[i] = scale * table[ids[i]], or += with add. Ids outside [0, table_rows) give zeros; with fault
/// they are reported as `kind`.
struct Gather {
  i64 rows = 0, cols = 0, table_rows = 0;
  const void* table = nullptr;
  TableType type = TableType::kF32;
  i64 ldt = 0;
  const i32* ids = nullptr;
  f32 scale = 1;
  bool add = false;
  f32* y = nullptr;
  i64 ldy = 0;
};
void gather_rows(const Gather& g, Fault* fault, FaultKind kind, Stream* stream);

/// Bytes of workspace of scatter_add_rows.
i64 scatter_space(i64 rows);
/// table[ids[i]] += scale * x[i]; ids outside [0, table_rows) are dropped.
void scatter_add_rows(i64 rows, i64 cols, i64 table_rows, const i32* ids, f32 scale, const f32* x,
                      i64 ldx, f32* table, i64 ldt, void* space, Stream* stream);

}  // namespace lm::cuda
