// Resampling: paired, unbiased, the same for every number of threads.

#include "stat/bootstrap.h"

#include <cmath>
#include <numeric>

#include "catch.h"
#include "core/parallel.h"
#include "core/random.h"
#include "stat/mean.h"
#include "stat/selective.h"

namespace {

using lm::f64;
using lm::i64;
using lm::u32;
using lm::u8;
using lm::usize;
using lm::stat::BootstrapDraws;
using lm::stat::Counts;
using lm::stat::Interval;
using lm::stat::Ranking;

std::vector<f64> normal_values(i64 n) {
  const lm::RandomStream random(3, lm::RandomPurpose::kOther);
  std::vector<f64> out;
  for (i64 i = 0; i < n; ++i)
    out.push_back(random.normal(static_cast<lm::u64>(i)));
  return out;
}

}  // namespace

TEST_CASE("a mean has its standard error", "[stat]") {
  const std::vector<f64> values = {1, 2, 3, 6};
  const lm::stat::MeanError got = lm::stat::mean_error(values);
  CHECK(got.mean == 3);
  // Squares 4 1 0 9, sample variance 14/3, over four.
  CHECK(got.standard_error == Approx(std::sqrt(14.0 / 3 / 4)).epsilon(1e-14));
  const lm::stat::MeanError with = lm::stat::mean_error(values, std::vector<u32>{2, 0, 1, 0});
  CHECK(with.n == 3);
  CHECK(with.mean == Approx(5.0 / 3));
  CHECK(std::isnan(lm::stat::mean_error(std::vector<f64>{1}).standard_error));
  CHECK(std::isnan(lm::stat::mean_error({}).mean));
}

TEST_CASE("quantiles are linear between sorted values", "[stat]") {
  const std::vector<f64> values = {1, 2, 4};
  CHECK(lm::stat::quantile(values, 0) == 1);
  CHECK(lm::stat::quantile(values, .75) == 3);
  CHECK(lm::stat::quantile(values, 1) == 4);
  CHECK(std::isnan(lm::stat::quantile({}, .5)));
}

TEST_CASE("a resample has as many draws as items, and other draws are others", "[stat]") {
  std::vector<u32> a(50);
  std::vector<u32> b(50);
  lm::stat::resample(1, 0, a);
  CHECK(std::accumulate(a.begin(), a.end(), 0u) == 50);
  lm::stat::resample(1, 1, b);
  CHECK(a != b);
  lm::stat::resample(2, 0, b);
  CHECK(a != b);
  lm::stat::resample(1, 0, b);
  CHECK(a == b);
}

TEST_CASE("every item is drawn equally often", "[stat]") {
  std::vector<f64> times(8, 0.0);
  std::vector<u32> counts(8);
  for (i64 draw = 0; draw < 4000; ++draw) {
    lm::stat::resample(5, draw, counts);
    for (std::size_t i = 0; i < 8; ++i)
      times[i] += counts[i];
  }
  // Expected 4000 with standard deviation sqrt(32000 x 7/64) = 59.
  for (const f64 t : times)
    CHECK(std::abs(t - 4000) < 5 * 59);
}

TEST_CASE("bootstrap draws do not depend on the number of threads", "[stat]") {
  const std::vector<f64> values = normal_values(40);
  const auto compute = [&](Counts counts, std::span<f64> out) {
    out[0] = lm::stat::mean_error(values, counts).mean;
    out[1] = lm::stat::mean_error(values, counts).standard_error;
  };
  std::vector<std::vector<f64>> seen;
  for (const int threads : {1, 2, 7}) {
    lm::set_threads(threads);
    const BootstrapDraws draws(40, 2, {.draws = 500, .seed = 9}, compute);
    std::vector<f64> all(draws.of(0).begin(), draws.of(0).end());
    all.insert(all.end(), draws.of(1).begin(), draws.of(1).end());
    seen.push_back(all);
  }
  CHECK(seen[0] == seen[1]);
  CHECK(seen[0] == seen[2]);
}

TEST_CASE("the interval of a mean has the width that theory gives it", "[stat]") {
  const std::vector<f64> values = normal_values(400);
  const BootstrapDraws draws(400, 1, {.draws = 4000, .seed = 1}, [&](Counts counts, auto out) {
    out[0] = lm::stat::mean_error(values, counts).mean;
  });
  const lm::stat::MeanError truth = lm::stat::mean_error(values);
  const Interval got = lm::stat::percentile_interval(draws.of(0));
  CHECK(got.defined == 4000);
  CHECK(got.low < truth.mean);
  CHECK(got.high > truth.mean);
  CHECK((got.high - got.low) / 2 == Approx(1.96 * truth.standard_error).epsilon(.06));
}

TEST_CASE("a score resampled with its labels keeps its AUROC", "[stat]") {
  // Two index vectors, one for labels and one for scores, would give .5 here.
  const std::vector<f64> noise = normal_values(300);
  std::vector<u8> wrong;
  std::vector<f64> score;
  for (std::size_t i = 0; i < 300; ++i) {
    wrong.push_back(i % 2 == 0 ? 1 : 0);
    score.push_back(noise[i] + 1.5 * wrong[i]);
  }
  const Ranking ranking(score);
  const BootstrapDraws draws(300, 1, {.draws = 500}, [&](Counts counts, auto out) {
    out[0] = lm::stat::auroc(ranking, wrong, counts);
  });
  CHECK(lm::stat::mean_error(draws.of(0)).mean ==
        Approx(lm::stat::auroc(ranking, wrong)).margin(.01));
}

TEST_CASE("differences are paired: a statistic minus itself is nothing", "[stat]") {
  const std::vector<f64> values = normal_values(30);
  const BootstrapDraws draws(30, 2, {.draws = 200}, [&](Counts counts, auto out) {
    out[0] = out[1] = lm::stat::mean_error(values, counts).mean;
  });
  const Interval none = lm::stat::difference_interval(draws.of(0), draws.of(1));
  CHECK(none.low == 0);
  CHECK(none.high == 0);
}

TEST_CASE("undefined draws are left out and counted", "[stat]") {
  const Interval got = lm::stat::percentile_interval(std::vector<f64>{1, std::nan(""), 3});
  CHECK(got.defined == 2);
  CHECK(got.low == Approx(1.05));
  CHECK(lm::stat::percentile_interval({}).defined == 0);
  CHECK(std::isnan(lm::stat::percentile_interval({}).low));
}
