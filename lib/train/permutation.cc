#include "train/permutation.h"

#include <bit>

#include "core/error.h"
#include "core/random.h"

namespace lm::train {

Permutation::Permutation(u64 n, u64 seed, u64 stream) : n_(n) {
  LM_CHECK(n >= 1, "a permutation has at least one element");
  const int bits = n <= 1 ? 2 : static_cast<int>(std::bit_width(n - 1));
  half_bits_ = (bits + 1) / 2;
  const RandomStream random(seed, RandomPurpose::kDataOrder, stream);
  for (std::size_t r = 0; r < keys_.size(); ++r)
    keys_[r] = random.bits(r);
}

u64 Permutation::once(u64 x) const {
  const u64 mask = (u64{1} << half_bits_) - 1;
  u64 left = x >> half_bits_;
  u64 right = x & mask;
  for (const u64 key : keys_) {
    const u64 next = left ^ (mix64(right + key) & mask);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

u64 Permutation::operator()(u64 i) const {
  LM_CHECK(i < n_, "index inside the permutation");
  u64 x = once(i);
  while (x >= n_)
    x = once(x);
  return x;
}

}  // namespace lm::train
