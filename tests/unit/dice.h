#pragma once
// Small random numbers for tests, the same at every run.

#include "core/random.h"
#include "core/types.h"

namespace lm::test {

class Dice {
 public:
  explicit Dice(u64 seed) : stream_(seed, RandomPurpose::kOther) {}
  /// 0 to n - 1.
  int below(int n) { return static_cast<int>(stream_.bits(at_++) % static_cast<u64>(n)); }
  bool one_in(int n) { return below(n) == 0; }

 private:
  RandomStream stream_;
  u64 at_ = 0;
};

}  // namespace lm::test
