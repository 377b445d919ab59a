#include "exact/permute_bits.h"

#include <cmath>

#include "catch.h"
#include "core/error.h"
#include "core/parallel.h"

using namespace lm;
using namespace lm::exact;

namespace {

BitsTask task(i64 k, i64 ones, Scaling scaling = Scaling::kNtk, i64 width = 50000) {
  return {k, ones, scaling, width};
}

f64 relu_product(f64 rho) {
  return (std::sqrt(1 - rho * rho) + (std::acos(-1.0) - std::acos(rho)) * rho) /
         (2 * std::acos(-1.0));
}

/// Mean and variance by solving with the whole kernel matrix, slowly.
BitMoments by_elimination(i64 k, i64 n) {
  const f64 pi = std::acos(-1.0);
  const auto first = [&](f64 rho) { return relu_product(rho) / static_cast<f64>(k); };
  const auto tangent = [&](f64 rho) {
    return first(rho) + rho * (pi - std::acos(rho)) / (2 * pi) / static_cast<f64>(k);
  };
  const f64 seen = 1 / std::sqrt(static_cast<f64>(n));
  std::vector<std::vector<f64>> rows(usize(k), std::vector<f64>(usize(k + 1), 0));
  for (i64 i = 0; i < k; ++i) {
    for (i64 j = 0; j < k; ++j)
      rows[usize(i)][usize(j)] = tangent(i == j ? 1 : 0);
    rows[usize(i)][usize(k)] = tangent(i < n ? seen : 0);
  }
  for (i64 p = 0; p < k; ++p)
    for (i64 i = 0; i < k; ++i) {
      if (i == p) continue;
      const f64 by = rows[usize(i)][usize(p)] / rows[usize(p)][usize(p)];
      for (i64 j = p; j <= k; ++j)
        rows[usize(i)][usize(j)] -= by * rows[usize(p)][usize(j)];
    }
  std::vector<f64> a;
  for (i64 i = 0; i < k; ++i)
    a.push_back(rows[usize(i)][usize(k)] / rows[usize(i)][usize(i)]);
  BitMoments out;
  out.on = a[0];
  out.off = n < k ? a[usize(k - 1)] : 0;
  out.variance = first(1);
  for (i64 i = 0; i < k; ++i) {
    out.variance -= 2 * a[usize(i)] * first(i < n ? seen : 0);
    for (i64 j = 0; j < k; ++j)
      out.variance += a[usize(i)] * a[usize(j)] * first(i == j ? 1 : 0);
  }
  return out;
}

}  // namespace

TEST_CASE("moments are those of the kernel matrix, solved slowly", "[exact]") {
  for (const i64 k : {1, 2, 3, 7, 20})
    for (i64 n = 1; n <= k; n += n < 4 ? 1 : 5) {
      const BitMoments fast = moments(task(k, n));
      const BitMoments slow = by_elimination(k, n);
      CHECK(fast.on == Approx(slow.on).epsilon(1e-10));
      if (n < k) CHECK(fast.off == Approx(slow.off).epsilon(1e-10).margin(1e-14));
      CHECK(fast.variance == Approx(slow.variance).epsilon(1e-9).margin(1e-14));
    }
}

TEST_CASE("ones are above zero, zeros are not, and what was trained on is exact", "[exact]") {
  for (const Scaling scaling : {Scaling::kNtk, Scaling::kStandard})
    for (i64 k = 1; k <= 64; ++k)
      for (i64 n = 1; n <= k; ++n) {
        const BitMoments m = moments(task(k, n, scaling));
        CHECK(m.on > 0);
        CHECK(m.off <= 1e-15);
        if (n > 1 && n < k) CHECK(m.off < 0);
        CHECK(m.variance > -1e-15);
        if (n > 1) continue;
        CHECK(m.on == Approx(1).epsilon(1e-12));
        CHECK(std::abs(m.off) < 1e-13);
        CHECK(std::abs(m.variance) < 1e-13);
      }
}

TEST_CASE("ensembles that right answers need, for both scalings", "[exact]") {
  struct Row {
    i64 k, ntk, standard, standard_999;
  };
  for (const Row& row : {Row{5, 205, 28, 96}, Row{10, 333, 58, 156}, Row{15, 454, 89, 219},
                         Row{20, 579, 121, 285}, Row{25, 708, 155, 351}, Row{30, 840, 190, 420}}) {
    CHECK(std::abs(ensemble_size(task(row.k, 2), 0.9) - row.ntk) <= 1);
    const BitsTask standard = task(row.k, 2, Scaling::kStandard);
    CHECK(std::abs(ensemble_size(standard, 0.9) - row.standard) <= 1);
    CHECK(std::abs(ensemble_size(standard, 0.999) - row.standard_999) <= 1);
  }
  CHECK(ensemble_size(task(10, 2), 0.9, 100) == 101);
  CHECK(right_share(task(10, 2), 333) >= 0.9);
  CHECK(right_share(task(10, 2), 331) < 0.9);
}

TEST_CASE("drawn networks have the moments of the formulas", "[exact]") {
  for (const Scaling scaling : {Scaling::kNtk, Scaling::kStandard}) {
    const BitsTask of = task(8, 3, scaling);
    const EnsembleResult drawn = draw_ensemble(of, {.networks = 400, .inputs = 100, .seed = 3});
    const BitMoments m = moments(of);
    REQUIRE(drawn.points.size() == 400);
    CHECK(std::abs(drawn.points.back().on - m.on) < 4 * drawn.on_error);
    CHECK(std::abs(drawn.points.back().off - m.off) < 4 * drawn.off_error);
    CHECK(drawn.variance == Approx(m.variance).epsilon(0.1));
  }
}

TEST_CASE("inputs that overlap are drawn together", "[exact]") {
  // With every input of one bit the outputs are exact, whatever is drawn.
  const EnsembleResult one = draw_ensemble(task(6, 1), {.networks = 2, .inputs = 100, .seed = 1});
  CHECK(one.points[0].accuracy == 1);
  CHECK(one.points[0].mse < 1e-12);
  CHECK(one.variance < 1e-12);
  // The share of right inputs is that of the formula, also where each input is drawn with others.
  const BitsTask of = task(6, 2);
  f64 sum = 0;
  for (u64 seed = 0; seed < 60; ++seed)
    sum += draw_ensemble(of, {.networks = 100, .inputs = 100, .seed = seed}).points.back().accuracy;
  CHECK(sum / 60 == Approx(right_share(of, 100)).margin(0.05));
}

TEST_CASE("trained networks have the moments of the formulas", "[exact]") {
  for (const Scaling scaling : {Scaling::kNtk, Scaling::kStandard}) {
    const BitsTask of = task(5, 2, scaling, 2000);
    const EnsembleResult trained = train_ensemble(of, {.networks = 24, .inputs = 100, .seed = 5});
    const BitMoments m = moments(of);
    CHECK(trained.training_mse < 1e-6);
    CHECK(trained.steps > 3);
    // Of the order of 1/sqrt(width) beside the sampling error.
    CHECK(std::abs(trained.points.back().on - m.on) < 3 * trained.on_error + 0.02);
    CHECK(std::abs(trained.points.back().off - m.off) < 3 * trained.off_error + 0.01);
    CHECK(trained.variance == Approx(m.variance).epsilon(0.35));
  }
}

TEST_CASE("networks are the same for any number of threads and any ensemble", "[exact]") {
  const BitsTask of = task(4, 2, Scaling::kNtk, 300);
  set_threads(1);
  const EnsembleResult one = train_ensemble(of, {.networks = 3, .inputs = 10, .seed = 2});
  set_threads(7);
  const EnsembleResult seven = train_ensemble(of, {.networks = 5, .inputs = 10, .seed = 2});
  set_threads(1);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(one.points[i].mse == seven.points[i].mse);
  CHECK_THROWS_AS(draw_ensemble(task(30, 10), {.networks = 1, .inputs = 5000, .seed = 1}), Error);
}

TEST_CASE("a share that is only passed through is not enough", "[exact]") {
  EnsembleResult result;
  for (i64 n = 1; n <= 40; ++n)
    result.points.push_back({n, n == 5 || n >= 20 ? 0.95 : 0.5, 0, 0, 0});
  CHECK(result.enough(0.9) == 20);
  result.points.resize(25);
  CHECK(result.enough(0.9) == 0);
}
