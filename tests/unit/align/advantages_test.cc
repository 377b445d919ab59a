#include "align/advantages.h"

#include <cmath>
#include <numeric>

#include "catch.h"

using namespace lm;

TEST_CASE("token rewards are the divergence and the reward at the end", "[align]") {
  const std::vector<f32> logp = {-1, -2, -0.5f}, ref = {-1.5f, -1, -0.5f};
  const std::vector<f64> rewards = align::token_rewards(logp, ref, 0.1, 2);
  CHECK(rewards == std::vector<f64>{-0.1 * 0.5, -0.1 * -1.0, -0.0 + 2});
}

TEST_CASE("generalised advantages are what their sum says", "[align]") {
  const std::vector<f64> rewards = {0.5, -1, 2};
  const std::vector<f32> values = {1, 0.25f, -0.5f};
  const f64 gamma = 0.9, lambda = 0.8;
  // delta_t = r_t + gamma V_(t+1) - V_t
  const std::vector<f64> delta = {0.5 + 0.9 * 0.25 - 1, -1 + 0.9 * -0.5 - 0.25, 2 + 0.5};
  const std::vector<f64> got = align::gae(rewards, values, gamma, lambda);
  for (std::size_t t = 0; t < 3; ++t) {
    f64 expected = 0;
    for (std::size_t k = t; k < 3; ++k)
      expected += std::pow(gamma * lambda, static_cast<f64>(k - t)) * delta[k];
    CHECK(got[t] == Approx(expected).epsilon(1e-12));
  }
  // lambda = 1: the return less the value. lambda = 0: the surprise.
  const std::vector<f64> all = align::gae(rewards, values, 1, 1);
  CHECK(all[0] == Approx(1.5 - 1));
  CHECK(all[1] == Approx(1 - 0.25));
  CHECK(all[2] == Approx(2 + 0.5));
  CHECK(align::gae(rewards, values, 1, 0)[0] == Approx(0.5 + 0.25 - 1));
  CHECK(align::gae({}, {}, 1, 1).empty());
}

TEST_CASE("whitened numbers have mean 0 and deviation 1", "[align]") {
  std::vector<f64> values = {1, 2, 3, 10};
  align::whiten(values);
  CHECK(std::accumulate(values.begin(), values.end(), 0.0) == Approx(0).margin(1e-12));
  CHECK(std::inner_product(values.begin(), values.end(), values.begin(), 0.0) / 4 ==
        Approx(1).epsilon(1e-6));
  std::vector<f64> same = {2, 2};
  align::whiten(same);
  CHECK(same == std::vector<f64>{0, 0});
}

TEST_CASE("leave-one-out takes the mean of the others", "[align]") {
  std::vector<f64> rewards = {1, 4, 7};
  align::leave_one_out(rewards);
  CHECK(rewards == std::vector<f64>{1 - 5.5, 4 - 4.0, 7 - 2.5});
  std::vector<f64> alone = {3};
  align::leave_one_out(alone);
  CHECK(alone == std::vector<f64>{3});
}

TEST_CASE("a group's rewards are normalised, equal ones come to nothing", "[align]") {
  std::vector<f64> rewards = {0, 1, 1, 0};
  align::normalise_group(rewards);
  CHECK(rewards[0] == Approx(-1).epsilon(1e-5));
  CHECK(rewards[1] == Approx(1).epsilon(1e-5));
  std::vector<f64> equal(3, 0.1);  // whose mean is not exactly 0.1
  align::normalise_group(equal);
  for (const f64 value : equal)
    CHECK(std::abs(value) < 1e-9);
}

TEST_CASE("with the leave-one-out baseline the slope has the right expectation", "[align]") {
  // Three actions of a softmax policy, two draws; all nine outcomes are enumerated. The slope of
  // the expected reward by logit j is p_j (r_j - mean reward).
  const f64 p[] = {0.2, 0.5, 0.3}, r[] = {1.0, -2.0, 4.0};
  const f64 mean = 0.2 * 1 - 0.5 * 2 + 0.3 * 4;
  for (int j = 0; j < 3; ++j) {
    f64 expected = 0;
    for (int a = 0; a < 3; ++a) {
      for (int b = 0; b < 3; ++b) {
        std::vector<f64> advantage = {r[a], r[b]};
        align::leave_one_out(advantage);
        const f64 slope =
            advantage[0] * ((a == j ? 1 : 0) - p[j]) + advantage[1] * ((b == j ? 1 : 0) - p[j]);
        expected += p[a] * p[b] * slope / 2;
      }
    }
    CHECK(expected == Approx(p[j] * (r[j] - mean)).epsilon(1e-12));
  }
}
