#pragma once
// What is known of many numbers: moments, extremes, quantiles, histograms. Nothing depends on the
// order of the numbers, and parts add up to exactly the whole: counts of values on a grid of eight
// significant bits instead of a sketch that is merged by approximation.

#include <optional>
#include <span>
#include <vector>

#include "census/count_table.h"
#include "census/natural.h"
#include "census/part.h"

namespace lm::census {

/// The nearest number of eight significant bits, ties away from zero: at most 1/256 of the value
/// off, exact for whole numbers up to 256. Keeps the order of numbers. value: finite.
f64 on_grid(f64 value);

/// [low, high), the last one with high.
struct Bin {
  f64 low = 0;
  f64 high = 0;
  i64 count = 0;
};

struct Histogram {
  std::vector<Bin> bins;     // without gaps
  bool logarithmic = false;  // bins grow by a constant factor
  i64 zeros = 0;             // of a logarithmic one: values that are 0, in no bin
};

class Numbers {
 public:
  /// exact: counts of the values themselves, which takes memory for every other value.
  explicit Numbers(bool exact) : exact_(exact) {}
  /// value: finite.
  void add(f64 value, i64 times = 1);
  void add(Numbers&& other);

  i64 count() const { return moments_.count(); }
  f64 min() const { return min_; }  // 0 of nothing
  f64 max() const { return max_; }
  const Moments& moments() const { return moments_; }
  /// Of its table; with room for values() where that takes much.
  i64 bytes() const { return counts_.bytes() + (exact_ ? 16 * counts_.size() : 0); }
  /// Values in ascending order with their counts; on the grid unless exact.
  std::vector<std::pair<f64, i64>> values() const;

  /// The smallest value that at least the share q of all values does not exceed, 0 <= q <= 1; on
  /// the grid unless exact, and between min and max. values: of this. NaN of nothing.
  f64 quantile(std::span<const std::pair<f64, i64>> values, f64 q) const;
  /// About `most` >= 1 bins of round widths; logarithmic where no value is negative and the largest
  /// is far from the median. Unless exact, values less than 1/256 below an edge may count above it.
  Histogram histogram(std::span<const std::pair<f64, i64>> values, i64 most) const;

  void save(PartWriter& out) const;
  void load(PartReader& in);

 private:
  bool exact_;
  Moments moments_;
  f64 min_ = 0;
  f64 max_ = 0;
  CountTable counts_;  // by the bits of the value in an order that is the values'
};

}  // namespace lm::census
