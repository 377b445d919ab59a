#include "stat/selective.h"

#include <cmath>
#include <limits>

#include "core/error.h"

namespace lm::stat {

namespace {

constexpr f64 kUndefined = std::numeric_limits<f64>::quiet_NaN();

struct Classes {
  f64 wrong = 0;
  f64 right = 0;
};

Classes classes_of(std::span<const i32> group, std::span<const u8> wrong, Counts counts) {
  Classes out;
  for (const i32 i : group)
    (wrong[usize(i)] != 0 ? out.wrong : out.right) += counts[i];
  return out;
}

// Quality summed over a group, and its size.
struct GroupSum {
  f64 quality = 0;
  i64 size = 0;
};

GroupSum sum_of(std::span<const i32> group, std::span<const f64> quality, Counts counts) {
  GroupSum out;
  for (const i32 i : group) {
    out.quality += counts[i] * quality[usize(i)];
    out.size += counts[i];
  }
  return out;
}

f64 mean_quality(std::span<const f64> quality, Counts counts) {
  f64 sum = 0;
  for (i64 i = 0; i < isize(quality); ++i)
    sum += counts[i] * quality[usize(i)];
  return sum / static_cast<f64>(counts.total(isize(quality)));
}

f64 average_precision(const Ranking& uncertainty, std::span<const u8> wrong, Counts counts,
                      bool find_wrong) {
  LM_CHECK(uncertainty.size() == isize(wrong), "a label per item");
  f64 found = 0;
  f64 looked_at = 0;
  f64 sum = 0;
  for (i64 k = 0; k < uncertainty.groups(); ++k) {
    const i64 g = find_wrong ? uncertainty.groups() - 1 - k : k;
    const Classes c = classes_of(uncertainty.group(g), wrong, counts);
    const f64 hits = find_wrong ? c.wrong : c.right;
    found += hits;
    looked_at += c.wrong + c.right;
    if (hits > 0) sum += hits * found / looked_at;
  }
  return found > 0 ? sum / found : kUndefined;
}

}  // namespace

f64 auroc(const Ranking& uncertainty, std::span<const u8> wrong, Counts counts) {
  LM_CHECK(uncertainty.size() == isize(wrong), "a label per item");
  Classes before;
  f64 won = 0;
  for (i64 g = 0; g < uncertainty.groups(); ++g) {
    const Classes c = classes_of(uncertainty.group(g), wrong, counts);
    won += c.wrong * (before.right + c.right / 2);
    before.wrong += c.wrong;
    before.right += c.right;
  }
  const f64 pairs = before.wrong * before.right;
  return pairs > 0 ? won / pairs : kUndefined;
}

f64 average_precision_wrong(const Ranking& uncertainty, std::span<const u8> wrong, Counts counts) {
  return average_precision(uncertainty, wrong, counts, true);
}

f64 average_precision_right(const Ranking& uncertainty, std::span<const u8> wrong, Counts counts) {
  return average_precision(uncertainty, wrong, counts, false);
}

f64 quality_area(const Ranking& uncertainty, std::span<const f64> quality, Counts counts,
                 f64 reject) {
  LM_CHECK(uncertainty.size() == isize(quality), "a quality per item");
  const i64 n = counts.total(isize(quality));
  const i64 terms = static_cast<i64>(std::floor(reject * static_cast<f64>(n)));
  f64 area = 0;
  f64 sum = 0;
  i64 j = 0;
  for (i64 g = 0; g < uncertainty.groups(); ++g) {
    const GroupSum group = sum_of(uncertainty.group(g), quality, counts);
    const f64 step = group.quality / static_cast<f64>(group.size);
    for (i64 k = 0; k < group.size; ++k) {
      sum += step;
      if (++j > n - terms) area += sum / static_cast<f64>(j);
    }
  }
  return terms > 0 ? area / static_cast<f64>(terms) : kUndefined;
}

f64 rejection_ratio(const Ranking& uncertainty, const Ranking& best, std::span<const f64> quality,
                    Counts counts, f64 reject) {
  const f64 mean = mean_quality(quality, counts);
  const f64 gain = quality_area(best, quality, counts, reject) - mean;
  // A constant quality leaves only rounding between the two.
  if (!(gain > 1e-12)) return kUndefined;
  return (quality_area(uncertainty, quality, counts, reject) - mean) / gain;
}

f64 risk_area(const Ranking& uncertainty, std::span<const f64> quality, Counts counts) {
  return 1 - quality_area(uncertainty, quality, counts);
}

f64 excess_risk_area(const Ranking& uncertainty, const Ranking& best, std::span<const f64> quality,
                     Counts counts) {
  return quality_area(best, quality, counts) - quality_area(uncertainty, quality, counts);
}

void quality_at(const Ranking& uncertainty, std::span<const f64> quality,
                std::span<const f64> coverages, std::span<f64> out, Counts counts) {
  LM_CHECK(coverages.size() == out.size(), "a place per coverage");
  const f64 n = static_cast<f64>(counts.total(isize(quality)));
  f64 sum = 0;
  f64 before = 0;
  std::size_t at = 0;
  for (i64 g = 0; g < uncertainty.groups(); ++g) {
    const GroupSum group = sum_of(uncertainty.group(g), quality, counts);
    const f64 size = static_cast<f64>(group.size);
    for (; at < coverages.size(); ++at) {
      // Rounding must not push 0.3 x 10 over 3.
      const f64 items = std::ceil(coverages[at] * n - 1e-9);
      if (items > before + size || size == 0) break;
      out[at] = (sum + group.quality * (items - before) / size) / items;
    }
    sum += group.quality;
    before += size;
  }
  for (; at < coverages.size(); ++at)
    out[at] = kUndefined;
}

}  // namespace lm::stat
