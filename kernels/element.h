#pragma once
// Element types of kernels: f32, and bf16 as storage that is widened when read and rounded to
// nearest even when written. A Pack<T> is what one 16-byte access moves: four f32 or eight bf16.
// Arithmetic is f32 whatever the type.

#include "bf16.h"
#include "device.h"
#ifdef LM_EMU
#include "tensor/convert.h"
#else
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

namespace lm::cuda {

LM_DEVICE f32 widen(f32 x) {
  return x;
}
LM_DEVICE f32 widen(Bf16 x) {
#ifdef LM_EMU
  return lm::bf16_to_f32(x.bits);
#else
  return __uint_as_float(static_cast<u32>(x.bits) << 16);
#endif
}

LM_DEVICE f32 widen(F16 x) {
#ifdef LM_EMU
  return lm::f16_to_f32(x.bits);
#else
  return __half2float(__ushort_as_half(x.bits));
#endif
}

/// x as a T.
template <typename T>
LM_DEVICE T narrow(f32 x);
template <>
LM_DEVICE f32 narrow<f32>(f32 x) {
  return x;
}
template <>
LM_DEVICE Bf16 narrow<Bf16>(f32 x) {
#ifdef LM_EMU
  return {lm::f32_to_bf16(x)};
#else
  return {__bfloat16_as_ushort(__float2bfloat16_rn(x))};
#endif
}

/// What a 16-byte access moves.
template <typename T>
struct alignas(16) Pack {
  static constexpr int kCount = 16 / static_cast<int>(sizeof(T));
  T v[kCount];
};
/// The address must be a multiple of 16.
template <typename T>
LM_DEVICE Pack<T> load_pack(const T* p) {
#ifdef LM_EMU
  emu::require_aligned(p, 16);
#endif
  return *reinterpret_cast<const Pack<T>*>(p);
}
template <typename T>
LM_DEVICE void store_pack(T* p, const Pack<T>& x) {
#ifdef LM_EMU
  emu::require_aligned(p, 16);
#endif
  *reinterpret_cast<Pack<T>*>(p) = x;
}
/// The pack of kCount numbers, each rounded to T; two bf16 by one instruction.
template <typename T>
LM_DEVICE Pack<T> narrow_pack(const f32 (&v)[Pack<T>::kCount]) {
  Pack<T> x;
  LM_UNROLL
  for (int k = 0; k < Pack<T>::kCount; ++k)
    x.v[k] = narrow<T>(v[k]);
  return x;
}
#ifndef LM_EMU
template <>
LM_DEVICE Pack<Bf16> narrow_pack<Bf16>(const f32 (&v)[8]) {
  Pack<Bf16> x;
  LM_UNROLL
  for (int k = 0; k < 8; k += 2) {
    const __nv_bfloat162 two = __floats2bfloat162_rn(v[k], v[k + 1]);
    x.v[k].bits = __bfloat16_as_ushort(two.x);
    x.v[k + 1].bits = __bfloat16_as_ushort(two.y);
  }
  return x;
}
#endif

/// What launchers ask before they choose packs: rows at p, ld elements apart, begin at multiples of
/// 16 bytes. Null pointers are absent operands.
template <typename T>
bool packable(const T* p, i64 ld) {
  return cu::aligned16(p) && ld % Pack<T>::kCount == 0;
}

}  // namespace lm::cuda
