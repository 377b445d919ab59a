#pragma once
// Sums with an order fixed by shape: of everything, per row, per column, of matrices of type T
// (f32, Bf16) into O (f32, or T). f64 between blocks.

#include "bf16.h"

namespace lm {
struct Stream;
}

namespace lm::cuda {

/// x (times y when not null) over [rows, cols].
template <typename T>
struct Summed {
  i64 rows = 0, cols = 0;
  const T* x = nullptr;
  i64 ldx = 0;
  const T* y = nullptr;
  i64 ldy = 0;
};

/// Bytes of workspace of sum_all and sum_columns.
i64 sum_all_space(i64 rows, i64 cols);
i64 sum_columns_space(i64 rows, i64 cols);

/// out[0] = scale * sum, or += with add. Squared norm: y = x.
template <typename T, typename O>
void sum_all(const Summed<T>& s, f32 scale, bool add, O* out, void* space, Stream* stream);
/// out[r]; out[c]. Columns are summed over chunks of 256 rows, chunks in a fixed order.
template <typename T, typename O>
void sum_rows(const Summed<T>& s, f32 scale, bool add, O* out, Stream* stream);
template <typename T, typename O>
void sum_columns(const Summed<T>& s, f32 scale, bool add, O* out, void* space, Stream* stream);

/// Where column sums go: stored, or added. Null: nowhere.
struct PartialSum {
  f32* out = nullptr;
  bool add = false;
};
/// The last step of parameter gradients: of partial [chunks, 2, cols], scale times the sum over
/// chunks of the first cols columns goes to `first`, of the others to `second`. The order is fixed
/// by the count of chunks.
void sum_partials(i64 chunks, i64 cols, const f32* partial, f32 scale, PartialSum first,
                  PartialSum second, Stream* stream);

inline constexpr i64 kSumChunkRows = 256;

}  // namespace lm::cuda
