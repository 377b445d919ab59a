#pragma once
// What drawing a token needs of a row of weights. Serial; the same numbers at every instruction-set
// level but for the last bits of exp_shifted.

#include "core/types.h"

namespace lm::cpu {

constexpr i64 kTopBlock = 64;

enum class RowKind : u8 { kFinite, kBanned, kOdd };

/// The largest of each kTopBlock elements: tops [ceil(n / kTopBlock)]. kOdd where an element is NaN
/// or +infinity (tops are then void), kBanned where one is -infinity.
RowKind scan_row(i64 n, const f32* x, f32* tops);

/// The largest; -infinity of none. No NaN.
f64 max_of(i64 n, const f64* x);

/// out = exp(x - shift) within 2 ulp, for x - shift of -700 (and whatever is below) to 0; their
/// sum.
f64 exp_shifted(i64 n, const f64* x, f64 shift, f64* out);

/// Words 1 to 3 of Philox counters, and the key.
struct DrawBlock {
  u32 word1 = 0, word2 = 0, word3 = 0;
  u32 key0 = 0, key1 = 0;
};
/// Of the uniforms that counters first .. first + counters - 1 give to tokens 2 * counter (words 0
/// and 1) and 2 * counter + 1 (words 2 and 3), those with floor((1 - u) 2^27) < limit: the token
/// less 2 * first of each, ascending, into out [2 * counters]. Returns their number.
i64 near_one(const DrawBlock& block, u32 first, i64 counters, u32 limit, u32* out);

}  // namespace lm::cpu
