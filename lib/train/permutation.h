#pragma once
// A seeded permutation of [0, n) by index, in constant memory: a balanced Feistel network over the
// next even power of two, walked along its cycle until the value falls below n (expected fewer than
// four rounds of the walk). Sources: Luby & Rackoff 1988; Black & Rogaway 2002 (cycle walking).

#include <array>

#include "core/types.h"

namespace lm::train {

class Permutation {
 public:
  /// A function of (n, seed, stream) only; n >= 1. Distinct streams are independent.
  Permutation(u64 n, u64 seed, u64 stream);
  /// i < n. O(1) expected.
  u64 operator()(u64 i) const;

 private:
  static constexpr int kRounds = 6;
  u64 once(u64 x) const;
  u64 n_;
  int half_bits_;
  std::array<u64, kRounds> keys_{};
};

}  // namespace lm::train
