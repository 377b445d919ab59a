// The metrics of selective answering: hand-computed numbers, and sums over pairs and orders.

#include "stat/selective.h"

#include <algorithm>
#include <cmath>

#include "catch.h"
#include "random_items.h"

namespace {

using lm::f64;
using lm::i64;
using lm::u32;
using lm::u8;
using lm::stat::Ranking;
using lm::test::repeated;

// Six questions of which half are right; three share an uncertainty.
const std::vector<f64> kQuality = {1, 0, 1, 0, 1, 0};
const std::vector<u8> kWrong = {0, 1, 0, 1, 0, 1};
const std::vector<f64> kUncertainty = {.1, .5, .5, .5, .2, .9};

std::vector<f64> negated(std::vector<f64> x) {
  for (f64& v : x)
    v = -v;
  return x;
}

f64 slow_auroc(const std::vector<f64>& u, const std::vector<u8>& wrong) {
  f64 won = 0;
  f64 pairs = 0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    for (std::size_t j = 0; j < u.size(); ++j) {
      if (wrong[i] == 0 || wrong[j] != 0) continue;
      pairs += 1;
      won += u[i] > u[j] ? 1.0 : u[i] == u[j] ? 0.5 : 0.0;
    }
  }
  return won / pairs;
}

// Every threshold in turn, counted anew.
f64 slow_average_precision_wrong(const std::vector<f64>& u, const std::vector<u8>& wrong) {
  std::vector<f64> thresholds = u;
  std::sort(thresholds.begin(), thresholds.end(), std::greater<>());
  thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
  const f64 all = static_cast<f64>(std::count(wrong.begin(), wrong.end(), 1));
  f64 sum = 0;
  f64 recall = 0;
  for (const f64 t : thresholds) {
    f64 taken = 0;
    f64 hits = 0;
    for (std::size_t i = 0; i < u.size(); ++i) {
      if (u[i] < t) continue;
      taken += 1;
      hits += wrong[i];
    }
    sum += (hits / all - recall) * hits / taken;
    recall = hits / all;
  }
  return sum;
}

// Each item's quality replaced by the mean of its tie group, then the mean of prefix means.
f64 slow_area(const std::vector<f64>& u, const std::vector<f64>& quality, f64 reject) {
  std::vector<std::pair<f64, f64>> items;
  for (std::size_t i = 0; i < u.size(); ++i) {
    f64 sum = 0;
    f64 n = 0;
    for (std::size_t j = 0; j < u.size(); ++j) {
      if (u[j] != u[i]) continue;
      sum += quality[j];
      n += 1;
    }
    items.emplace_back(u[i], sum / n);
  }
  std::sort(items.begin(), items.end());
  const i64 n = lm::isize(items);
  const i64 terms = static_cast<i64>(reject * static_cast<f64>(n));
  f64 area = 0;
  for (i64 j = n - terms + 1; j <= n; ++j) {
    f64 sum = 0;
    for (i64 k = 0; k < j; ++k)
      sum += items[lm::usize(k)].second;
    area += sum / static_cast<f64>(j);
  }
  return area / static_cast<f64>(terms);
}

}  // namespace

TEST_CASE("six answers with ties have the metrics worked out by hand", "[stat]") {
  const Ranking u(kUncertainty);
  const Ranking best(negated(kQuality));
  // Wrong against right: 8 of 9 pairs won, counting the two ties half each.
  CHECK(lm::stat::auroc(u, kWrong) == Approx(8.0 / 9).epsilon(1e-12));
  // Two right, then a group of one right in three: (1 + 1 + 3/5) / 3.
  CHECK(lm::stat::average_precision_right(u, kWrong) == Approx(.866667).margin(1e-6));
  CHECK(lm::stat::quality_area(u, kQuality) == Approx(.757407).margin(1e-6));
  CHECK(lm::stat::quality_area(best, kQuality) == Approx(.808333).margin(1e-6));
  CHECK(lm::stat::rejection_ratio(u, best, kQuality) == Approx(.834835).margin(1e-6));
  CHECK(lm::stat::risk_area(u, kQuality) == Approx(1 - .757407).margin(1e-6));
  CHECK(lm::stat::excess_risk_area(u, best, kQuality) == Approx(.808333 - .757407).margin(2e-6));
  const Ranking untied = Ranking::untied(kUncertainty);
  CHECK(lm::stat::quality_area(untied, kQuality) == Approx(.752778).margin(1e-6));
  CHECK(lm::stat::rejection_ratio(untied, best, kQuality) == Approx(.819820).margin(1e-6));
  CHECK(lm::stat::risk_area(untied, kQuality) == Approx(.247222).margin(1e-6));
}

TEST_CASE("equal uncertainties tell nothing, perfect ones everything", "[stat]") {
  const Ranking best(negated(kQuality));
  const Ranking flat(std::vector<f64>(6, .3));
  CHECK(lm::stat::auroc(flat, kWrong) == Approx(.5));
  CHECK(lm::stat::rejection_ratio(flat, best, kQuality) == Approx(0).margin(1e-12));
  CHECK(lm::stat::auroc(best, kWrong) == 1);
  CHECK(lm::stat::rejection_ratio(best, best, kQuality) == 1);
  CHECK(lm::stat::rejection_ratio(best, best, kQuality, {}, .5) == 1);
  CHECK(lm::stat::excess_risk_area(best, best, kQuality) == 0);
}

TEST_CASE("metrics of one class, one item or none are undefined", "[stat]") {
  const std::vector<f64> u = {1, 2};
  const std::vector<u8> right = {0, 0};
  const std::vector<f64> quality = {1, 1};
  CHECK(std::isnan(lm::stat::auroc(Ranking(u), right)));
  CHECK(std::isnan(lm::stat::average_precision_wrong(Ranking(u), right)));
  CHECK(lm::stat::average_precision_right(Ranking(u), right) == 1);
  CHECK(std::isnan(lm::stat::rejection_ratio(Ranking(u), Ranking(negated(quality)), quality)));
  CHECK(lm::stat::risk_area(Ranking(u), quality) == 0);
  const std::vector<f64> one = {1};
  CHECK(lm::stat::quality_area(Ranking(one), one) == 1);
  CHECK(std::isnan(lm::stat::quality_area(Ranking(one), one, {}, .5)));
  const std::vector<f64> none;
  CHECK(std::isnan(lm::stat::quality_area(Ranking(none), none)));
  CHECK(std::isnan(lm::stat::auroc(Ranking(none), {})));
}

TEST_CASE("metrics equal their definitions on random data, with counts as with copies", "[stat]") {
  for (lm::u64 seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    const lm::test::RandomItems items(seed);
    const std::vector<f64> u = items.scores(0, 8);
    const std::vector<u8> wrong = items.labels();
    const std::vector<f64> quality = items.qualities();
    const std::vector<u32> counts = items.counts();
    const std::vector<f64> long_u = repeated(u, counts);
    const std::vector<u8> long_wrong = repeated(wrong, counts);
    const std::vector<f64> long_quality = repeated(quality, counts);
    if (std::count(long_wrong.begin(), long_wrong.end(), 1) > 0) {
      CHECK(lm::stat::average_precision_wrong(Ranking(u), wrong, counts) ==
            Approx(slow_average_precision_wrong(long_u, long_wrong)).epsilon(1e-12));
      if (std::count(long_wrong.begin(), long_wrong.end(), 0) > 0)
        CHECK(lm::stat::auroc(Ranking(u), wrong, counts) ==
              Approx(slow_auroc(long_u, long_wrong)).epsilon(1e-12));
    }
    if (long_u.size() < 2) continue;
    for (const f64 reject : {1.0, .5}) {
      CHECK(lm::stat::quality_area(Ranking(u), quality, counts, reject) ==
            Approx(slow_area(long_u, long_quality, reject)).epsilon(1e-12));
    }
  }
}

TEST_CASE("finding the right answers is finding the wrong ones with signs turned", "[stat]") {
  for (lm::u64 seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const lm::test::RandomItems items(seed);
    const std::vector<f64> u = items.scores(0, 8);
    std::vector<u8> wrong = items.labels();
    const f64 found = lm::stat::average_precision_right(Ranking(u), wrong);
    for (u8& w : wrong)
      w = w == 0 ? 1 : 0;
    const f64 turned = lm::stat::average_precision_wrong(Ranking(negated(u)), wrong);
    CHECK((found == turned || (std::isnan(found) && std::isnan(turned))));
  }
}

TEST_CASE("quality at a coverage counts part of a tie group by its mean", "[stat]") {
  const std::vector<f64> coverages = {1.0 / 6, 2.0 / 6, .5, .6, 1};
  std::vector<f64> out(coverages.size());
  lm::stat::quality_at(Ranking(kUncertainty), kQuality, coverages, out);
  // ceil(.6 x 6) = 4: two right ones and two thirds of a right one.
  const std::vector<f64> want = {1, 1, (2 + 1.0 / 3) / 3, (2 + 2.0 / 3) / 4, .5};
  for (std::size_t i = 0; i < want.size(); ++i)
    CHECK(out[i] == Approx(want[i]).epsilon(1e-12));
  std::vector<f64> nothing(1);
  lm::stat::quality_at(Ranking(std::vector<f64>{}), {}, std::vector<f64>{1}, nothing);
  CHECK(std::isnan(nothing[0]));
}
