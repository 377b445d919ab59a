#pragma once
// Stored elements to the type of the arithmetic and back, in bulk. Widening is exact. Narrowing
// rounds once, to nearest even, also from f64 to 16 bits. Subnormals survive both ways. Types that
// are not is_floating can only be compared and copied.

#include "tensor/tensor.h"

namespace lm::merge {

/// True if sums of such elements need fp64; 16-bit and 8-bit types take fp32.
bool wants_f64(DType dtype);

/// count elements at `from` (any alignment) to A, which is f32 or f64. LM_CHECKs is_floating and,
/// for f32, that the type is not f64.
template <class A>
void widen(DType dtype, const u8* from, i64 count, A* to);

/// count elements to the stored type, of which `to` holds as many (any alignment). Returns false if
/// one of them became, or was, an infinity or NaN.
template <class A>
bool narrow(DType dtype, const A* from, i64 count, u8* to);

/// False if an element is an infinity or NaN.
template <class A>
bool all_finite(const A* values, i64 count);
/// The same for elements as stored.
bool stored_finite(DType dtype, const u8* at, i64 count);

}  // namespace lm::merge
