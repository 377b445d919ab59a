// The probe of p_ik against its optimality conditions, and ranks among training answers.

#include "uq/fitted.h"

#include <cmath>

#include "catch.h"
#include "core/random.h"

namespace {

using namespace lm;
using namespace lm::uq;

}  // namespace

TEST_CASE("a probe of two prompts is the solution of its equation", "[uq]") {
  // x = -3 and 5, scaled to -1 and 1: 2 / (1 + e^w) = ridge w, no bias in the middle.
  for (const f64 ridge : {0.1, 1.0, 10.0}) {
    const Probe probe = fit_probe(std::vector<f64>{-3, 5}, 1, std::vector<f64>{0, 1}, ridge);
    const f64 w = probe.weight[0] * 4;  // the deviation is 4
    CHECK(2 / (1 + std::exp(w)) == Approx(ridge * w));
    CHECK(probe.probability(std::vector<f64>{1}) == Approx(0.5));
    CHECK(probe.probability(std::vector<f64>{5}) == Approx(1 / (1 + std::exp(-w))));
  }
}

TEST_CASE("at the probe's minimum the gradient of the loss vanishes", "[uq]") {
  const RandomStream random(3, RandomPurpose::kOther, 7);
  const i64 n = 40;
  for (const i64 width : {3, 60}) {  // more prompts than numbers, and fewer
    std::vector<f64> x, target;
    for (i64 i = 0; i < n; ++i) {
      for (i64 c = 0; c < width; ++c)
        x.push_back(c == 1 ? 4.0 : random.normal(static_cast<u64>(i * width + c)) * 3 + 1);
      target.push_back(x[usize(i * width)] > 1 ? 1 : i % 3 == 0 ? 0.25 : 0);
    }
    const Probe probe = fit_probe(x, width, target, 2);
    CHECK(probe.weight[1] == 0);  // a constant column says nothing
    std::vector<f64> mean(usize(width), 0.0), deviation(usize(width), 0.0);
    for (i64 i = 0; i < n * width; ++i)
      mean[usize(i % width)] += x[usize(i)] / static_cast<f64>(n);
    for (i64 i = 0; i < n * width; ++i)
      deviation[usize(i % width)] +=
          std::pow(x[usize(i)] - mean[usize(i % width)], 2) / static_cast<f64>(n);
    f64 of_bias = 0;
    std::vector<f64> gradient(usize(width), 0.0);
    for (i64 i = 0; i < n; ++i) {
      const std::span<const f64> row = std::span(x).subspan(usize(i * width), usize(width));
      const f64 miss = probe.probability(row) - target[usize(i)];
      of_bias += miss;
      for (i64 c = 0; c < width; ++c)
        gradient[usize(c)] += miss * (row[usize(c)] - mean[usize(c)]);
    }
    CHECK(of_bias == Approx(0).margin(1e-6));
    for (i64 c = 0; c < width; ++c) {
      const f64 s2 = deviation[usize(c)];
      // d loss / d w_scaled = (gradient + ridge w s^2) / s.
      CHECK(gradient[usize(c)] + 2 * probe.weight[usize(c)] * s2 == Approx(0).margin(1e-5));
    }
  }
}

TEST_CASE("ranks count training answers up to a value, and the hybrid takes the right one",
          "[uq]") {
  // 95 % quantiles: 3.85 of the perplexities, 1 + .85 * 8 = 7.8 of the distances.
  const TrainingRanks ranks({4, 2, 3, 1}, {9, 1, 1, 1});
  CHECK(ranks.perplexity_rank(0.5) == 0);
  CHECK(ranks.perplexity_rank(2) == 0.5);
  CHECK(ranks.perplexity_rank(9) == 1);
  CHECK(ranks.distance_rank(1) == 0.75);
  CHECK(ranks.hybrid(2.5, 1) == Approx(2.0 / 3));  // in distribution: among 1, 2, 3
  CHECK(ranks.hybrid(3.9, 1) == Approx(0.75));     // ambiguous: among all
  CHECK(ranks.hybrid(2, 8) == Approx((0.75 + 0.5) / 2));
}
