#pragma once
// Answers as classes of one meaning, and as a graph of similar ones: the measures of uncertainty
// that follow from either. m answers; labels are cluster numbers from 0 in order of appearance;
// logp are log-probabilities (natural) of whole answers. Pure functions; entropies in nats.

#include <functional>
#include <span>
#include <vector>

#include "core/types.h"
#include "stat/eigen.h"

namespace lm::uq {

/// Greedy first fit: an answer joins the first cluster whose first member it equals in meaning, and
/// stays there. Order matters where `same` is not transitive. Source: Kuhn et al. 2023, without the
/// reassignment of their program.
std::vector<i32> cluster_first_fit(i64 m, const std::function<bool(i64, i64)>& same);
/// Connected components of `same`: no matter the order.
std::vector<i32> cluster_components(i64 m, const std::function<bool(i64, i64)>& same);

/// -sum of n_c/m log n_c/m ("discrete semantic entropy").
f64 cluster_entropy(std::span<const i32> labels);
/// Share of the largest cluster.
f64 largest_share(std::span<const i32> labels);

/// P(c), the probability of the cluster's answers over that of all, as logarithms by label.
std::vector<f64> cluster_log_probability(std::span<const i32> labels, std::span<const f64> logp);
/// -sum P log P (Rao-Blackwellised), and -mean over the answers of log P(cluster of it).
f64 semantic_entropy(std::span<const i32> labels, std::span<const f64> logp);
f64 semantic_entropy_sampled(std::span<const i32> labels, std::span<const f64> logp);

/// Of a symmetric similarity W [m, m] with degrees D and L = I - D^-1/2 W D^-1/2.
/// Source: Lin et al. 2024.
struct GraphMeasures {
  f64 eigv = 0;    // sum of max(0, 1 - eigenvalue): about the number of meanings
  f64 degmat = 0;  // trace(m I - D) / m^2
  f64 ecc = 0;     // Frobenius norm of the centred eigenvectors with eigenvalue below 0.9
};
/// Every row needs a positive sum.
GraphMeasures graph_measures(std::span<const f64> w, i64 m, stat::SymmetricEigen& eigen);

/// Von Neumann entropy of the heat kernel exp(-t Lap(G)) with unit diagonal, divided by m.
/// Source: Nikitin et al. 2024.
f64 kernel_entropy(std::span<const f64> g, i64 m, f64 t, stat::SymmetricEigen& eigen);

/// Mean of log eigenvalues of Z J Z^T + alpha I, J centring over features; z: [m, d].
/// NaN where Z J Z^T overflows. Source: Chen et al. 2024 (INSIDE).
f64 eigen_score(std::span<const std::vector<f64>* const> z, f64 alpha, stat::SymmetricEigen& eigen);

/// log(sum of exp(x)) without overflow; -infinity of nothing.
f64 log_sum_exp(std::span<const f64> x);

}  // namespace lm::uq
