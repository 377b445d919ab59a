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

}  // namespace lm::cuda
