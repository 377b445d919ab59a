#pragma once
// Draws one after the other, for makers of data: a run of numbers that is a pure function of (seed,
// purpose, record, attempt), whatever else is drawn elsewhere.

#include <span>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/hash.h"
#include "core/random.h"
#include "core/types.h"

namespace lm {

class Draws {
 public:
  /// purpose: a name of its own for everything that is drawn apart. attempt < 2^24: the record's
  /// redraws.
  Draws(u64 seed, std::string_view purpose, i64 record, i64 attempt = 0)
      : stream_(seed ^ fnv1a64(purpose), RandomPurpose::kOther,
                static_cast<u64>(record) << 24 | static_cast<u64>(attempt)) {}

  /// Uniform in (0, 1).
  f64 uniform() { return stream_.uniform(at_++); }
  /// Uniform in [0, bound), bound > 0.
  i64 below(i64 bound) { return static_cast<i64>(stream_.below(at_++, static_cast<u64>(bound))); }
  /// Uniform in [low, high].
  i64 within(i64 low, i64 high) { return low + below(high - low + 1); }
  /// Standard normal.
  f64 normal() {
    at_ += at_ & 1;
    const f64 value = stream_.normal(at_ / 2);
    at_ += 2;
    return value;
  }
  /// A uniform order, by Fisher and Yates.
  template <typename T>
  void shuffle(std::span<T> items) {
    for (i64 i = isize(items) - 1; i > 0; --i)
      std::swap(items[usize(i)], items[usize(below(i + 1))]);
  }
  /// A uniform permutation of 0 .. n-1.
  std::vector<i64> permutation(i64 n) {
    std::vector<i64> out(usize(n));
    for (i64 i = 0; i < n; ++i)
      out[usize(i)] = i;
    shuffle(std::span<i64>(out));
    return out;
  }
  /// `count` distinct numbers of [0, n) in a uniform order, count <= n. O(count) where that is far
  /// below n, else O(n).
  std::vector<i64> distinct(i64 count, i64 n) {
    std::vector<i64> out;
    if (count > n / 8) {
      out = permutation(n);
      out.resize(usize(count));
      return out;
    }
    std::unordered_set<i64> seen;
    while (isize(out) < count) {
      const i64 next = below(n);
      if (seen.insert(next).second) out.push_back(next);
    }
    return out;
  }

 private:
  RandomStream stream_;
  u64 at_ = 0;
};

}  // namespace lm
