#pragma once
// Private to this room: functions that fit operator nodes to the kernels, by family (inputs and
// outputs by position: ops/attr.h), and what they share.

#include "bf16.h"
#include "core/str.h"
#include "cublaslt_shim.h"
#include "fault.h"
#include "graph/exec.h"
#include "ops/kernel_list.h"
#include "ops/unary.h"

namespace lm::cuda {

/// What kernels need of the device in use: made by cuda_backend().
struct Context {
  GemmCache* gemm = nullptr;
  Fault* fault = nullptr;  // device memory
  int capability = 0;
};
const Context& context();

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
using TableFn = void(const RunCtx&, const Node&, const Tensor*, Tensor*, void*);
#define LM_DECLARE_KERNEL(op, function) TableFn function;
LM_KERNELS(LM_DECLARE_KERNEL)
#undef LM_DECLARE_KERNEL

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
