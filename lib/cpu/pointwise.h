#pragma once
// Elementwise functions, movement, sums, embedding rows, softmax rows, AdamW and casts.

#include "core/types.h"
#include "cpu/gemm.h"
#include "graph/adamw.h"
#include "ops/unary.h"

namespace lm::cpu {

/// Whether unary() has it: exp, log, tanh, sigmoid, softcap, square, sqrt.
bool has_unary(Unary f);
/// y[i] = f(x[i]); y may be x. exp and log within 2 ulp, tanh and sigmoid derived from exp;
/// softcap: p * tanh(x / p).
void unary(Unary f, i64 n, const f32* x, f32* y, f32 p = 0.0f);
/// dx[i] = dy[i] * f'(x[i]); dx may be dy or x.
void unary_backward(Unary f, i64 n, const f32* x, const f32* dy, f32* dx, f32 p = 0.0f);

/// y = act(x), y may be x.  dx = dy * act'(x), dx may be dy or x.
void act_forward(Act act, i64 n, const f32* x, f32* y);
void act_backward(Act act, i64 n, const f32* x, const f32* dy, f32* dx);

/// Gated units over x [rows, 2f] = [a | u]: y [rows, f] = act(a) * u. dx [rows, 2f] may be x.
void glu_forward(Act act, i64 rows, i64 f, const f32* x, i64 ldx, f32* y, i64 ldy);
void glu_backward(Act act, i64 rows, i64 f, const f32* x, i64 ldx, const f32* dy, i64 lddy, f32* dx,
                  i64 lddx);

/// Outputs may alias inputs in the next group.
void add(i64 n, const f32* x, const f32* y, f32* out);
void subtract(i64 n, const f32* x, const f32* y, f32* out);
void multiply(i64 n, const f32* x, const f32* y, f32* out);
void divide(i64 n, const f32* x, const f32* y, f32* out);
void scale(i64 n, f32 s, const f32* x, f32* out);
/// out = s * x + out, one fma per element.
void axpy(i64 n, f32 s, const f32* x, f32* out);
void fill(i64 n, f32 value, f32* out);
/// out[i] = mask[i] ? x[i] : y[i].
void where(i64 n, const u8* mask, const f32* x, const f32* y, f32* out);
/// out [rows, cols] = x + v over rows (v [cols]); or x * v.
void add_row_vector(i64 rows, i64 cols, const f32* x, i64 ldx, const f32* v, f32* out, i64 ldo);
void multiply_row_vector(i64 rows, i64 cols, const f32* x, i64 ldx, const f32* v, f32* out,
                         i64 ldo);
/// out [rows, cols] = x * s[row].
void scale_rows(i64 rows, i64 cols, const f32* x, i64 ldx, const f32* s, f32* out, i64 ldo);

/// Copies [rows, cols]; the regions must not overlap.
void copy_rows(i64 rows, i64 cols, const f32* x, i64 ldx, f32* out, i64 ldo);
/// out, contiguous with the given shape (rank <= 5), from x read with the given strides (elements).
/// A permutation of axes is the input's strides in the output's order; stride 0 broadcasts.
void copy_strided(i64 rank, const i64* shape, const i64* strides, const f32* x, f32* out);

/// Sum in f64 over fixed blocks of 4096 elements, blocks in order.
f64 sum(i64 n, const f32* x);
f64 sum_squares(i64 n, const f32* x);
/// out[c] += sum over rows of x[., c], chunks of 256 rows in order (bias gradients).
void add_column_sums(i64 rows, i64 cols, const f32* x, i64 ldx, f32* out);
/// out[r] = sum of row r; dot of rows x and y.
void row_sums(i64 rows, i64 cols, const f32* x, i64 ldx, f32* out);
void row_dots(i64 rows, i64 cols, const f32* x, i64 ldx, const f32* y, i64 ldy, f32* out);

/// y[i] = scale * table[ids[i]]; with accumulate y[i] += it. Ids must lie in [0, table rows).
void embedding_forward(i64 rows, i64 cols, const f32* table, i64 ldt, const i32* ids, f32 scale,
                       bool accumulate, f32* y, i64 ldy);
/// The same from a table of bf16, or of f16: the bits that its widened form would give.
void embedding_forward16(i64 rows, i64 cols, WeightType type, const u16* table, i64 ldt,
                         const i32* ids, f32 scale, bool accumulate, f32* y, i64 ldy);
/// dtable[ids[i]] += scale * dy[i] in row order for each id (counting sort; no atomics). Negative
/// ids are skipped. `vocab` rows in dtable.
void embedding_backward(i64 rows, i64 cols, i64 vocab, const i32* ids, f32 scale, const f32* dy,
                        i64 lddy, f32* dtable, i64 ldt);

/// Row softmax; y may be x. Backward: dx = y * (dy - sum(y * dy)); dx may be dy.
void softmax_rows(i64 rows, i64 cols, const f32* x, i64 ldx, f32* y, i64 ldy);
void softmax_backward(i64 rows, i64 cols, const f32* y, i64 ldy, const f32* dy, i64 lddy, f32* dx,
                      i64 lddx);
/// out[r] = log(sum(exp(row r))).
void logsumexp_rows(i64 rows, i64 cols, const f32* x, i64 ldx, f32* out);

/// Formulas: graph/adamw.h.
using AdamW = AdamWStep;
void adamw(i64 n, const AdamW& cfg, const f32* grad, f32* w, f32* m, f32* v);

/// Round to nearest even; NaN stays NaN; f16 overflow gives infinity, f16 denormals are exact.
void f32_to_bf16(i64 n, const f32* x, u16* y);
void bf16_to_f32(i64 n, const u16* x, f32* y);
void f32_to_f16(i64 n, const f32* x, u16* y);
void f16_to_f32(i64 n, const u16* x, f32* y);

}  // namespace lm::cpu
