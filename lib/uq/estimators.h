#pragma once
// The estimators of uncertainty as one table: name, what of the record each needs, what it costs to
// have that generated, and a function of the record. Every score is an uncertainty: the larger, the
// less the answer is to be trusted. Formulas and sources stand beside the functions and in README.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "uq/evidence.h"

namespace lm::uq {

/// What has to be generated per question.
enum class Cost : u8 {
  kGreedy,      // one answer
  kSamples,     // m answers
  kBoth,        // m + 1
  kOneMore,     // an answer and a question about it
  kTrueVotes,   // an answer and as many votes on it
  kRewordings,  // r answers to each of n + 1 wordings
};

struct Estimator {
  const char* name;
  const char* needs;    // fields of the record, for people
  const char* formula;  // one line
  Cost cost;
  bool probability;         // 1 - score is meant as the probability of being right
  f64 (*score)(Evidence&);  // NaN: an ingredient is missing, or the value is undefined
};

/// All of them, in the order of the output.
std::span<const Estimator> estimators();
const Estimator* find_estimator(std::string_view name);
std::vector<std::string> estimator_names();

/// The same for one statement of the greedy answer (UqRecord::claims).
struct ClaimEstimator {
  const char* name;
  const char* needs;
  const char* formula;
  Cost cost;  // per statement for what is asked of it
  f64 (*score)(Evidence&, const Claim& claim);
};
std::span<const ClaimEstimator> claim_estimators();
const ClaimEstimator* find_claim_estimator(std::string_view name);

/// Answers generated per question: m samples, votes on the truth, answers over all wordings.
struct Generated {
  i64 samples = 0;
  i64 votes = 0;
  i64 rewordings = 0;
};
i64 generations(Cost cost, const Generated& generated);

/// Tables that estimators() is made of, by family.
std::span<const Estimator> token_estimators();   // of the greedy answer's tokens
std::span<const Estimator> sample_estimators();  // of several answers
std::span<const Estimator> inverse_estimators();

/// -prod over tokens of P(candidates that entail) / P(those that entail or contradict), where any
/// do. Source: Fadeeva et al. 2024 (claim conditioned probability).
f64 claim_probability(std::span<const std::vector<Alternative>> tokens);

/// The confidence that a text states, in [0,1]: a percentage or fraction behind "confidence" or
/// "probability"; with anywhere set, the first number that can be one. nullopt if there is none.
std::optional<f64> stated_confidence(std::string_view text, bool anywhere);

}  // namespace lm::uq
