// Ensembles under both posteriors, by hand.

#include "uq/ensemble.h"

#include <cmath>

#include "catch.h"

namespace {

using namespace lm;
using namespace lm::uq;

Table coins(const std::vector<std::vector<f64>>& heads) {
  Table out;
  out.shape = {isize(heads), isize(heads[0]), 2};
  for (const std::vector<f64>& member : heads) {
    for (const f64 p : member) {
      out.values.push_back(std::log(p));
      out.values.push_back(std::log(1 - p));
    }
  }
  return out;
}

f64 h(f64 p) {
  return -p * std::log(p) - (1 - p) * std::log(1 - p);
}

f64 kl(f64 p, f64 q) {
  return p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q));
}

}  // namespace

TEST_CASE("members weigh by what they said of the tokens before", "[uq]") {
  const Table table = coins({{.5, .5}, {.25, .2}});
  const auto even = ensemble_measures(table, {}, Posterior::kProductOfExpectations);
  REQUIRE(even);
  CHECK(even->total == Approx((h(.375) + h(.35)) / 2));
  CHECK(even->data == Approx((h(.5) + h(.25) + h(.5) + h(.2)) / 4));
  const f64 pairs = (kl(.5, .25) + kl(.25, .5) + kl(.5, .2) + kl(.2, .5)) / 4;
  CHECK(even->pairwise == Approx(pairs));
  CHECK(even->top5 == Approx(even->total));  // two tokens are all
  // The first token is 0: weights 1/2, 1/2, then .5 / .75 and .25 / .75.
  const std::vector<i64> tokens = {0, 1};
  const auto past = ensemble_measures(table, tokens, Posterior::kExpectationOfProducts);
  REQUIRE(past);
  CHECK(past->total == Approx((h(.375) + h(.5 * 2 / 3 + .2 / 3)) / 2));
  CHECK(past->data == Approx(((h(.5) + h(.25)) / 2 + (2 * h(.5) + h(.2)) / 3) / 2));
  CHECK(past->pairwise == Approx(pairs));  // two members make one pair, both ways
  CHECK(past->total - past->data >= 0);
  CHECK_FALSE(ensemble_measures(table, {}, Posterior::kExpectationOfProducts));
  CHECK_FALSE(ensemble_measures(table, std::vector<i64>{0, 2}, Posterior::kExpectationOfProducts));
  CHECK_FALSE(ensemble_measures({}, tokens, Posterior::kProductOfExpectations));
}

TEST_CASE("three members weigh every pair", "[uq]") {
  const Table table = coins({{.5, .4}, {.25, .3}, {.8, .9}});
  const std::vector<i64> tokens = {1, 0};
  const auto past = ensemble_measures(table, tokens, Posterior::kExpectationOfProducts);
  const f64 p[] = {.4, .3, .9};
  f64 w[] = {.5, .75, .2};  // of token 1 at the first place
  const f64 all = w[0] + w[1] + w[2];
  f64 sum = 0;
  f64 weight = 0;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      if (i == j) continue;
      sum += w[i] * w[j] / (all * all) * kl(p[i], p[j]);
      weight += w[i] * w[j] / (all * all);
    }
  }
  const f64 first =
      (kl(.5, .25) + kl(.25, .5) + kl(.5, .8) + kl(.8, .5) + kl(.25, .8) + kl(.8, .25)) / 6;
  CHECK(past->pairwise == Approx((first + sum / weight) / 2));
}

TEST_CASE("entropies of the likeliest are of these alone", "[uq]") {
  Table table;
  table.shape = {1, 1, 20};
  f64 all = 0;
  for (int v = 0; v < 20; ++v)
    all += std::pow(.8, v);
  for (int v = 0; v < 20; ++v)  // out of order
    table.values.push_back(std::log(std::pow(.8, v * 7 % 20) / all));
  const auto got = ensemble_measures(table, {}, Posterior::kProductOfExpectations);
  const auto want = [](int k) {
    f64 sum = 0;
    for (int v = 0; v < k; ++v)
      sum += std::pow(.8, v);
    f64 entropy = 0;
    for (int v = 0; v < k; ++v)
      entropy -= std::pow(.8, v) / sum * std::log(std::pow(.8, v) / sum);
    return entropy;
  };
  CHECK(got->top5 == Approx(want(5)));
  CHECK(got->top10 == Approx(want(10)));
  CHECK(got->top15 == Approx(want(15)));
  CHECK(got->total == Approx(want(20)));
  CHECK(std::isnan(got->pairwise));  // one member has no pair
}
