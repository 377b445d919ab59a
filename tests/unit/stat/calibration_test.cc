// Calibration errors and monotone fits: hand-computed numbers, definitions, exhaustive minima.

#include "stat/calibration.h"

#include <algorithm>
#include <cmath>

#include "catch.h"
#include "random_items.h"

namespace {

using lm::f64;
using lm::i64;
using lm::u32;
using lm::u8;
using lm::usize;
using lm::stat::FallingFit;
using lm::stat::Ranking;
using lm::test::repeated;

const std::vector<f64> kQuality = {1, 0, 1, 0, 1, 0};
const std::vector<f64> kUncertainty = {.1, .5, .5, .5, .2, .9};

std::vector<f64> confidence() {
  std::vector<f64> p = kUncertainty;
  for (f64& v : p)
    v = 1 - v;
  return p;
}

// max-min formula of the non-increasing fit over distinct scores (Barlow et al. 1972, 1.4):
// min over starts a <= k of max over ends b >= k of the mean of [a, b].
std::vector<f64> slow_fit(const std::vector<f64>& scores, const std::vector<f64>& target) {
  std::vector<f64> knots = scores;
  std::sort(knots.begin(), knots.end());
  knots.erase(std::unique(knots.begin(), knots.end()), knots.end());
  const auto mean = [&](f64 from, f64 to) {
    f64 sum = 0;
    f64 n = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (scores[i] < from || scores[i] > to) continue;
      sum += target[i];
      n += 1;
    }
    return sum / n;
  };
  std::vector<f64> out;
  for (const f64 score : scores) {
    f64 best = 2;
    for (const f64 a : knots) {
      if (a > score) break;
      f64 most = -1;
      for (const f64 b : knots) {
        if (b >= score) most = std::max(most, mean(a, b));
      }
      best = std::min(best, most);
    }
    out.push_back(best);
  }
  return out;
}

}  // namespace

TEST_CASE("six answers have the calibration worked out by hand", "[stat]") {
  const std::vector<f64> p = confidence();
  CHECK(lm::stat::calibration_equal_width(p, kQuality, 5).expected == Approx(.15).margin(1e-12));
  // The widest gap: probability .8 of something right.
  CHECK(lm::stat::calibration_equal_width(p, kQuality, 5).largest == Approx(.2).margin(1e-12));
  const Ranking u(kUncertainty);
  const FallingFit fit(u, kUncertainty, kQuality);
  CHECK(fit.at(.1) == 1);
  CHECK(fit.at(.2) == 1);
  CHECK(fit.at(.5) == Approx(1.0 / 3));
  CHECK(fit.at(.9) == 0);
  CHECK(lm::stat::brier_fit(u, kUncertainty, kQuality) == Approx(.111111).margin(1e-6));
  // Squares .01 .25 .25 .25 .04 .01 over six.
  CHECK(lm::stat::brier(p, kQuality) == Approx(.135).margin(1e-12));
}

TEST_CASE("bins are closed above and zero belongs to the first", "[stat]") {
  const std::vector<f64> p = {0, .5, .5000001, 1};
  const std::vector<f64> target = {0, 1, 0, 1};
  // Two bins: {0, .5} with gap |.25 - .5|, {.5000001, 1} with gap |.75 - .5|.
  CHECK(lm::stat::calibration_equal_width(p, target, 2).expected == Approx(.25).margin(1e-6));
}

TEST_CASE("bins of equal mass do not part equal probabilities", "[stat]") {
  const std::vector<f64> p = {.1, .4, .4, .4, .8, .9};
  const std::vector<f64> target = {0, 0, 1, 0, 1, 1};
  // Three bins of two: {.1, .4 x 3} is due at its end, then {.8, .9}.
  const lm::stat::CalibrationError got = lm::stat::calibration_equal_mass(Ranking(p), p, target, 3);
  CHECK(got.expected == Approx((std::abs(1.3 - 1) + std::abs(1.7 - 2)) / 6).epsilon(1e-12));
  CHECK(got.largest == Approx(.3 / 2).epsilon(1e-12));
}

TEST_CASE("a probability that always holds has no calibration error", "[stat]") {
  const std::vector<f64> p = {.5, .5, 1, 1};
  const std::vector<f64> target = {0, 1, 1, 1};
  CHECK(lm::stat::calibration_equal_width(p, target, 15).expected == 0);
  CHECK(lm::stat::calibration_equal_mass(Ranking(p), p, target, 2).largest == 0);
  CHECK(std::isnan(lm::stat::calibration_equal_width({}, {}, 5).expected));
}

TEST_CASE("the falling fit equals the max-min formula, with counts as with copies", "[stat]") {
  for (lm::u64 seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    const lm::test::RandomItems items(seed);
    const std::vector<f64> scores = items.scores(0, 9);
    const std::vector<f64> target = items.qualities();
    const std::vector<f64> want = slow_fit(scores, target);
    const FallingFit fit(Ranking(scores), scores, target);
    for (std::size_t i = 0; i < scores.size(); ++i)
      CHECK(fit.at(scores[i]) == Approx(want[i]).margin(1e-12));
    const std::vector<u32> counts = items.counts();
    const std::vector<f64> long_scores = repeated(scores, counts);
    const std::vector<f64> long_target = repeated(target, counts);
    if (long_scores.empty()) continue;
    CHECK(
        lm::stat::brier_fit(Ranking(scores), scores, target, counts) ==
        Approx(lm::stat::brier_fit(Ranking(long_scores), long_scores, long_target)).margin(1e-12));
    CHECK(lm::stat::calibration_equal_width(target, target, 4, counts).expected ==
          Approx(0).margin(1e-12));
  }
}

TEST_CASE("the fit is linear between scores and constant beyond them", "[stat]") {
  const std::vector<f64> scores = {1, 3, INFINITY};
  const std::vector<f64> target = {1, .5, 0};
  const FallingFit fit(Ranking(scores), scores, target);
  CHECK(fit.at(-7) == 1);
  CHECK(fit.at(2) == Approx(.75));
  CHECK(fit.at(1e300) == Approx(.25));
  CHECK(fit.at(INFINITY) == 0);
  CHECK(std::isnan(FallingFit(Ranking(std::vector<f64>{}), {}, {}).at(0)));
}

TEST_CASE("cross-fitting judges every item by the others", "[stat]") {
  const std::vector<f64> scores = {1, 2, 3, 4};
  const std::vector<f64> target = {1, 1, 0, 0};
  const std::vector<u8> folds = {0, 1, 0, 1};
  // Fold 0 is judged by (2 -> 1, 4 -> 0): 1 and .5. Fold 1 by (1 -> 1, 3 -> 0): .5 and 0.
  CHECK(lm::stat::brier_cross_fit(Ranking(scores), scores, target, folds, 2) ==
        Approx((0 + .25 + .25 + 0) / 4).margin(1e-12));
  CHECK(std::isnan(lm::stat::brier_cross_fit(Ranking(std::vector<f64>{1}), std::vector<f64>{1},
                                             std::vector<f64>{1}, std::vector<u8>{0}, 5)));
}

TEST_CASE("folds are balanced and a function of the seed", "[stat]") {
  const std::vector<u8> folds = lm::stat::random_folds(103, 5, 7);
  for (u8 fold = 0; fold < 5; ++fold) {
    const i64 size = std::count(folds.begin(), folds.end(), fold);
    CHECK(size >= 20);
    CHECK(size <= 21);
  }
  CHECK(folds == lm::stat::random_folds(103, 5, 7));
  CHECK(folds != lm::stat::random_folds(103, 5, 8));
  i64 in_turn = 0;
  for (i64 i = 0; i < 103; ++i)
    in_turn += folds[usize(i)] == i % 5 ? 1 : 0;
  CHECK(in_turn < 60);
}
