#pragma once
// Random scores with ties, labels and counts for the tests of statistics; a function of the seed.

#include <vector>

#include "core/random.h"
#include "core/types.h"

namespace lm::test {

class RandomItems {
 public:
  explicit RandomItems(u64 seed)
      : random_(seed, RandomPurpose::kOther), n_(2 + static_cast<i64>(random_.below(0, 60))) {}

  i64 size() const { return n_; }
  /// Whole numbers in [0, levels), so that there are ties; stream tells vectors apart.
  std::vector<f64> scores(u64 stream, u64 levels) const {
    std::vector<f64> out;
    for (u64 i = 0; i < static_cast<u64>(n_); ++i)
      out.push_back(static_cast<f64>(random_.below((stream + 1) * 1000 + i, levels)));
    return out;
  }
  std::vector<u8> labels() const {
    std::vector<u8> out;
    for (const f64 score : scores(7, 2))
      out.push_back(static_cast<u8>(score));
    return out;
  }
  std::vector<f64> qualities() const {
    std::vector<f64> out = scores(8, 5);
    for (f64& q : out)
      q /= 4;
    return out;
  }
  std::vector<u32> counts() const {
    std::vector<u32> out;
    for (const f64 score : scores(9, 4))
      out.push_back(static_cast<u32>(score));
    return out;
  }

 private:
  RandomStream random_;
  i64 n_;
};

/// Item i counts[i] times.
template <typename T>
std::vector<T> repeated(const std::vector<T>& items, const std::vector<u32>& counts) {
  std::vector<T> out;
  for (std::size_t i = 0; i < items.size(); ++i)
    out.insert(out.end(), counts[i], items[i]);
  return out;
}

}  // namespace lm::test
