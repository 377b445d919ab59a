// Distances from known states: worked numbers, slow versions, exact enumeration.

#include "uq/density.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "catch.h"
#include "core/random.h"
#include "stat/calibration.h"
#include "stat/mean.h"

namespace {

using namespace lm;
using namespace lm::uq;

std::vector<f64> normal(i64 n, u64 seed) {
  const RandomStream random(seed, RandomPurpose::kOther, 1);
  std::vector<f64> out;
  for (i64 i = 0; i < n; ++i)
    out.push_back(random.normal(static_cast<u64>(i)));
  return out;
}

std::span<const f64> row(const std::vector<f64>& x, i64 width, i64 i) {
  return std::span(x).subspan(usize(i * width), usize(width));
}

struct Plane {  // mean and covariance of points in the plane
  f64 mx = 0, my = 0, xx = 0, xy = 0, yy = 0;
  f64 determinant() const { return xx * yy - xy * xy; }
  f64 square(f64 x, f64 y) const {
    const f64 a = x - mx;
    const f64 b = y - my;
    return (yy * a * a - 2 * xy * a * b + xx * b * b) / determinant();
  }
};

Plane plane_of(const std::vector<f64>& x, const std::vector<i64>& rows) {
  Plane out;
  const f64 n = static_cast<f64>(rows.size());
  for (const i64 i : rows) {
    out.mx += x[usize(2 * i)] / n;
    out.my += x[usize(2 * i + 1)] / n;
  }
  for (const i64 i : rows) {
    const f64 a = x[usize(2 * i)] - out.mx;
    const f64 b = x[usize(2 * i + 1)] - out.my;
    out.xx += a * a / n;
    out.xy += a * b / n;
    out.yy += b * b / n;
  }
  return out;
}

}  // namespace

TEST_CASE("a Cholesky factor gives determinant and quadratic form", "[uq]") {
  // 4 2; 2 3: the inverse is (3 -2; -2 4) / 8.
  Cholesky c;
  REQUIRE(c.factor(std::vector<f64>{4, 0, 2, 3}, 2));
  CHECK(c.lower()[0] == 2);
  CHECK(c.lower()[2] == 1);
  CHECK(c.lower()[3] == Approx(std::sqrt(2)));
  CHECK(c.log_determinant() == Approx(std::log(8)));
  CHECK(c.quadratic(std::vector<f64>{1, 1}) == Approx(3.0 / 8));
  CHECK_FALSE(c.factor(std::vector<f64>{1, 0, 1, 1}, 2));  // singular
}

TEST_CASE("a Gaussian's distance is that worked out by hand", "[uq]") {
  const std::vector<f64> square = {0, 0, 2, 0, 0, 2, 2, 2};
  const std::optional<Gaussian> fit = fit_gaussian(square, 2);
  REQUIRE(fit);
  CHECK(fit->mean == std::vector<f64>{1, 1});
  // Variance 4/3 along both axes.
  CHECK(fit->distance(std::vector<f64>{1, 3}) == Approx(2 / std::sqrt(4.0 / 3)).epsilon(1e-6));
  CHECK_FALSE(fit_gaussian(std::vector<f64>{1, 1, 1, 1}, 2));  // no deviation
  CHECK_FALSE(fit_gaussian(std::vector<f64>{1, 2}, 2));        // one row
  // Fewer rows than numbers: the ridge makes distances finite.
  const std::optional<Gaussian> wide = fit_gaussian(normal(3 * 8, 1), 8);
  REQUIRE(wide);
  CHECK(std::isfinite(wide->distance(normal(8, 2))));
}

TEST_CASE("distances out of fold are those of fits without the fold", "[uq]") {
  const i64 width = 3;
  const std::vector<f64> x = normal(23 * width, 5);
  const std::vector<f64> got = cross_distances(x, width, 9);
  REQUIRE(got.size() == 23);
  const std::vector<u8> fold = stat::random_folds(23, 5, 9);
  for (i64 i = 0; i < 23; ++i) {
    std::vector<f64> rest;
    for (i64 j = 0; j < 23; ++j) {
      if (fold[usize(j)] == fold[usize(i)]) continue;
      const auto other = row(x, width, j);
      rest.insert(rest.end(), other.begin(), other.end());
    }
    CHECK(got[usize(i)] == Approx(fit_gaussian(rest, width)->distance(row(x, width, i))));
  }
  CHECK(cross_distances(normal(9 * width, 5), width, 9).empty());
}

TEST_CASE("all kernel components together are the centred kernel", "[uq]") {
  const i64 n = 7;
  const i64 width = 2;
  const std::vector<f64> x = normal(n * width, 3);
  const KernelPca pca = fit_kernel_pca(x, width, 100);
  REQUIRE(pca.components == n - 1);  // centring takes one away
  std::vector<f64> distances;
  const auto square = [&](i64 i, i64 j) {
    return std::pow(x[usize(2 * i)] - x[usize(2 * j)], 2) +
           std::pow(x[usize(2 * i + 1)] - x[usize(2 * j + 1)], 2);
  };
  for (i64 i = 0; i < n; ++i) {
    for (i64 j = 0; j < i; ++j)
      distances.push_back(square(i, j));
  }
  std::sort(distances.begin(), distances.end());
  CHECK(pca.gamma == Approx(1 / distances[10]));  // of 21 the middle one
  const auto kernel = [&](i64 i, i64 j) { return std::exp(-pca.gamma * square(i, j)); };
  const auto centred = [&](i64 i, i64 j) {
    f64 out = kernel(i, j);
    for (i64 k = 0; k < n; ++k) {
      out -= (kernel(i, k) + kernel(k, j)) / static_cast<f64>(n);
      for (i64 l = 0; l < n; ++l)
        out += kernel(k, l) / static_cast<f64>(n * n);
    }
    return out;
  };
  std::vector<std::vector<f64>> z(usize(n), std::vector<f64>(usize(pca.components)));
  for (i64 i = 0; i < n; ++i)
    pca.project(row(x, width, i), z[usize(i)]);
  for (i64 i = 0; i < n; ++i) {
    for (i64 j = 0; j < n; ++j)
      CHECK(std::inner_product(z[usize(i)].begin(), z[usize(i)].end(), z[usize(j)].begin(), 0.0) ==
            Approx(centred(i, j)).margin(1e-9));
  }
}

TEST_CASE("quantiles of chi-square are the tabulated ones", "[uq]") {
  CHECK(chi_square_quantile(0.5, 2) == Approx(2 * std::log(2)));  // exponential
  CHECK(chi_square_quantile(0.975, 1) == Approx(5.023886).margin(1e-6));
  CHECK(chi_square_quantile(0.5, 10) == Approx(9.341818).margin(1e-6));
  CHECK(chi_square_quantile(0.975, 100) == Approx(129.561197).margin(1e-5));
}

TEST_CASE("the robust covariance is that of the best of all halves", "[uq]") {
  // Nine points, two of them far: (9 + 2 + 1) / 2 = 6 of 9, 84 subsets.
  std::vector<f64> x = normal(18, 4);
  x[0] += 30;
  x[3] -= 25;
  f64 least = INFINITY;
  std::vector<i64> best;
  for (i64 bits = 0; bits < 512; ++bits) {
    std::vector<i64> rows;
    for (i64 i = 0; i < 9; ++i) {
      if ((bits >> i & 1) != 0) rows.push_back(i);
    }
    if (rows.size() != 6 || plane_of(x, rows).determinant() >= least) continue;
    least = plane_of(x, rows).determinant();
    best = rows;
  }
  const Plane raw = plane_of(x, best);
  std::vector<f64> squares;
  for (i64 i = 0; i < 9; ++i)
    squares.push_back(raw.square(x[usize(2 * i)], x[usize(2 * i + 1)]));
  std::vector<f64> sorted = squares;
  std::sort(sorted.begin(), sorted.end());
  // -2 ln(1 - q) are the quantiles for two degrees of freedom.
  const f64 most = sorted[4] / (2 * std::log(2)) * (-2 * std::log(0.025));
  std::vector<i64> near;
  for (i64 i = 0; i < 9; ++i) {
    if (squares[usize(i)] < most) near.push_back(i);
  }
  const Plane want = plane_of(x, near);
  const std::optional<Gaussian> got = robust_gaussian(x, 2, 1);
  REQUIRE(got);
  CHECK(got->mean[0] == Approx(want.mx));
  CHECK(got->mean[1] == Approx(want.my));
  for (i64 i = 0; i < 9; ++i)
    CHECK(got->distance(row(x, 2, i)) ==
          Approx(std::sqrt(want.square(x[usize(2 * i)], x[usize(2 * i + 1)]))));
  CHECK_FALSE(robust_gaussian(std::vector<f64>(18, 1.0), 2, 1));  // all equal
}

TEST_CASE("outliers among known states do not make their kind near", "[uq]") {
  const i64 width = 6;
  std::vector<f64> x = normal(60 * width, 8);
  for (i64 i = 0; i < 8 * width; ++i)
    x[usize(i)] += 12;  // eight of sixty come from elsewhere
  const std::optional<RobustDensity> robust = fit_robust_density(x, width, 500, 3);
  REQUIRE(robust);
  CHECK(robust->pca.components == 12);
  f64 inside = 0;
  f64 outside = INFINITY;
  for (i64 i = 0; i < 60; ++i) {
    const f64 d = robust->distance(row(x, width, i));
    if (i < 8) outside = std::min(outside, d);
    if (i >= 8) inside += d / 52;
  }
  CHECK(outside > 2 * inside);
  // The same seed draws the same rows; more rows than `most` are drawn from.
  const std::optional<RobustDensity> few = fit_robust_density(x, width, 30, 3);
  REQUIRE(few);
  CHECK(few->pca.count() == 30);
  CHECK(few->distance(row(x, width, 5)) ==
        fit_robust_density(x, width, 30, 3)->distance(row(x, width, 5)));
  CHECK_FALSE(fit_robust_density(normal(9 * width, 1), width, 500, 3));
}
