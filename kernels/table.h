#pragma once
// Private to this room: functions that fit operator nodes to the kernels, by family (inputs and
// outputs by position: ops/attr.h), and what they share.

#include "bf16.h"
#include "core/str.h"
#include "cublaslt_shim.h"
#include "fault.h"
#include "fn.h"
#include "graph/exec.h"
#include "ops/op.h"

namespace lm::cuda {

/// The device in use: made by cuda_backend().
struct Engine {
  GemmCache* gemm = nullptr;
  Fault* fault = nullptr;  // device memory
  int capability = 0;
};
const Engine& engine();

inline bool adds_to(const Node& n, int j) {
  return (n.accumulate >> j & 1U) != 0;
}
inline bool given(const Node& n, i64 i) {
  return i < n.in.size() && n.in[i];
}
inline f32* floats(const Tensor& t) {
  return t.data == nullptr ? nullptr : t.f32_data();
}
/// t's elements as T: f32, or Bf16 where the tensor holds bf16. LM_CHECKs the element type.
template <typename T>
T* items(const Tensor& t) {
  constexpr DType kType = std::is_same_v<T, Bf16> ? DType::kBf16 : DType::kF32;
  LM_CHECK(t.data == nullptr || t.dtype == kType, "an operator's tensors have fitting types");
  return static_cast<T*>(t.data);
}
/// run(TypeTag<T>{}) with the element type of a node's activations. Throws Error{kUnavailable}
/// naming node and type where there are no kernels for it.
template <typename T>
struct TypeTag {
  using type = T;
};
template <typename Run>
void by_type(const Node& n, DType dtype, Run run) {
  if (dtype == DType::kF32) {
    run(TypeTag<f32>{});
  } else if (dtype == DType::kBf16) {
    run(TypeTag<Bf16>{});
  } else {
    throw Error(ErrorKind::kUnavailable, cat(n.name, ": no kernel for ", dtype_name(dtype)));
  }
}
/// run(TypeTag<T>{}, TypeTag<O>{}): one value may be f32 beside bf16 activations (a loss, a
/// parameter's gradient).
template <typename Run>
void by_types(const Node& n, DType dtype, DType other, Run run) {
  by_type(n, dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    if (other == DType::kF32) {
      run(t, TypeTag<f32>{});
    } else if (other == dtype) {
      run(t, TypeTag<T>{});
    } else {
      throw Error(ErrorKind::kUnavailable,
                  cat(n.name, ": no kernel for ", dtype_name(dtype), " with ", dtype_name(other)));
    }
  });
}
inline i64 padded(i64 bytes) {
  return (bytes + 255) / 256 * 256;
}
/// Sets every row of t to zero.
void zero_rows(const Tensor& t, Stream* stream);
/// The kernels' function for an operator's.
Fn fn_of(Unary kind);

using TableFn = void(const RunCtx&, const Node&, const Tensor*, Tensor*, void*);
TableFn run_copy, run_fill, run_pad, run_concat, run_gather, run_scatter, run_broadcast;
TableFn run_embedding, run_embedding_grad;
TableFn run_add, run_mul, run_unary, run_unary_grad, run_dropout, run_reduce;
TableFn run_softmax, run_softmax_grad, run_logsumexp, run_pick, run_pick_grad;
TableFn run_glu, run_glu_grad;
TableFn run_linear, run_linear_grad_x, run_linear_grad_w, run_matmul;
TableFn run_norm, run_norm_grad, run_qk_norm, run_qk_norm_grad, run_rope;
TableFn run_attention, run_attention_grad, run_paged;
TableFn run_linear_ce, run_linear_ce_grad, run_linear_logprob;

using WorkspaceRule = i64(const Node&, const Graph&);
WorkspaceRule space_scatter, space_reduce, space_norm_grad, space_qk_norm_grad, space_attention,
    space_attention_grad, space_paged, space_linear;
WorkspaceRule space_linear_ce, space_linear_ce_grad, space_linear_logprob;

/// Bytes for the f32 copy of a weight that is stored in 16 bits where activations are f32, else 0.
i64 weight_bytes(DType x, const Shape& w, DType dtype);
/// w in x's type: itself, or its f32 copy made in space.
const void* weight_of(const Tensor& x, const Tensor& w, void* space, Stream* stream);

/// Queues the product; what k = 0 leaves of it otherwise.
void product(const Gemm& g, Stream* stream);

}  // namespace lm::cuda
