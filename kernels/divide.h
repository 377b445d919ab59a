#pragma once
// Division of 32-bit numbers by one that is known at launch: a multiplication and a shift, where
// the hardware has no integer divider. Exact for numerators below 2^31 (Granlund & Montgomery
// 1994).

#include "device.h"

namespace lm::cuda {

class Divider {
 public:
  /// 1 <= by < 2^31.
  explicit Divider(i64 by) : by_(static_cast<u32>(by)) {
    while (shift_ < 31 && (u32{1} << shift_) < by_)
      ++shift_;
    const u64 power = u64{1} << shift_;
    factor_ = static_cast<u32>(((power - by_) << 32) / by_ + 1);
  }
  LM_DEVICE u32 quotient(u32 n) const {
#ifdef LM_EMU
    const u32 high = static_cast<u32>(u64{n} * factor_ >> 32);
#else
    const u32 high = __umulhi(n, factor_);
#endif
    return (high + n) >> shift_;
  }
  LM_DEVICE u32 by() const {
    return by_;
  }

 private:
  u32 by_;
  u32 factor_ = 0;
  u32 shift_ = 0;
};

/// The groups of `size` elements in rows x cols elements (cols a multiple of size, except in a
/// single row, whose last elements are then left over), numbered row by row.
struct GroupMap {
  GroupMap(i64 rows, i64 cols, i64 size)
      : per_row(cols < size ? 1 : cols / size), count(static_cast<u32>(rows * (cols / size))) {}
  Divider per_row;
  u32 count;
  /// Row of group i and its number in the row.
  LM_DEVICE u32 row(u32 i) const { return per_row.quotient(i); }
  LM_DEVICE u32 in_row(u32 i, u32 row) const { return i - row * per_row.by(); }
};

/// Counts that Divider and 32-bit indices take, with room for a grid's stride.
inline bool small_count(i64 n) {
  return n < (i64{1} << 30);
}

}  // namespace lm::cuda
