#pragma once
// Uncertainty of an answer under several models that give every token a distribution: means over
// the answer's tokens. Natural logarithms. Source: Malinin and Gales 2021.

#include <optional>
#include <span>

#include "core/types.h"
#include "uq/record.h"

namespace lm::uq {

/// How the members' distributions of a token make one: with equal weights (the product over tokens
/// of expectations over members), or weighted by how probable each member holds the tokens before
/// it (the expectation of products).
enum class Posterior : u8 { kProductOfExpectations, kExpectationOfProducts };

struct EnsembleMeasures {
  f64 total = 0;     // H(mean p)
  f64 data = 0;      // mean H(p)
  f64 pairwise = 0;  // mean KL(p_i || p_j) over pairs of two members; NaN for one member
  f64 top5 = 0;      // entropy of the k likeliest tokens alone, of mean p, normalised
  f64 top10 = 0;
  f64 top15 = 0;
};

/// table: [members, L, V] log-probabilities. tokens: [L] the answer's, for the expectation of
/// products. nullopt for an empty table, or tokens that are missing or beyond V. All means over
/// members are by the posterior's weights: lm-polygraph 0.3 leaves those of data equal under the
/// expectation of products, whereby its mutual information may be negative. O(members L V log 15).
std::optional<EnsembleMeasures> ensemble_measures(const Table& table, std::span<const i64> tokens,
                                                  Posterior posterior);

}  // namespace lm::uq
