#pragma once
// Row softmax, log-sum-exp and selection by index, of matrices of type T (f32, Bf16). One value per
// row has the type O: f32 or T.

#include "bf16.h"

namespace lm {
struct Stream;
}

namespace lm::cuda {

/// y = softmax(scale x) by rows; y may be x.
template <typename T>
void softmax(i64 rows, i64 cols, f32 scale, const T* x, i64 ldx, T* y, i64 ldy, Stream* stream);
/// dx = scale y (dy - sum(y dy)); dx may be dy.
template <typename T>
void softmax_grad(i64 rows, i64 cols, f32 scale, const T* y, i64 ldy, const T* dy, i64 lddy, T* dx,
                  i64 lddx, Stream* stream);
/// out[r] = log sum exp x[r, .].
template <typename T, typename O>
void logsumexp(i64 rows, i64 cols, const T* x, i64 ldx, O* out, Stream* stream);
/// out[r] = x[r, index[r]], 0 where the index is outside [0, cols).
template <typename T, typename O>
void pick(i64 rows, i64 cols, const T* x, i64 ldx, const i32* index, O* out, Stream* stream);
/// dx[r, c] = d[r] where c = index[r], else 0.
template <typename T, typename O>
void pick_grad(i64 rows, i64 cols, const O* d, const i32* index, T* dx, i64 lddx, Stream* stream);

}  // namespace lm::cuda
