#pragma once
// What one instruction-set level offers: serial kernels over a range of rows or elements. The
// drivers in lib/cpu/*.cc cut the work, run them in parallel and own the scratch memory. Everything
// here is plain data, so that the isa files stay free of inline library code.

#include "core/types.h"
#include "cpu/attention.h"
#include "cpu/draw.h"
#include "cpu/gemm.h"
#include "cpu/loss.h"
#include "cpu/norm.h"
#include "cpu/pointwise.h"
#include "cpu/recurrent.h"

namespace lm::isa {

/// One task of a product: m rows of A times consecutive packed panels.
/// A element (i, kk) is a[i*ars + kk*acs]. Panel p holds k rows of `nr` columns at
/// b + p*panel_stride elements (f32, or bf16 if b_bf16). c, bias, residual, aux point at this
/// block's first element. scratch: gemm_scratch(m, n, k) floats.
struct GemmBlock {
  i64 m = 0, n = 0, k = 0;
  const f32* a = nullptr;
  i64 ars = 0, acs = 0;
  const void* b = nullptr;
  bool b_bf16 = false;
  i64 panel_stride = 0;
  f32* c = nullptr;
  i64 ldc = 0;
  f32 alpha = 1.0f;
  const f32* bias = nullptr;
  cpu::Act act = cpu::Act::kNone;
  const f32* residual = nullptr;
  i64 ld_residual = 0;
  f32* aux = nullptr;
  i64 ld_aux = 0;
  f32* scratch = nullptr;
  bool resume = false;  // chains start from c; only without epilogue
};

/// A SparseMask as kernels read it: of earlier windows a head sees `size` logical indices from
/// `begin` on.
struct SparseRule {
  i64 window = 0;              // 0: no mask
  i64 size = 0;                // multiples of kSparseUnit, all three
  const i64* begin = nullptr;  // [Hq]
  const i64* own = nullptr;    // [rows] where the row's own window begins
};

/// A tile of query rows against one kv head; see isa/attention.cc.
struct AttentionTask {
  const cpu::AttentionShape* shape = nullptr;
  const f32* q = nullptr;
  i64 ldq = 0;
  const cpu::KeyValues* kv = nullptr;
  const RowSpan* spans = nullptr;
  const i32* key_list = nullptr;
  SparseRule sparse;
  u32* units = nullptr;  // [group] scratch of sparse tasks
  f32* o = nullptr;
  i64 ldo = 0;
  f32* lse = nullptr;
  i64 row0 = 0, row1 = 0, kv_head = 0;
  f32* scratch = nullptr;  // attention_scratch(row1 - row0, group, head_dim) floats
};

constexpr i64 kGradKeys = 64;  // key slots per block of the backward
constexpr i64 kGradRows = 32;  // query rows gathered at a time by a key block's owner
constexpr i64 kHullRows = 64;

struct AttentionGradTask {
  const cpu::AttentionShape* shape = nullptr;
  const cpu::AttentionBackward* args = nullptr;
  const f32* delta = nullptr;      // [rows, Hq] sum of dO * O
  const RowSpan* hulls = nullptr;  // per kHullRows rows: intervals that contain all of theirs
  SparseRule sparse;
  i64 begin = 0, end = 0;  // key slots or query rows owned
  i64 kv_head = 0;
  f32* scratch = nullptr;
};

/// Rows of a text for columns [c0, c1), or for a head.
struct ScanTask {
  const cpu::Scan* args = nullptr;
  cpu::TextRun text;
  i64 c0 = 0, c1 = 0;
};
struct LinearAttentionTask {
  const cpu::LinearAttention* args = nullptr;
  cpu::TextRun text;
  i64 prefix_end = 0;  // rows [text.begin, prefix_end) have further keys
  i64 head = 0;
  f32* scratch = nullptr;  // linear_attention_scratch(args) floats
};

struct Kernels {
  const char* name;
  i64 lanes;   // f32 per vector
  i64 mr, nr;  // rows and columns of the register tile

  // gemm.cc
  void (*gemm_block)(const GemmBlock&);
  /// The epilogue alone, on sums acc [m, n] (rows ldacc apart, readable to a multiple of nr).
  void (*gemm_finish)(const GemmBlock&, const f32* acc, i64 ldacc);
  i64 (*gemm_scratch)(i64 m, i64 n, i64 k);
  /// c[j] = sum over k of a[k] b[j*ldb + k] for j < n, the bits of gemm_block on packed b; c has
  /// room for a multiple of nr.
  void (*one_row_nt)(i64 n, i64 k, const f32* a, const f32* b, i64 ldb, f32* c);
  /// Panels [p0, p1) of B into dst (panel p at dst + (p-p0)*k*nr), columns past n zero.
  void (*pack_nt)(i64 n, i64 k, const f32* b, i64 ldb, i64 p0, i64 p1, f32* dst);
  void (*pack_nn)(i64 n, i64 k, const f32* b, i64 ldb, i64 p0, i64 p1, f32* dst);

  // attention.cc, attention_backward.cc
  i64 (*attention_scratch)(i64 rows, i64 group, i64 head_dim);
  void (*attention_forward)(const AttentionTask&);
  i64 (*attention_grad_scratch)(i64 row_heads, i64 head_dim);  // row_heads: of a grad_q task
  void (*attention_grad_kv)(const AttentionGradTask&);
  void (*attention_grad_q)(const AttentionGradTask&);

  // norm.cc: rows [r0, r1). dweight, dbias: this chunk's partial sums, [cols], overwritten.
  void (*layernorm_forward)(const cpu::NormForward&, i64 r0, i64 r1);
  void (*rmsnorm_forward)(const cpu::NormForward&, i64 r0, i64 r1);
  void (*layernorm_backward)(const cpu::NormBackward&, i64 r0, i64 r1, f32* dweight, f32* dbias);
  void (*rmsnorm_backward)(const cpu::NormBackward&, i64 r0, i64 r1, f32* dweight);
  void (*rope_forward)(const cpu::Rope&, const f32* x, i64 ldx, f32* y, i64 ldy, f32* rstd, i64 r0,
                       i64 r1);
  void (*rope_backward)(const cpu::Rope&, const f32* dy, i64 lddy, const f32* x, i64 ldx,
                        const f32* rstd, f32* dx, i64 lddx, i64 r0, i64 r1, f32* dweight);

  // pointwise.cc: n elements
  void (*unary)(Unary, i64 n, const f32* x, f32* y, f32 p);
  void (*unary_backward)(Unary, i64 n, const f32* x, const f32* dy, f32* dx, f32 p);
  void (*act_forward)(cpu::Act, i64 n, const f32* x, f32* y);
  void (*act_backward)(cpu::Act, i64 n, const f32* x, const f32* dy, f32* dx);
  void (*glu_forward)(cpu::Act, i64 f, const f32* x, f32* y);
  void (*glu_backward)(cpu::Act, i64 f, const f32* x, const f32* dy, f32* dx);
  void (*add)(i64 n, const f32* x, const f32* y, f32* out);
  void (*subtract)(i64 n, const f32* x, const f32* y, f32* out);
  void (*multiply)(i64 n, const f32* x, const f32* y, f32* out);
  void (*divide)(i64 n, const f32* x, const f32* y, f32* out);
  void (*scale)(i64 n, f32 s, const f32* x, f32* out);
  void (*axpy)(i64 n, f32 s, const f32* x, f32* out);
  void (*scale_copy)(i64 n, f32 s, const f32* x, f32* out, bool accumulate);
  f64 (*sum)(i64 n, const f32* x);
  f64 (*sum_squares)(i64 n, const f32* x);
  f32 (*row_sum)(i64 n, const f32* x);
  f32 (*row_dot)(i64 n, const f32* x, const f32* y);
  void (*column_sums)(i64 rows, i64 cols, const f32* x, i64 ldx, f32* out);
  void (*softmax_row)(i64 n, const f32* x, f32* y);
  void (*softmax_row_backward)(i64 n, const f32* y, const f32* dy, f32* dx);
  f32 (*logsumexp_row)(i64 n, const f32* x);
  void (*adamw)(i64 n, const cpu::AdamW& cfg, const f32* grad, f32* w, f32* m, f32* v);
  void (*f32_to_bf16)(i64 n, const f32* x, u16* y);
  void (*bf16_to_f32)(i64 n, const u16* x, f32* y);
  void (*f32_to_f16)(i64 n, const f32* x, u16* y);
  void (*f16_to_f32)(i64 n, const u16* x, f32* y);

  // loss.cc: one row
  void (*cross_entropy_row)(const cpu::CrossEntropy&, i64 row, f32* loss, f32* lse);
  void (*stats_row)(const cpu::RowStats&, i64 row);
  f64 (*exp_sum)(i64 n, const f32* x, i64* argmax);  // of exp(x - x[argmax])
  void (*logprob_row_backward)(i64 vocab, f32* logits, i32 target, f32 lse, f32 coef, f32 softcap);
  f32 (*kl_row)(i64 vocab, f32* student, const f32* teacher, f32 temperature, bool want_grad,
                f32 coef);

  // recurrent.cc
  void (*scan_forward)(const ScanTask&);
  void (*scan_backward)(const ScanTask&);
  /// p: what x and the row before give, 4 n; c: of the row before, then of this. gates may be null.
  void (*lstm_row)(i64 n, const f32* p, f32* c, f32* h, f32* gates);
  /// dc: of this row from those behind, then of the row before. before: its c, null: zeros.
  void (*lstm_row_backward)(i64 n, const f32* gates, const f32* c, const f32* before, const f32* dh,
                            f32* dc, f32* dp);
  void (*conv_row)(const cpu::Conv&, const cpu::TextRun&, i64 row);
  void (*conv_row_backward)(const cpu::Conv&, const cpu::TextRun&, i64 row);
  /// dw [taps, cols] += what rows [r0, r1) of the text give.
  void (*conv_weight_backward)(const cpu::Conv&, const cpu::TextRun&, i64 r0, i64 r1, f32* dw);
  i64 (*linear_attention_scratch)(const cpu::LinearAttention&);
  void (*linear_attention_forward)(const LinearAttentionTask&);
  void (*linear_attention_backward)(const LinearAttentionTask&);

  // draw.cc
  cpu::RowKind (*scan_row)(i64 n, const f32* x, f32* tops);
  f64 (*max_of)(i64 n, const f64* x);
  f64 (*exp_shifted)(i64 n, const f64* x, f64 shift, f64* out);
  i64 (*near_one)(const cpu::DrawBlock&, u32 first, i64 counters, u32 limit, u32* out);
};

namespace v2 {
const Kernels& kernels();
}
namespace v3 {
const Kernels& kernels();
}
namespace v4 {
const Kernels& kernels();
}

}  // namespace lm::isa
