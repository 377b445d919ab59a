#pragma once
// Packs in registers: as they were loaded until each element is used, and eight elements of either
// type at once.

#include "element.h"

namespace lm::cuda {

/// A pack that waits in registers, as the four words that were loaded: a Pack's eight bf16 would
/// take eight registers, their f32 values too.
template <typename T>
struct Held {
  static constexpr int kCount = Pack<T>::kCount;
  u32 word[4] = {0, 0, 0, 0};

  /// Element k as f32; k is known when compiling.
  LM_DEVICE f32 at(int k) const {
#ifdef LM_EMU
    T x;
    std::memcpy(&x, reinterpret_cast<const u8*>(word) + k * static_cast<int>(sizeof(T)), sizeof(T));
    return widen(x);
#else
    if constexpr (sizeof(T) == 4) return __uint_as_float(word[k]);
    const u32 w = word[k / 2];
    return __uint_as_float(k % 2 == 0 ? w << 16 : w & 0xFFFF0000u);
#endif
  }
  /// Between two uses: the compiler must not keep the widened numbers of the first for the second.
  LM_DEVICE void wait() {
#ifndef LM_EMU
    if constexpr (sizeof(T) == 2) {
      asm("" : "+r"(word[0]), "+r"(word[1]), "+r"(word[2]), "+r"(word[3]));
    }
#endif
  }
};
template <typename T>
LM_DEVICE Held<T> hold(const T* p) {
#ifdef LM_EMU
  emu::require_aligned(p, 16);
  Held<T> x;
  std::memcpy(x.word, p, 16);
#else
  const uint4 w = *reinterpret_cast<const uint4*>(p);
  Held<T> x;
  x.word[0] = w.x;
  x.word[1] = w.y;
  x.word[2] = w.z;
  x.word[3] = w.w;
#endif
  return x;
}
/// kCount numbers, each rounded to T; two bf16 by one instruction.
template <typename T>
LM_DEVICE Held<T> hold_narrowed(const f32 (&v)[Pack<T>::kCount]) {
  Held<T> x;
#ifdef LM_EMU
  for (int k = 0; k < Pack<T>::kCount; ++k) {
    const T y = narrow<T>(v[k]);
    std::memcpy(reinterpret_cast<u8*>(x.word) + k * static_cast<int>(sizeof(T)), &y, sizeof(T));
  }
#else
  LM_UNROLL
  for (int i = 0; i < 4; ++i) {
    if constexpr (sizeof(T) == 4) {
      x.word[i] = __float_as_uint(v[i]);
    } else {
      const __nv_bfloat162 two = __floats2bfloat162_rn(v[2 * i], v[2 * i + 1]);
      x.word[i] = static_cast<u32>(__bfloat16_as_ushort(two.y)) << 16 | __bfloat16_as_ushort(two.x);
    }
  }
#endif
  return x;
}
template <typename T>
LM_DEVICE void put(T* p, const Held<T>& x) {
#ifdef LM_EMU
  emu::require_aligned(p, 16);
  std::memcpy(p, x.word, 16);
#else
  // An assignment becomes four stores where the compiler moves them apart.
  __stwb(reinterpret_cast<uint4*>(p), make_uint4(x.word[0], x.word[1], x.word[2], x.word[3]));
#endif
}

/// Eight elements of any type, for kernels that read one type and write another: one or two packs.
struct Eight {
  f32 v[8];
};
template <typename T>
LM_DEVICE Eight load_eight(const T* p) {
  constexpr int kCount = Pack<T>::kCount;
  Eight x;
  LM_UNROLL
  for (int part = 0; part < 8 / kCount; ++part) {
    const Pack<T> pack = load_pack(p + part * kCount);
    LM_UNROLL
    for (int k = 0; k < kCount; ++k)
      x.v[part * kCount + k] = widen(pack.v[k]);
  }
  return x;
}
template <typename T>
LM_DEVICE void store_eight(T* p, const Eight& x) {
  constexpr int kCount = Pack<T>::kCount;
  LM_UNROLL
  for (int part = 0; part < 8 / kCount; ++part) {
    f32 v[kCount];
    LM_UNROLL
    for (int k = 0; k < kCount; ++k)
      v[k] = x.v[part * kCount + k];
    put(p + part * kCount, hold_narrowed<T>(v));
  }
}

}  // namespace lm::cuda
