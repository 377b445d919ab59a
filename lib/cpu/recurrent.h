#pragma once
// Recurrences over the rows of texts (ops/ops.h has the formulas). What holds for kernels.h holds
// here: the bits of a row depend on its text alone, and not on where a text was cut, when the state
// behind one part is what the next begins with.

#include "core/types.h"
#include "ops/rows.h"

namespace lm::cpu {

/// Rows [begin, end) of a text. from: the state before the first, null: zeros; to: takes the state
/// behind the last, null: nobody wants it. The two may be one.
struct TextRun {
  i64 begin = 0, end = 0;
  const f32* from = nullptr;
  f32* to = nullptr;
};

/// c_i = gate_i c_{i-1} + x_i. State: c [cols].
struct Scan {
  i64 cols = 0;
  const f32* gate = nullptr;
  i64 ld_gate = 0;
  const f32* x = nullptr;
  i64 ldx = 0;
  f32* c = nullptr;  // of the backward: an input
  i64 ldc = 0;
  // Backward
  const f32* dc = nullptr;
  i64 ld_dc = 0;
  f32* dgate = nullptr;
  i64 ld_dgate = 0;
  f32* dx = nullptr;
  i64 ld_dx = 0;
};
void scan_forward(const Scan& args, const TextRun* texts, i64 count);
/// dgate and dx of the texts' rows; for texts that begin with zeros.
void scan_backward(const Scan& args, const TextRun* texts, i64 count);

/// Long short-term memory; the gates of a row are f, i, z, o. State: c, then h [2 width].
struct Lstm {
  i64 width = 0;
  const f32* x = nullptr;  // [rows, 4 width]
  i64 ldx = 0;
  const f32* w = nullptr;  // [4 width, width]
  i64 ldw = 0;
  f32* h = nullptr;
  i64 ldh = 0;
  f32* gates = nullptr;  // [rows, 4 width], and c; null: nobody wants them. Of the backward: inputs
  i64 ld_gates = 0;
  f32* c = nullptr;
  i64 ldc = 0;
  // Backward
  const f32* dh = nullptr;
  i64 ld_dh = 0;
  f32* dx = nullptr;
  i64 ld_dx = 0;
};
void lstm_forward(const Lstm& args, const TextRun* texts, i64 count);
/// dx of the texts' rows; for texts that begin with zeros. The gradient of w is dx^T times the h of
/// the rows before.
void lstm_backward(const Lstm& args, const TextRun* texts, i64 count);

/// y_i = sum over k of w_k x_{i-k}. State: the last taps - 1 rows of x [taps - 1, cols], oldest
/// first.
struct Conv {
  i64 taps = 0, cols = 0;
  const f32* x = nullptr;
  i64 ldx = 0;
  const f32* w = nullptr;  // [taps, cols], contiguous
  f32* y = nullptr;
  i64 ldy = 0;
  // Backward
  const f32* dy = nullptr;
  i64 ld_dy = 0;
  f32* dx = nullptr;
  i64 ld_dx = 0;
};
void conv_forward(const Conv& args, const TextRun* texts, i64 count);
/// dx of the texts' rows, and all of dw [taps, cols], contiguous; for texts that begin with zeros.
/// rows: of the batch; texts ascend.
void conv_backward(const Conv& args, const TextRun* texts, i64 count, i64 rows, f32* dw);

/// Linear attention with the second-order Taylor map. State, for each head: sums of features times
/// values [features, head_dim], then sums of features [features].
struct LinearAttention {
  i64 heads = 0, dim = 0, head_dim = 0;
  const f32* q = nullptr;
  i64 ldq = 0;
  const f32* k = nullptr;
  i64 ldk = 0;
  const f32* v = nullptr;
  i64 ldv = 0;
  const f32* prefix_k = nullptr;  // null: none
  i64 ld_prefix_k = 0;
  const f32* prefix_v = nullptr;
  i64 ld_prefix_v = 0;
  f32* y = nullptr;  // of the backward: an input, as norm
  i64 ldy = 0;
  f32* norm = nullptr;  // [rows, heads]; null: nobody wants it
  i64 ld_norm = 0;
  // Backward
  const f32* dy = nullptr;
  i64 ld_dy = 0;
  f32 *dq = nullptr, *dk = nullptr, *dv = nullptr, *d_prefix_k = nullptr, *d_prefix_v = nullptr;
  i64 ld_dq = 0, ld_dk = 0, ld_dv = 0, ld_d_prefix_k = 0, ld_d_prefix_v = 0;
};
/// Numbers of a state.
i64 linear_attention_state(const LinearAttention& args);
/// prefix_ends: of each text, the row behind its last further key; null: there are none.
void linear_attention_forward(const LinearAttention& args, const TextRun* texts, i64 count,
                              const i32* prefix_ends);
/// All gradients of the texts' rows; for texts that begin with zeros.
void linear_attention_backward(const LinearAttention& args, const TextRun* texts, i64 count,
                               const i32* prefix_ends);

}  // namespace lm::cpu
