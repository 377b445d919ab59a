// Eigenvalues: known matrices, and the definition A v = lambda v on random ones.

#include "stat/eigen.h"

#include <cmath>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"

using lm::f64;
using lm::i64;
using lm::usize;

TEST_CASE("small matrices have the eigenvalues worked out by hand", "[stat]") {
  lm::stat::SymmetricEigen eigen;
  eigen.compute(std::vector<f64>{2, 1, 1, 2}, 2, true);
  CHECK(eigen.values()[0] == Approx(1));
  CHECK(eigen.values()[1] == Approx(3));
  CHECK(std::abs(eigen.vector(1)[0]) == Approx(std::sqrt(.5)));
  eigen.compute(std::vector<f64>{5, 0, 0, 0, -1, 0, 0, 0, 2}, 3, true);
  CHECK(std::vector<f64>(eigen.values().begin(), eigen.values().end()) ==
        std::vector<f64>{-1, 2, 5});
  CHECK(std::abs(eigen.vector(0)[1]) == 1);
  eigen.compute(std::vector<f64>{7}, 1, false);
  CHECK(eigen.values()[0] == 7);
  eigen.compute({}, 0, true);
  CHECK(eigen.values().empty());
  // All ones: n once, else zero.
  eigen.compute(std::vector<f64>(100, 1.0), 10, false);
  CHECK(eigen.values()[9] == Approx(10).epsilon(1e-14));
  CHECK(eigen.values()[8] == Approx(0).margin(1e-14));
  CHECK_THROWS_AS(eigen.compute(std::vector<f64>{NAN}, 1, false), lm::Error);
}

TEST_CASE("random symmetric matrices are taken apart to rounding", "[stat]") {
  lm::stat::SymmetricEigen eigen;
  for (const i64 n : {2, 3, 10, 33, 64}) {
    CAPTURE(n);
    const lm::RandomStream random(static_cast<lm::u64>(n), lm::RandomPurpose::kOther);
    std::vector<f64> a(usize(n * n));
    for (i64 i = 0; i < n; ++i) {
      for (i64 j = 0; j <= i; ++j)
        a[usize(i * n + j)] = a[usize(j * n + i)] = random.normal(static_cast<lm::u64>(i * n + j));
    }
    eigen.compute(a, n, true);
    f64 worst = 0;
    f64 trace = 0;
    for (i64 k = 0; k < n; ++k) {
      trace += eigen.values()[usize(k)] - a[usize(k * n + k)];
      for (i64 i = 0; i < n; ++i) {
        f64 sum = 0;
        for (i64 j = 0; j < n; ++j)
          sum += a[usize(i * n + j)] * eigen.vector(k)[usize(j)];
        worst =
            std::max(worst, std::abs(sum - eigen.values()[usize(k)] * eigen.vector(k)[usize(i)]));
      }
      f64 length = 0;
      f64 dot = 0;
      for (i64 i = 0; i < n; ++i) {
        length += eigen.vector(k)[usize(i)] * eigen.vector(k)[usize(i)];
        dot += eigen.vector(k)[usize(i)] * eigen.vector(0)[usize(i)];
      }
      worst = std::max(worst, std::abs(length - 1));
      if (k > 0) worst = std::max(worst, std::abs(dot));
    }
    CHECK(worst < 1e-13 * static_cast<f64>(n));
    CHECK(trace == Approx(0).margin(1e-12));
  }
}
