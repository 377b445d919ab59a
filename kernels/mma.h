#pragma once
// Matrix instructions of sm_80 and later: m16n8k16 products of bf16 with f32 sums, ldmatrix, the
// approximate functions beside them. Under LM_EMU the same functions run on the block emulator.
//
// Layout (PTX manual, "Matrix fragments for mma.m16n8k16"), with g = lane / 4 and t = lane % 4; a
// register holds two bf16, the lower column in its low half:
//   A, 16 x 16: a[0] (g, 2t), a[1] (g+8, 2t), a[2] (g, 2t+8), a[3] (g+8, 2t+8), each with the
//   column after it. B, 16 x 8: b0 (2t, g) and (2t+1, g), b1 (2t+8, g) and (2t+9, g). C, 16 x 8:
//   c[0] (g, 2t), c[1] (g, 2t+1), c[2] (g+8, 2t), c[3] (g+8, 2t+1).
// So the C of two neighbouring products, rounded and packed, is the A of the next.

#include "dynamic_shared.h"
#include "element.h"

namespace lm::cu {

/// Two bf16, `low` in the low half, rounded to nearest even.
LM_DEVICE u32 pack_bf16(f32 low, f32 high) {
#ifdef LM_EMU
  return static_cast<u32>(f32_to_bf16(low)) | static_cast<u32>(f32_to_bf16(high)) << 16;
#else
  u32 packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
#endif
}

/// 2^x, within 2 units in the last place; results below 2^-126 are zero.
LM_DEVICE f32 exp2_approx(f32 x) {
#ifdef LM_EMU
  return x < -126.0f ? 0.0f : exp2f(x);
#else
  f32 y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#endif
}

/// 1 / x within 1 unit in the last place, for x of at least 2^-126; 0 for infinity.
LM_DEVICE f32 reciprocal_approx(f32 x) {
#ifdef LM_EMU
  return 1.0f / x;
#else
  f32 y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#endif
}

/// True in every lane if v is true in any.
LM_DEVICE bool any_lane(bool v) {
  return ballot(v) != 0;
}

#ifdef LM_EMU
namespace emulated {
inline u32 half(u32 word, int which) {
  return which == 0 ? word & 0xffffu : word >> 16;
}
inline f32 value(u32 word, int which) {
  return bf16_to_f32(static_cast<u16>(half(word, which)));
}
inline u32 word_at(u32 address) {
  u32 word = 0;
  emu::dynamic_read(address, &word, 4);
  return word;
}

// Row r of matrix m is the 16 bytes that lane 8m + r points at.
inline void ldmatrix(u32 (&r)[4], u32 address, bool trans) {
  if (address % 16 != 0) emu::require_aligned(reinterpret_cast<const void*>(u64{address}), 16);
  const u64 mine = address;
  const u64* all = emu::publish(&mine, 1);
  const u32 g = static_cast<u32>(thread() & 31) / 4;
  const u32 t = static_cast<u32>(thread() & 31) % 4;
  for (u32 m = 0; m < 4; ++m) {
    u32 rows[8];
    for (u32 i = 0; i < 8; ++i)
      rows[i] = static_cast<u32>(all[(8 * m + i) * emu::kMostPublished]);
    if ((thread() & 31) == 0) emu::count_conflicts(rows);
    if (!trans) {
      r[m] = word_at(rows[g] + 4 * t);
    } else {
      const u32 low = word_at(rows[2 * t] + g / 2 * 4);
      const u32 high = word_at(rows[2 * t + 1] + g / 2 * 4);
      r[m] = half(low, static_cast<int>(g % 2)) | half(high, static_cast<int>(g % 2)) << 16;
    }
  }
}

inline void mma(f32 (&c)[4], const u32 (&a)[4], u32 b0, u32 b1) {
  const u64 mine[3] = {a[0] | u64{a[1]} << 32, a[2] | u64{a[3]} << 32, b0 | u64{b1} << 32};
  const u64* all = emu::publish(mine, 3);
  const int g = (thread() & 31) / 4;
  const int t = (thread() & 31) % 4;
  const auto word = [&](int from, int which) {  // a[0..3], b0, b1 of lane `from`
    return static_cast<u32>(all[from * emu::kMostPublished + which / 2] >> (which % 2 * 32));
  };
  for (int k = 0; k < 16; ++k) {
    const int holder = k % 8 / 2;  // t of the lane that holds column k of A and row k of B
    for (int i = 0; i < 4; ++i) {
      const f32 x = value(word(4 * g + holder, k / 8 * 2 + i / 2), k % 2);
      const f32 y = value(word(4 * (2 * t + i % 2) + holder, 4 + k / 8), k % 2);
      c[i] += x * y;
    }
  }
}
}  // namespace emulated
#endif

/// Four 8 x 8 matrices of bf16. Lane l gives the address of row l % 8 of matrix l / 8, a multiple
/// of 16. r[m] = (row g; columns 2t, 2t+1) of matrix m, with _trans of its transpose.
LM_DEVICE void ldmatrix_x4(u32 (&r)[4], u32 address) {
#ifdef LM_EMU
  emulated::ldmatrix(r, address, false);
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address));
#endif
}
LM_DEVICE void ldmatrix_x4_trans(u32 (&r)[4], u32 address) {
#ifdef LM_EMU
  emulated::ldmatrix(r, address, true);
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address));
#endif
}

/// c += A B.
LM_DEVICE void mma_m16n8k16_bf16(f32 (&c)[4], const u32 (&a)[4], u32 b0, u32 b1) {
#ifdef LM_EMU
  emulated::mma(c, a, b0, b1);
#else
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

}  // namespace lm::cu
