#pragma once
// Whole numbers of any size and sums without rounding. A sum of f64 is kept as a fixed-point number
// that is wide enough for every f64, so it does not depend on the order of what is added, and sums
// of parts add up to exactly the sum of the whole.

#include <span>
#include <vector>

#include "core/types.h"

namespace lm::census {

__extension__ using u128 = unsigned __int128;

/// A whole number >= 0; words little endian, without leading zeros. For results, not for hot loops.
class Natural {
 public:
  Natural() = default;
  explicit Natural(u64 value);
  explicit Natural(std::span<const u64> words);
  Natural operator+(const Natural& other) const;
  /// other <= *this.
  Natural operator-(const Natural& other) const;
  Natural operator*(const Natural& other) const;
  bool operator<(const Natural& other) const;
  bool zero() const { return words_.empty(); }
  /// *this * 2^exponent to the 64 leading bits, the rest cut off.
  long double scaled(i64 exponent) const;

 private:
  void trim();
  std::vector<u64> words_;
};

/// A fixed-point sum of numbers >= 0, of a fixed number of words.
class WideSum {
 public:
  explicit WideSum(i64 words) : words_(usize(words)) {}
  /// Adds value * 2^shift; the sum stays below 2^(64 words). O(1) but for carries.
  void add(u128 value, i64 shift);
  void add(const WideSum& other);
  const std::vector<u64>& words() const { return words_; }
  std::vector<u64>& words() { return words_; }
  Natural natural() const { return Natural(words_); }

 private:
  std::vector<u64> words_;
};

/// Count, mean and variance of finite numbers, exact but for the last rounding. 1.1 KB.
class Moments {
 public:
  /// times >= 0 occurrences of a finite value.
  void add(f64 value, i64 times = 1);
  void add(const Moments& other);

  i64 count() const { return count_; }
  f64 mean() const;      // NaN of nothing
  f64 sum() const;       // 0 of nothing
  f64 variance() const;  // over count - 1; NaN of fewer than two

  /// visit(count or word) for everything that is kept, in a fixed order; for reading and writing.
  template <typename Visit>
  void each(Visit visit) {
    visit(count_);
    for (WideSum* const sum : {&positive_, &negative_, &squares_})
      visit(sum->words());
  }

 private:
  // Units: 2^-1074, the smallest f64, and its square; room for 2^63 of the largest f64.
  static constexpr i64 kSumWords = 36;
  static constexpr i64 kSquareWords = 70;
  i64 count_ = 0;
  WideSum positive_{kSumWords};
  WideSum negative_{kSumWords};
  WideSum squares_{kSquareWords};
};

}  // namespace lm::census
