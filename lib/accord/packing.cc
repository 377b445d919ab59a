#include "accord/packing.h"

#include <algorithm>
#include <numeric>

namespace lm::accord {

namespace {

class Search {
 public:
  Search(std::span<const i64> weights, std::span<const i64> room, i64 nodes)
      : weights_(weights),
        room_(room.begin(), room.end()),
        nodes_(nodes),
        order_(weights.size()),
        left_(weights.size() + 1, 0),
        bin_(weights.size(), -1) {
    std::iota(order_.begin(), order_.end(), i64{0});
    std::stable_sort(order_.begin(), order_.end(),
                     [&](i64 a, i64 b) { return weights_[usize(a)] > weights_[usize(b)]; });
    for (i64 i = isize(order_) - 1; i >= 0; --i)
      left_[usize(i)] = left_[usize(i) + 1] + weight(i);
  }

  bool best_fit() {
    const std::vector<i64> before = room_;
    for (i64 i = 0; i < isize(order_); ++i) {
      i64 best = -1;
      for (i64 b = 0; b < isize(room_); ++b)
        if (room_[usize(b)] >= weight(i) && (best < 0 || room_[usize(b)] < room_[usize(best)]))
          best = b;
      if (best < 0) {
        room_ = before;
        return false;
      }
      put(i, best);
    }
    return true;
  }

  bool place(i64 i) {
    if (i == isize(order_)) return true;
    if (usable(weight(order_back())) < left_[usize(i)]) return false;
    for (i64 b = 0; b < isize(room_); ++b) {
      if (room_[usize(b)] < weight(i) || seen_before(b)) continue;
      if (nodes_ == 0) return false;
      --nodes_;
      put(i, b);
      if (place(i + 1)) return true;
      room_[usize(b)] += weight(i);
    }
    return false;
  }

  bool exhausted() const { return nodes_ == 0; }
  const std::vector<i64>& bins() const { return bin_; }

 private:
  i64 weight(i64 i) const { return weights_[usize(order_[usize(i)])]; }
  i64 order_back() const { return isize(order_) - 1; }
  void put(i64 i, i64 b) {
    room_[usize(b)] -= weight(i);
    bin_[usize(order_[usize(i)])] = b;
  }
  /// Room in bins that take at least the smallest weight.
  i64 usable(i64 least) const {
    i64 sum = 0;
    for (const i64 room : room_)
      if (room >= least) sum += room;
    return sum;
  }
  bool seen_before(i64 b) const {
    return std::find(room_.begin(), room_.begin() + b, room_[usize(b)]) != room_.begin() + b;
  }

  std::span<const i64> weights_;
  std::vector<i64> room_;
  i64 nodes_;
  std::vector<i64> order_;  // heaviest first
  std::vector<i64> left_;   // weight from here on
  std::vector<i64> bin_;
};

}  // namespace

std::optional<std::vector<i64>> pack(std::span<const i64> weights, std::span<const i64> room,
                                     bool& proved, i64 nodes) {
  Search search(weights, room, nodes);
  proved = true;
  if (search.best_fit() || search.place(0)) return search.bins();
  proved = !search.exhausted();
  return std::nullopt;
}

i64 bins_needed(std::span<const i64> weights, i64 capacity) {
  if (weights.empty()) return 0;
  if (capacity == 0) return 1;  // all weights are 0
  std::vector<i64> sizes(weights.begin(), weights.end());
  std::sort(sizes.begin(), sizes.end());
  std::vector<i64> thresholds = {0};
  for (const i64 size : sizes)
    if (2 * size <= capacity && size != thresholds.back()) thresholds.push_back(size);
  i64 best = 1;
  for (const i64 t : thresholds) {
    // Above capacity - t: alone. Above half: one a bin. From t to half: into what those leave.
    i64 alone = 0, half = 0, half_sum = 0, small_sum = 0;
    for (const i64 size : sizes) {
      if (size > capacity - t) {
        ++alone;
      } else if (2 * size > capacity) {
        ++half;
        half_sum += size;
      } else if (size >= t) {
        small_sum += size;
      }
    }
    const i64 over = small_sum - (half * capacity - half_sum);
    best = std::max(best, alone + half + std::max<i64>(0, (over + capacity - 1) / capacity));
  }
  return best;
}

}  // namespace lm::accord
