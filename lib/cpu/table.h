#pragma once
// Private to this room: the functions that fit operator nodes to the kernels, by family, and the
// helpers they share. All run on f32 tensors; see ops/op.h for inputs and outputs by position.

#include "core/error.h"
#include "core/str.h"
#include "cpu/kernels.h"
#include "graph/exec.h"
#include "ops/kernel_list.h"

namespace lm::cpu {

/// The node adds to output j instead of storing.
inline bool adds_to(const Node& n, int j) {
  return (n.accumulate >> j & 1U) != 0;
}
/// t's elements. Throws Error{kUnavailable} for other types than f32.
inline f32* floats(const Tensor& t) {
  if (t.data == nullptr) return nullptr;
  if (t.dtype == DType::kF32) return t.f32_data();
  throw Error(ErrorKind::kUnavailable,
              cat("the CPU has no kernel for ", dtype_name(t.dtype), " here"));
}
inline bool flat(const Tensor& t) {
  return t.contiguous();
}
/// The rows' spans. Throws Error{kData} naming the first that is not within `keys`.
const RowSpan* checked_spans(const Node& n, const Tensor& t, i64 keys);
/// Sets every row of t to zero.
void zero_rows(const Tensor& t);
/// The kernels' activation for an operator's.
Act act_of(Unary kind);

using TableFn = void(const RunCtx&, const Node&, const Tensor*, Tensor*, void*);
#define LM_DECLARE_KERNEL(op, function) TableFn function;
LM_KERNELS(LM_DECLARE_KERNEL)
LM_HOST_KERNELS(LM_DECLARE_KERNEL)
#undef LM_DECLARE_KERNEL

using WorkspaceRule = i64(const Node&, const Graph&);
WorkspaceRule space_scatter, space_reduce, space_norm_grad, space_qk_norm_grad,
    space_attention_grad, space_recurrent_grad;
WorkspaceRule space_linear_ce, space_linear_ce_grad, space_linear_logprob;

/// y [m, n] = epilogue(x times the first n rows of w transposed); w f32, bf16 or f16. Uses and
/// fills the run's weight cache when it has one.
void times_weight(const RunCtx& ctx, i64 m, const f32* x, i64 ldx, const Tensor& w, i64 n, f32* y,
                  i64 ldy, const Epilogue& epilogue);
/// Rows [offsets[e], offsets[e + 1]) of y: those of x times rows [e out, (e + 1) out) of w
/// transposed, for each of the groups; with the cache as times_weight.
void times_grouped(const RunCtx& ctx, const i32* offsets, i64 groups, const Tensor& x,
                   const Tensor& w, const Tensor& y);
/// The cache behind RunCtx::state.
std::unique_ptr<BackendState> make_weight_cache();

}  // namespace lm::cpu
