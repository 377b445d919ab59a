// Ranks and correlations against definitions written out pair by pair.

#include "stat/rank.h"

#include <cmath>
#include <limits>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"
#include "random_items.h"

namespace {

using lm::f64;
using lm::i64;
using lm::isize;
using lm::u32;
using lm::usize;
using lm::stat::Counts;
using lm::stat::Ranking;
using lm::test::repeated;

// The definition: 1 + how many are smaller + half of how many others are equal.
std::vector<f64> slow_ranks(const std::vector<f64>& x) {
  std::vector<f64> ranks;
  for (const f64 a : x) {
    f64 rank = 0.5;
    for (const f64 b : x)
      rank += b < a ? 1.0 : b == a ? 0.5 : 0.0;
    ranks.push_back(rank);
  }
  return ranks;
}

f64 slow_kendall(const std::vector<f64>& x, const std::vector<f64>& y) {
  f64 sum = 0;
  f64 different_x = 0;
  f64 different_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const f64 dx = x[i] < x[j] ? -1 : x[i] > x[j];
      const f64 dy = y[i] < y[j] ? -1 : y[i] > y[j];
      sum += dx * dy;
      different_x += dx * dx;
      different_y += dy * dy;
    }
  }
  return sum / std::sqrt(different_x * different_y);
}

}  // namespace

TEST_CASE("tied scores share the mean of their ranks", "[stat]") {
  const std::vector<f64> x = {3, 1, 3, 2, 3, 1};
  CHECK(lm::stat::mid_ranks(Ranking(x)) == std::vector<f64>{5, 1.5, 5, 3, 5, 1.5});
  const f64 inf = std::numeric_limits<f64>::infinity();
  CHECK(lm::stat::mid_ranks(Ranking(std::vector<f64>{inf, 0, inf, -inf})) ==
        std::vector<f64>{3.5, 2, 3.5, 1});
  CHECK_THROWS_AS(Ranking(std::vector<f64>{0, std::nan("")}), lm::Error);
}

TEST_CASE("an untied ranking keeps the input order of equal scores", "[stat]") {
  const Ranking ranking = Ranking::untied(std::vector<f64>{2, 1, 2, 1});
  CHECK(lm::stat::mid_ranks(ranking) == std::vector<f64>{3, 1, 4, 2});
}

TEST_CASE("ranks and correlations equal their definitions on random data with ties", "[stat]") {
  for (lm::u64 seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    const lm::test::RandomItems items(seed);
    const std::vector<f64> x = items.scores(0, 7);
    const std::vector<f64> y = items.scores(1, 5);
    const Ranking rx(x);
    const Ranking ry(y);
    CHECK(lm::stat::mid_ranks(rx) == slow_ranks(x));
    CHECK(lm::stat::spearman(rx, ry) ==
          Approx(lm::stat::pearson(slow_ranks(x), slow_ranks(y))).margin(1e-12));
    CHECK(lm::stat::kendall(rx, ry) == Approx(slow_kendall(x, y)).margin(1e-12));
  }
}

TEST_CASE("statistics with counts are those of the repeated items", "[stat]") {
  for (lm::u64 seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const lm::test::RandomItems items(seed);
    const std::vector<f64> x = items.scores(0, 9);
    const std::vector<f64> y = items.scores(1, 4);
    const std::vector<u32> counts = items.counts();
    const std::vector<f64> long_x = repeated(x, counts);
    const std::vector<f64> long_y = repeated(y, counts);
    CHECK(lm::stat::spearman(Ranking(x), Ranking(y), counts) ==
          Approx(lm::stat::spearman(Ranking(long_x), Ranking(long_y))).margin(1e-12));
    CHECK(lm::stat::kendall(Ranking(x), Ranking(y), counts) ==
          Approx(slow_kendall(long_x, long_y)).margin(1e-12));
    CHECK(lm::stat::reversed_pairs(Ranking(x), Ranking(y), counts) ==
          Approx(lm::stat::reversed_pairs(Ranking(long_x), Ranking(long_y))));
  }
}

TEST_CASE("correlations of constants and of single items are undefined", "[stat]") {
  const std::vector<f64> one = {1};
  const std::vector<f64> flat = {2, 2, 2};
  const std::vector<f64> line = {1, 2, 3};
  CHECK(std::isnan(lm::stat::pearson(one, one)));
  CHECK(std::isnan(lm::stat::spearman(Ranking(flat), Ranking(line))));
  CHECK(std::isnan(lm::stat::kendall(Ranking(line), Ranking(flat))));
  CHECK(lm::stat::kendall(Ranking(line), Ranking(line)) == Approx(1));
  CHECK(std::isnan(lm::stat::reversed_pairs(Ranking(one), Ranking(one))));
}

TEST_CASE("reversed pairs are those in which the uncertain item is the better one", "[stat]") {
  // Uncertainty 1 2 3 4, quality 4 3 1 2: of six pairs only the last two items are reversed.
  CHECK(lm::stat::reversed_pairs(Ranking(std::vector<f64>{1, 2, 3, 4}),
                                 Ranking(std::vector<f64>{4, 3, 1, 2})) == Approx(1.0 / 6));
}

TEST_CASE("the rising share counts strict order and reports ties and chance", "[stat]") {
  const f64 nan = std::nan("");
  const std::vector<f64> scores = {1, 2, 3, 1, 1, 2, 3, 2, 1, 1, 2, nan, 0, 5, 6};
  const lm::stat::RisingShare share = lm::stat::rising_share(scores, 3);
  CHECK(share.items == 4);
  CHECK(share.percent == Approx(50));
  CHECK(share.tied_percent == Approx(25));
  CHECK(share.chance_percent == Approx(100.0 / 6));
  CHECK(lm::stat::rising_share(std::vector<f64>{}, 2).items == 0);
  CHECK(std::isnan(lm::stat::rising_share(std::vector<f64>{}, 2).percent));
  CHECK(lm::stat::rising_share(std::vector<f64>{1, 2}, 2).chance_percent == Approx(50));
  CHECK(lm::stat::rising_share(std::vector<f64>{1, 2, 3, 4}, 4).chance_percent ==
        Approx(100.0 / 24));
}
