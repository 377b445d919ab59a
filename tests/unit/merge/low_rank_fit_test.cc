#include "merge/low_rank_fit.h"

#include <cmath>

#include "catch.h"
#include "core/parallel.h"
#include "core/random.h"

using namespace lm;

namespace {

std::vector<f32> normal(i64 count, u64 seed) {
  const RandomStream random(seed, RandomPurpose::kOther);
  std::vector<f32> out;
  for (i64 i = 0; i < count; ++i)
    out.push_back(static_cast<f32>(random.normal(static_cast<u64>(i))));
  return out;
}

// The largest difference of b a from the matrix, beside the largest element.
f64 error_of(const merge::LowRankFit& fit, const std::vector<f32>& matrix, i64 rows, i64 cols) {
  f64 worst = 0;
  f64 largest = 0;
  for (i64 i = 0; i < rows; ++i) {
    for (i64 j = 0; j < cols; ++j) {
      f64 sum = 0;
      for (i64 k = 0; k < fit.rank; ++k)
        sum += static_cast<f64>(fit.b[usize(i * fit.rank + k)]) * fit.a[usize(k * cols + j)];
      worst = std::max(worst, std::fabs(sum - matrix[usize(i * cols + j)]));
      largest = std::max(largest, std::fabs(static_cast<f64>(matrix[usize(i * cols + j)])));
    }
  }
  return worst / largest;
}

}  // namespace

TEST_CASE("a matrix of low rank is its factors", "[merge]") {
  for (const auto& [rows, cols] : {std::pair<i64, i64>{60, 90}, {90, 60}, {7, 200}, {300, 5}}) {
    const i64 rank = 4;
    const std::vector<f32> left = normal(rows * rank, 1);
    const std::vector<f32> right = normal(rank * cols, 2);
    std::vector<f32> matrix(usize(rows * cols), 0.0f);
    for (i64 i = 0; i < rows; ++i)
      for (i64 k = 0; k < rank; ++k)
        for (i64 j = 0; j < cols; ++j)
          matrix[usize(i * cols + j)] += left[usize(i * rank + k)] * right[usize(k * cols + j)];
    const merge::LowRankFit fit = merge::fit_low_rank(matrix, rows, cols, 16, 0, 7);
    CHECK(fit.rank >= rank);
    CHECK(error_of(fit, matrix, rows, cols) < 1e-5);
    CHECK(fit.kept == Approx(1.0));
  }
}

TEST_CASE("singular values are those of a diagonal, the largest first", "[merge]") {
  // diag(10, 9, ..., 1), with two rows of zeros and other signs
  std::vector<f32> matrix(12 * 10, 0.0f);
  for (i64 i = 0; i < 10; ++i)
    matrix[usize(i * 10 + i)] = static_cast<f32>((10 - i) * (i % 2 == 0 ? 1 : -1));
  const merge::LowRankFit fit = merge::fit_low_rank(matrix, 12, 10, 3, 0, 1);
  REQUIRE(fit.rank == 3);
  CHECK(fit.singular[0] == Approx(10));
  CHECK(fit.singular[2] == Approx(8));
  CHECK(fit.kept == Approx(245.0 / 385));
  CHECK(merge::fit_low_rank(matrix, 12, 10, 9, 4.5, 1).rank == 6);
  CHECK(merge::fit_low_rank(std::vector<f32>(120, 0.0f), 12, 10, 3, 0, 1).rank == 0);
}

TEST_CASE("of a full matrix what is kept is close to the best there is", "[merge]") {
  // Singular values 0.9^k of a random rotation would fall so; here a product of normal factors
  // with falling scales, compared with a fit of full rank.
  const i64 n = 80;
  std::vector<f32> matrix = normal(n * n, 3);
  for (i64 i = 0; i < n; ++i)
    for (i64 j = 0; j < n; ++j)
      matrix[usize(i * n + j)] *= static_cast<f32>(std::pow(0.93, static_cast<f64>(j)));
  const merge::LowRankFit all = merge::fit_low_rank(matrix, n, n, n, 0, 1);
  const merge::LowRankFit few = merge::fit_low_rank(matrix, n, n, 10, 0, 1);
  CHECK(error_of(all, matrix, n, n) < 1e-5);
  f64 best = 0;
  f64 sum = 0;
  for (std::size_t k = 0; k < all.singular.size(); ++k) {
    sum += all.singular[k] * all.singular[k];
    if (k < 10) best += all.singular[k] * all.singular[k];
  }
  CHECK(few.kept > best / sum * (1 - 1e-4));
  CHECK(few.kept < best / sum * (1 + 1e-9));
}

TEST_CASE("factors do not depend on the number of threads", "[merge]") {
  const std::vector<f32> matrix = normal(200 * 170, 5);
  const int before = max_threads();
  set_threads(1);
  const merge::LowRankFit one = merge::fit_low_rank(matrix, 200, 170, 6, 0, 2);
  set_threads(7);
  const merge::LowRankFit many = merge::fit_low_rank(matrix, 200, 170, 6, 0, 2);
  set_threads(before);
  CHECK(one.a == many.a);
  CHECK(one.b == many.b);
}
