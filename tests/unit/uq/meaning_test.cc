// Clusters and graphs: the numbers of the published definitions worked out by hand.

#include "uq/meaning.h"

#include <cmath>

#include "catch.h"

namespace {

using lm::f64;
using lm::i32;
using lm::i64;
using lm::usize;

std::vector<f64> identical(i64 m) {
  return std::vector<f64>(usize(m * m), 1.0);
}

std::vector<f64> different(i64 m) {
  std::vector<f64> w(usize(m * m), 0.0);
  for (i64 i = 0; i < m; ++i)
    w[usize(i * m + i)] = 1;
  return w;
}

std::vector<f64> logs(std::vector<f64> p) {
  for (f64& v : p)
    v = std::log(v);
  return p;
}

}  // namespace

TEST_CASE("three answers have the graph measures worked out by hand", "[uq]") {
  const std::vector<f64> w = {1, .9, .1, .9, 1, .2, .1, .2, 1};
  lm::stat::SymmetricEigen eigen;
  const lm::uq::GraphMeasures got = lm::uq::graph_measures(w, 3, eigen);
  CHECK(eigen.values()[0] == Approx(0).margin(1e-9));
  CHECK(eigen.values()[1] == Approx(.300672).margin(1e-6));
  CHECK(eigen.values()[2] == Approx(.953907).margin(1e-6));
  CHECK(got.eigv == Approx(1.745421).margin(1e-6));
  CHECK(got.degmat == Approx(.4).margin(1e-12));
  CHECK(got.ecc == Approx(1.000148).margin(1e-6));
}

TEST_CASE("the kernel entropy of three answers is that worked out by hand", "[uq]") {
  const std::vector<f64> w = {1, .9, .1, .9, 1, .2, .1, .2, 1};
  lm::stat::SymmetricEigen eigen;
  const f64 entropy = lm::uq::kernel_entropy(w, 3, .3, eigen);
  CHECK(entropy == Approx(1.073382).margin(1e-6));
  CHECK(entropy / std::log(3.0) == Approx(.977034).margin(1e-6));
  CHECK(eigen.values()[0] == Approx(.244747).margin(1e-6));
  CHECK(eigen.values()[1] == Approx(.327739).margin(1e-6));
  CHECK(eigen.values()[2] == Approx(.427514).margin(1e-6));
}

TEST_CASE("five samples in three clusters have the entropies worked out by hand", "[uq]") {
  const std::vector<i32> labels = {0, 0, 1, 0, 2};
  const std::vector<f64> logp = logs({.3, .2, .1, .1, .05});
  CHECK(lm::uq::cluster_entropy(labels) == Approx(.950271).margin(1e-6));
  CHECK(lm::uq::largest_share(labels) == Approx(.6));
  const std::vector<f64> of_cluster = lm::uq::cluster_log_probability(labels, logp);
  CHECK(std::exp(of_cluster[0]) == Approx(.8).margin(1e-12));
  CHECK(std::exp(of_cluster[1]) == Approx(.133333).margin(1e-6));
  CHECK(std::exp(of_cluster[2]) == Approx(.066667).margin(1e-6));
  CHECK(lm::uq::semantic_entropy(labels, logp) == Approx(.627705).margin(1e-6));
  CHECK(lm::uq::semantic_entropy_sampled(labels, logp) == Approx(1.078477).margin(1e-6));
}

TEST_CASE("entropies of long answers do not underflow", "[uq]") {
  const std::vector<i32> labels = {0, 0, 1, 0, 2};
  std::vector<f64> logp = logs({.3, .2, .1, .1, .05});
  for (f64& l : logp)
    l -= 5000;
  CHECK(lm::uq::semantic_entropy(labels, logp) == Approx(.627705).margin(1e-6));
}

TEST_CASE("equal answers are one meaning, different ones m", "[uq]") {
  lm::stat::SymmetricEigen eigen;
  for (const i64 m : {1, 2, 7, 20}) {
    CAPTURE(m);
    const f64 n = static_cast<f64>(m);
    const lm::uq::GraphMeasures same = lm::uq::graph_measures(identical(m), m, eigen);
    CHECK(same.eigv == Approx(1).margin(1e-9));
    CHECK(same.degmat == Approx(0).margin(1e-12));
    CHECK(same.ecc == Approx(0).margin(1e-6));
    const lm::uq::GraphMeasures apart = lm::uq::graph_measures(different(m), m, eigen);
    CHECK(apart.eigv == Approx(n).margin(1e-9));
    CHECK(apart.degmat == Approx((n - 1) / n).margin(1e-12));
    // Answers with nothing in common: the kernel is the identity.
    CHECK(lm::uq::kernel_entropy(different(m), m, .3, eigen) == Approx(std::log(n)).margin(1e-9));
    std::vector<i32> labels;
    for (i64 i = 0; i < m; ++i)
      labels.push_back(static_cast<i32>(i));
    CHECK(lm::uq::cluster_entropy(labels) == Approx(std::log(n)).margin(1e-12));
    CHECK(lm::uq::cluster_entropy(std::vector<i32>(usize(m), 0)) == 0);
  }
}

TEST_CASE("first fit never reassigns, components join through a middle", "[uq]") {
  // A chain: 0 ~ 2 ~ 1, but 0 and 1 differ. In first fit 2 goes to the cluster of 0.
  const auto same = [](i64 i, i64 j) { return i == j || i == 2 || j == 2; };
  CHECK(lm::uq::cluster_first_fit(3, same) == std::vector<i32>{0, 1, 0});
  CHECK(lm::uq::cluster_components(3, same) == std::vector<i32>{0, 0, 0});
  CHECK(lm::uq::cluster_first_fit(0, same).empty());
}

TEST_CASE("the eigenvalue score of two embeddings is that worked out by hand", "[uq]") {
  // Rows centred over features: (1,-1) and (-2,2); products 2, -4, 8 plus .001 on the diagonal.
  const std::vector<f64> a = {2, 0};
  const std::vector<f64> b = {0, 4};
  const std::vector<const std::vector<f64>*> z = {&a, &b};
  lm::stat::SymmetricEigen eigen;
  CHECK(lm::uq::eigen_score(z, .001, eigen) ==
        Approx((std::log(10.001) + std::log(.001)) / 2).margin(1e-9));
}
