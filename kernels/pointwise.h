#pragma once
// Elementwise kernels over rows of matrices of type T (f32, Bf16; arithmetic is f32), gated units,
// dropout, casts. What holds for every launcher in this folder: device pointers; ld* is
// the distance between rows in elements; zero rows are legal; work is queued on `stream` and not
// waited for; an output may be an input of the same shape and position; same bits at every run.

#include "bf16.h"
#include "ops/unary.h"

namespace lm {
struct Stream;
}

namespace lm::cuda {

/// y[r, c] = f(a[r, c], b[r * b_row + c * b_col]). b null: one operand. Strides of b: (ld, 1) same
/// shape, (0, 1) one row, (1, 0) one value per row, (0, 0) a scalar.
template <typename T>
struct Pair {
  i64 rows = 0, cols = 0;
  const T* a = nullptr;
  i64 lda = 0;
  const T* b = nullptr;
  i64 b_row = 0, b_col = 0;
  T* y = nullptr;
  i64 ldy = 0;
};
/// alpha a + beta b; without b: alpha a.
template <typename T>
void add_scaled(const Pair<T>& p, f32 alpha, f32 beta, Stream* stream);
/// alpha a b.
template <typename T>
void multiply(const Pair<T>& p, f32 alpha, Stream* stream);
/// f(a), b unused.
template <typename T>
void unary(const Pair<T>& p, Unary f, f32 param, Stream* stream);
/// b f'(a): a is x, b is dy.
template <typename T>
void unary_grad(const Pair<T>& p, Unary f, f32 param, Stream* stream);
/// y = value.
template <typename T>
void fill(i64 rows, i64 cols, f32 value, T* y, i64 ldy, Stream* stream);
/// y = scale v[r * v_row + c * v_col]; v is f32 or has y's type.
template <typename V, typename T>
void broadcast(i64 rows, i64 cols, const V* v, i64 v_row, i64 v_col, f32 scale, T* y, i64 ldy,
               Stream* stream);
/// Copies rows of items of 1, 2, 4, 8 or 16 bytes, bits untouched.
void copy_rows(i64 rows, i64 cols, i64 item_bytes, const void* x, i64 ldx, void* y, i64 ldy,
               Stream* stream);
/// y = x, or y += x with add, between f32 and bf16 (sums in f32).
template <typename From, typename To>
void convert_rows(i64 rows, i64 cols, const From* x, i64 ldx, bool add, To* y, i64 ldy,
                  Stream* stream);

/// x [rows, 2 half] = [a | u]: y [rows, half] = f(a) u; dx [rows, 2 half] may be x.
template <typename T>
void glu(i64 rows, i64 half, Unary f, const T* x, i64 ldx, T* y, i64 ldy, Stream* stream);
template <typename T>
void glu_grad(i64 rows, i64 half, Unary f, const T* x, i64 ldx, const T* dy, i64 lddy, T* dx,
              i64 lddx, Stream* stream);

/// y = x factor where the element's Philox word (counter {step, micro_step, node, element / 4},
/// word element % 4, core/random.h) is at least threshold, else 0.
struct Dropout {
  u32 key0 = 0, key1 = 0;
  u32 step = 0, micro_step = 0, node = 0;
  u32 threshold = 0;
  f32 factor = 1;
};
template <typename T>
void dropout(i64 rows, i64 cols, const Dropout& d, const T* x, i64 ldx, T* y, i64 ldy,
             Stream* stream);

/// Contiguous casts; rounding to nearest even.
void bf16_to_f32(i64 n, const u16* x, f32* y, Stream* stream);
void f16_to_f32(i64 n, const u16* x, f32* y, Stream* stream);
void f32_to_bf16(i64 n, const f32* x, u16* y, Stream* stream);

}  // namespace lm::cuda
