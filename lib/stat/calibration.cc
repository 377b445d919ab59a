#include "stat/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"

namespace lm::stat {

namespace {

constexpr f64 kUndefined = std::numeric_limits<f64>::quiet_NaN();

struct Bin {
  f64 size = 0;
  f64 probability = 0;  // sums
  f64 target = 0;
  void add(f64 count, f64 p, f64 t) {
    size += count;
    probability += count * p;
    target += count * t;
  }
};

// Adds bins up.
class Gaps {
 public:
  void add(const Bin& bin) {
    if (bin.size == 0) return;
    const f64 gap = std::abs(bin.probability - bin.target);
    sum_ += gap;
    largest_ = std::max(largest_, gap / bin.size);
    size_ += bin.size;
  }
  CalibrationError result() const {
    if (size_ == 0) return {kUndefined, kUndefined};
    return {sum_ / size_, largest_};
  }

 private:
  f64 sum_ = 0;
  f64 largest_ = 0;
  f64 size_ = 0;
};

}  // namespace

CalibrationError calibration_equal_width(std::span<const f64> probability,
                                         std::span<const f64> target, i64 bins, Counts counts) {
  LM_CHECK(probability.size() == target.size() && bins > 0, "a target per item, and bins");
  std::vector<Bin> all(static_cast<std::size_t>(bins));
  for (i64 i = 0; i < isize(probability); ++i) {
    const f64 p = probability[usize(i)];
    LM_CHECK(p >= 0 && p <= 1, "a probability lies between 0 and 1");
    const i64 bin = std::max(i64{0}, static_cast<i64>(std::ceil(p * static_cast<f64>(bins))) - 1);
    all[usize(bin)].add(counts[i], p, target[usize(i)]);
  }
  Gaps gaps;
  for (const Bin& bin : all)
    gaps.add(bin);
  return gaps.result();
}

CalibrationError calibration_equal_mass(const Ranking& ranking, std::span<const f64> probability,
                                        std::span<const f64> target, i64 bins, Counts counts) {
  LM_CHECK(probability.size() == target.size() && bins > 0, "a target per item, and bins");
  const f64 n = static_cast<f64>(counts.total(isize(probability)));
  Gaps gaps;
  Bin bin;
  f64 seen = 0;
  i64 closed = 0;
  for (i64 g = 0; g < ranking.groups(); ++g) {
    for (const i32 i : ranking.group(g)) {
      bin.add(counts[i], probability[usize(i)], target[usize(i)]);
      seen += counts[i];
    }
    const i64 due = static_cast<i64>(seen * static_cast<f64>(bins) / n);
    if (due > closed) {
      gaps.add(bin);
      bin = {};
      closed = due;
    }
  }
  gaps.add(bin);
  return gaps.result();
}

f64 brier(std::span<const f64> probability, std::span<const f64> target, Counts counts) {
  LM_CHECK(probability.size() == target.size(), "a target per item");
  f64 sum = 0;
  for (i64 i = 0; i < isize(probability); ++i) {
    const f64 gap = probability[usize(i)] - target[usize(i)];
    sum += counts[i] * gap * gap;
  }
  return sum / static_cast<f64>(counts.total(isize(probability)));
}

FallingFit::FallingFit(const Ranking& ranking, std::span<const f64> scores,
                       std::span<const f64> target, Counts counts) {
  LM_CHECK(ranking.size() == isize(scores) && scores.size() == target.size(), "equal lengths");
  struct Block {
    f64 sum;
    f64 size;
    i64 knots;
  };
  std::vector<Block> blocks;
  for (i64 g = 0; g < ranking.groups(); ++g) {
    Block block{0, 0, 1};
    for (const i32 i : ranking.group(g)) {
      block.sum += counts[i] * target[usize(i)];
      block.size += counts[i];
    }
    if (block.size == 0) continue;
    knots_.push_back(scores[usize(ranking.group(g)[0])]);
    while (!blocks.empty() && blocks.back().sum * block.size <= block.sum * blocks.back().size) {
      block.sum += blocks.back().sum;
      block.size += blocks.back().size;
      block.knots += blocks.back().knots;
      blocks.pop_back();
    }
    blocks.push_back(block);
  }
  values_.reserve(knots_.size());
  for (const Block& block : blocks)
    values_.insert(values_.end(), usize(block.knots), block.sum / block.size);
}

f64 FallingFit::at(f64 score) const {
  if (empty()) return kUndefined;
  const std::size_t next = static_cast<std::size_t>(
      std::lower_bound(knots_.begin(), knots_.end(), score) - knots_.begin());
  if (next == knots_.size()) return values_.back();
  if (next == 0 || knots_[next] == score) return values_[next];
  const f64 low = knots_[next - 1];
  const f64 high = knots_[next];
  // Between an infinite score and its neighbour there is no middle.
  if (!std::isfinite(low) || !std::isfinite(high)) return (values_[next - 1] + values_[next]) / 2;
  const f64 part = (score - low) / (high - low);
  return values_[next - 1] + part * (values_[next] - values_[next - 1]);
}

f64 brier_fit(const Ranking& ranking, std::span<const f64> scores, std::span<const f64> target,
              Counts counts) {
  const FallingFit fit(ranking, scores, target, counts);
  if (fit.empty()) return kUndefined;
  f64 sum = 0;
  for (i64 i = 0; i < isize(scores); ++i) {
    if (counts[i] == 0) continue;
    const f64 gap = fit.at(scores[usize(i)]) - target[usize(i)];
    sum += counts[i] * gap * gap;
  }
  return sum / static_cast<f64>(counts.total(isize(scores)));
}

f64 brier_cross_fit(const Ranking& ranking, std::span<const f64> scores,
                    std::span<const f64> target, std::span<const u8> fold_of, i64 folds,
                    Counts counts) {
  LM_CHECK(fold_of.size() == scores.size(), "a fold per item");
  f64 sum = 0;
  std::vector<u32> others(scores.size());
  for (i64 fold = 0; fold < folds; ++fold) {
    for (i64 i = 0; i < isize(scores); ++i)
      others[usize(i)] = fold_of[usize(i)] == fold ? 0 : counts[i];
    const FallingFit fit(ranking, scores, target, others);
    for (i64 i = 0; i < isize(scores); ++i) {
      if (fold_of[usize(i)] != fold || counts[i] == 0) continue;
      const f64 gap = fit.at(scores[usize(i)]) - target[usize(i)];
      sum += counts[i] * gap * gap;
    }
  }
  return sum / static_cast<f64>(counts.total(isize(scores)));
}

std::vector<u8> random_folds(i64 n, i64 folds, u64 seed) {
  LM_CHECK(folds > 0 && folds < 256, "folds are counted in a byte");
  const RandomStream random(seed, RandomPurpose::kOther, fnv1a64("folds"));
  std::vector<i64> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), i64{0});
  for (i64 i = n - 1; i > 0; --i)
    std::swap(order[usize(i)], order[random.below(static_cast<u64>(i), static_cast<u64>(i + 1))]);
  std::vector<u8> out(order.size());
  for (i64 i = 0; i < n; ++i)
    out[usize(order[usize(i)])] = static_cast<u8>(i % folds);
  return out;
}

}  // namespace lm::stat
