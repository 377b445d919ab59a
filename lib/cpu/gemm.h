#pragma once
// Matrix products. Contract N1: every element of op(A)op(B) is acc = fma(a_k, b_k, acc) with k
// ascending from acc = 0 (multiply and add rounded separately on level v2, which has no FMA),
// whatever m, the tiling and the threads; the one-row kernel gives the bits of the many-row kernel.
// Exception, fixed by shape: kTN cuts k into chunks of 4096 that are summed in order.

#include <memory>
#include <span>

#include "core/types.h"
#include "tensor/tensor.h"

namespace lm::cpu {

/// kNT: A [m,k], B [n,k] (a linear layer's weight).  kNN: A [m,k], B [k,n].  kTN: A [k,m], B [k,n].
enum class Layout : u8 { kNT, kNN, kTN };

/// gelu_tanh, gelu_erf, max(a,0), max(a,0)^2, a*sigmoid(a).
enum class Act : u8 { kNone, kGeluTanh, kGeluErf, kRelu, kRelu2, kSilu };

/// v = alpha * op(A)op(B) + bias;  aux = v;  C = act(v) + residual, or C += act(v) if accumulate.
struct Epilogue {
  f32 alpha = 1.0f;
  const f32* bias = nullptr;  // [n]
  Act act = Act::kNone;
  const f32* residual = nullptr;  // [m,n], may be C itself
  i64 ld_residual = 0;
  f32* aux = nullptr;  // [m,n] pre-activation, for the backward pass
  i64 ld_aux = 0;
  bool accumulate = false;  // not together with residual
};

constexpr i64 kTransposedChunk = 4096;  // rows of k per partial sum in kTN

/// C [m,n] = epilogue(op(A)op(B)). k = 0 gives a product of zeros. kTN takes alpha and accumulate
/// only (it exists for weight gradients). 2*m*n*k FLOP; packs B once per call.
void gemm(Layout layout, i64 m, i64 n, i64 k, const f32* a, i64 lda, const f32* b, i64 ldb, f32* c,
          i64 ldc, const Epilogue& epilogue = {});

/// `batch` products of one shape; operand i starts at base + i * stride. As `gemm` for each.
void gemm_batched(Layout layout, i64 batch, i64 m, i64 n, i64 k, const f32* a, i64 lda,
                  i64 stride_a, const f32* b, i64 ldb, i64 stride_b, f32* c, i64 ldc, i64 stride_c,
                  f32 alpha = 1.0f, bool accumulate = false);

/// Rows sorted by group: rows [offsets[g], offsets[g+1]) of A are multiplied with weight g,
/// B + g * stride_b (kNT or kNN). Groups may be empty. bias: [groups,n] or null.
void gemm_grouped(Layout layout, i64 groups, const i64* offsets, i64 n, i64 k, const f32* a,
                  i64 lda, const f32* b, i64 ldb, i64 stride_b, f32* c, i64 ldc,
                  const f32* bias = nullptr, Act act = Act::kNone);

/// How stored weights are encoded; the kernels compute in f32.
enum class WeightType : u8 { kF32, kBf16, kF16 };

/// A right-hand operand laid out in column panels, packed once and used many times. A kBf16 pack
/// halves the bytes read per product; its values are those of the bf16 numbers, exactly.
class PackedWeights {
 public:
  PackedWeights();
  ~PackedWeights();
  PackedWeights(PackedWeights&&) noexcept;
  PackedWeights& operator=(PackedWeights&&) noexcept;

  /// From f32 weights; kNT: w [n,k], kNN: w [k,n]. Reuses the memory of an earlier pack of the same
  /// size. n*k reads and writes.
  void pack(Layout layout, i64 n, i64 k, const f32* w, i64 ldw);
  /// From 16-bit weights of type `from` (kBf16 or kF16). keep_bf16 stores panels as bf16 (only from
  /// kBf16: nothing may be rounded silently), else f32.
  void pack16(Layout layout, i64 n, i64 k, WeightType from, const u16* w, i64 ldw, bool keep_bf16);

  /// As pack or pack16 of the rows of several tensors [rows, k] one below the other (kNT): f32, or
  /// bf16, whose panels stay bf16, or f16. False, with nothing done, unless all have the same type
  /// and whole panels of rows, but the last.
  bool pack_rows(std::span<const Tensor> parts);

  i64 n() const;
  i64 k() const;
  bool empty() const;
  /// Bytes held (panels are padded to the level's panel width).
  i64 bytes() const;

 private:
  friend void gemm(i64 m, const f32* a, i64 lda, const PackedWeights& w, f32* c, i64 ldc,
                   const Epilogue& epilogue);
  struct Panels;
  Panels& panels();
  std::unique_ptr<Panels> panels_;
};

/// C [m, w.n()] = epilogue(A [m, w.k()] times the packed operand): the bits of the unpacked call.
/// Throws Error{kInternal} if the level changed since packing.
void gemm(i64 m, const f32* a, i64 lda, const PackedWeights& w, f32* c, i64 ldc,
          const Epilogue& epilogue = {});

}  // namespace lm::cpu
