#include "stat/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/error.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/random.h"
#include "stat/mean.h"

namespace lm::stat {

void resample(u64 seed, i64 draw, std::span<u32> counts) {
  const RandomStream random(seed, RandomPurpose::kOther,
                            mix64(fnv1a64("bootstrap") + static_cast<u64>(draw)));
  std::fill(counts.begin(), counts.end(), 0u);
  for (u64 i = 0; i < counts.size(); ++i)
    ++counts[random.below(i, counts.size())];
}

BootstrapDraws::BootstrapDraws(
    i64 items, i64 statistics, const BootstrapOptions& options,
    const std::function<void(Counts counts, std::span<f64> out)>& compute)
    : draws_(options.draws), values_(usize(statistics * options.draws)) {
  parallel_for(draws_, 1, [&](i64 begin, i64 end) {
    std::vector<u32> counts(static_cast<std::size_t>(items));
    std::vector<f64> out(static_cast<std::size_t>(statistics));
    for (i64 d = begin; d < end; ++d) {
      resample(options.seed, d, counts);
      compute(counts, out);
      for (i64 s = 0; s < statistics; ++s)
        values_[usize(s * draws_ + d)] = out[usize(s)];
    }
  });
}

Interval percentile_interval(std::span<const f64> draws, f64 level) {
  std::vector<f64> sorted;
  std::copy_if(draws.begin(), draws.end(), std::back_inserter(sorted),
               [](f64 v) { return !std::isnan(v); });
  std::sort(sorted.begin(), sorted.end());
  return {quantile(sorted, (1 - level) / 2), quantile(sorted, (1 + level) / 2), isize(sorted)};
}

Interval difference_interval(std::span<const f64> a, std::span<const f64> b, f64 level) {
  LM_CHECK(a.size() == b.size(), "differences are paired");
  std::vector<f64> difference(a.size());
  std::transform(a.begin(), a.end(), b.begin(), difference.begin(), std::minus<>());
  return percentile_interval(difference, level);
}

}  // namespace lm::stat
