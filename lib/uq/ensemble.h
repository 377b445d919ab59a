#pragma once
// Uncertainty of an answer under several models that give every token a distribution: means over
// the answer's tokens. Natural logarithms. Source: Malinin and Gales 2021.

#include <optional>
#include <span>
#include <vector>

#include "core/types.h"
#include "uq/record.h"

namespace lm::uq {

/// How the members' distributions of a token make one: with equal weights (the product over tokens
/// of expectations over members), or weighted by how probable each member holds the tokens before
/// it (the expectation of products).
enum class Posterior : u8 { kProductOfExpectations, kExpectationOfProducts };

/// Reads an answer token by token, so that nobody holds all distributions of all members. All means
/// over members are by the posterior's weights: lm-polygraph 0.3 leaves those of data equal under
/// the expectation of products, whereby its mutual information may be negative.
class EnsembleMeter {
 public:
  EnsembleMeter(i64 members, Posterior posterior);
  /// logp: [members][V] log-probabilities of what may come; token: what came, below V. O(members V
  /// log 15).
  void add(std::span<const std::span<const f64>> logp, i64 token);
  /// Of the tokens so far, at least one.
  EnsembleMeasures measures() const;

 private:
  const Posterior posterior_;
  i64 tokens_ = 0;
  EnsembleMeasures sum_;
  std::vector<f64> before_;  // [members] log-probability of the tokens before
  std::vector<f64> weight_;  // [members]
  std::vector<f64> mean_;    // [V]
};

/// table: [members, L, V] log-probabilities. tokens: [L] the answer's, for the expectation of
/// products. nullopt for an empty table, or tokens that are missing or beyond V.
std::optional<EnsembleMeasures> ensemble_measures(const Table& table, std::span<const i64> tokens,
                                                  Posterior posterior);

}  // namespace lm::uq
