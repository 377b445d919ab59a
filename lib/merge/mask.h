#pragma once
// Random masks and ranks within rows. A mask is a function of (seed, tensor name, model, element):
// Philox with the seed as its key, the counter made of the rest. It does not depend on threads,
// tiles, shards, other tensors or other models. Nothing is sorted beyond a row.

#include <span>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::merge {

/// The random words of one model's part of one tensor: one 32-bit word for each element.
class MaskWords {
 public:
  MaskWords(u64 seed, std::string_view tensor, i64 model);
  /// Words of elements [first, first + count), in `out`.
  void fill(i64 first, i64 count, std::vector<u32>& out) const;

 private:
  u64 seed_;
  u64 tensor_;
  u32 model_;
};

/// Words below this keep their element, with probability p; in [0, 2^32].
constexpr u64 keep_below(f64 p) {
  if (p >= 1) return u64{1} << 32;
  return p <= 0 ? 0 : static_cast<u64>(p * 4294967296.0);
}

/// The places of the magnitudes of `values` in ascending order, 0 to n - 1, in out[i]; equal
/// magnitudes in the order of their index. O(n), by digits of 11 bits. n < 2^32.
template <class A>
void rank_magnitudes(std::span<const A> values, std::vector<u32>& order, std::vector<u32>& scratch,
                     u32* out);

}  // namespace lm::merge
