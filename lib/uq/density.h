#pragma once
// How far a state of the model lies from states of answers that are known: by a Gaussian, and by a
// robust Gaussian of the states' kernel components. Row-major matrices of f64; pure functions of
// their arguments and the seed, the same for any number of threads.

#include <optional>
#include <span>
#include <vector>

#include "core/types.h"

namespace lm::uq {

/// Lower triangular L with L L^T = a symmetric positive definite matrix.
class Cholesky {
 public:
  /// matrix: [n, n], the lower triangle is read. False if it is not positive definite. O(n^3 / 3).
  bool factor(std::span<const f64> matrix, i64 n);
  i64 size() const { return n_; }
  std::span<const f64> lower() const { return lower_; }
  f64 log_determinant() const;
  /// x^T A^-1 x. O(n^2).
  f64 quadratic(std::span<const f64> x) const;
  /// From a factor that was stored; its diagonal is positive.
  static Cholesky of(std::vector<f64> lower, i64 n);

 private:
  i64 n_ = 0;
  std::vector<f64> lower_;
};

struct Gaussian {
  std::vector<f64> mean;
  Cholesky covariance;
  /// sqrt((x - mean)^T S^-1 (x - mean)), the Mahalanobis distance.
  f64 distance(std::span<const f64> x) const;
};

/// Mean and covariance of the rows of x [n, width] for which use is not 0 (empty: of all). The
/// covariance gets 1e-6 of its mean variance on the diagonal, so that fewer rows than numbers have
/// distances too. nullopt for fewer than two rows or rows that are all equal.
std::optional<Gaussian> fit_gaussian(std::span<const f64> x, i64 width,
                                     std::span<const u8> use = {});

/// Distances of every row from the Gaussian of the rows outside its fold, of five: what rows have
/// that were not fitted. Empty for fewer than ten rows. O(5 width^3).
std::vector<f64> cross_distances(std::span<const f64> x, i64 width, u64 seed);

/// Kernel principal components under k(x,y) = exp(-gamma |x-y|^2). Source: Schoelkopf et al. 1998.
struct KernelPca {
  i64 width = 0;
  i64 components = 0;
  f64 gamma = 0;
  std::vector<f64> states;     // [n, width]
  std::vector<f64> axes;       // [n, components], eigenvectors over the roots of their values
  std::vector<f64> row_means;  // [n] of the kernel
  f64 mean = 0;                // of row_means
  i64 count() const { return isize(row_means); }
  void project(std::span<const f64> x, std::span<f64> out) const;
};
/// gamma is 1 / the median squared distance of two rows: the usual 1 / width depends on the unit in
/// which a model's states are large. At most `components`, fewer where the rows span fewer. O(n^3):
/// meant for hundreds of rows.
KernelPca fit_kernel_pca(std::span<const f64> x, i64 width, i64 components);

/// Location and covariance of the half of the rows of x [n, p] whose covariance has the smallest
/// determinant, scaled to be consistent for normal rows, then of all rows within the 97.5 %
/// quantile of their distance. FAST-MCD: 500 starts from p + 1 rows, two steps each, the ten best
/// to convergence. nullopt where every start is singular. Needs n > 2 p. Sources: Rousseeuw 1984;
/// Rousseeuw and Van Driessen 1999.
std::optional<Gaussian> robust_gaussian(std::span<const f64> x, i64 p, u64 seed);

/// The q-quantile of the chi-square distribution, 0 < q < 1.
f64 chi_square_quantile(f64 q, f64 degrees);

/// Robust density estimation: robust_gaussian of kernel components. Source: Yoo et al. 2022.
struct RobustDensity {
  KernelPca pca;
  Gaussian gaussian;
  f64 distance(std::span<const f64> x) const;
};
/// At most 100 components, as published, and a fifth of the rows. Of more than `most` rows as many
/// are drawn by seed. nullopt for fewer than ten rows or where robust_gaussian finds none.
std::optional<RobustDensity> fit_robust_density(std::span<const f64> x, i64 width, i64 most,
                                                u64 seed);

}  // namespace lm::uq
