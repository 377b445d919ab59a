#pragma once
// Row softmax, log-sum-exp and selection by index.

#include "core/types.h"

namespace lm {
struct Stream;
}

namespace lm::cuda {

/// y = softmax(scale x) by rows; y may be x.
void softmax(i64 rows, i64 cols, f32 scale, const f32* x, i64 ldx, f32* y, i64 ldy, Stream* stream);
/// dx = scale y (dy - sum(y dy)); dx may be dy.
void softmax_grad(i64 rows, i64 cols, f32 scale, const f32* y, i64 ldy, const f32* dy, i64 lddy,
                  f32* dx, i64 lddx, Stream* stream);
/// out[r] = log sum exp x[r, .].
void logsumexp(i64 rows, i64 cols, const f32* x, i64 ldx, f32* out, Stream* stream);
/// out[r] = x[r, index[r]], 0 where the index is outside [0, cols).
void pick(i64 rows, i64 cols, const f32* x, i64 ldx, const i32* index, f32* out, Stream* stream);
/// dx[r, c] = d[r] where c = index[r], else 0.
void pick_grad(i64 rows, i64 cols, const f32* d, const i32* index, f32* dx, i64 lddx,
               Stream* stream);

}  // namespace lm::cuda
